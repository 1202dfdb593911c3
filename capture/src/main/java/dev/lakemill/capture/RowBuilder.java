package dev.lakemill.capture;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import org.apache.arrow.memory.BufferAllocator;

/** Makes a batch of rows out of texts. One thread uses it. */
final class RowBuilder implements AutoCloseable {
    private final Rows rows;
    private int count;
    private boolean taken;

    RowBuilder(TableSchema schema, BufferAllocator allocator) {
        this.rows = Rows.empty(schema, allocator);
    }

    int count() {
        return count;
    }

    /** Sets a value of the row that {@link #endRow} will end. */
    void set(int column, byte[] text) {
        TextValues.set(rows.vector(column), count, text);
    }

    void set(int column, String text) {
        set(column, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    void setLong(int column, long value) {
        switch (rows.vector(column)) {
            case org.apache.arrow.vector.BigIntVector v -> v.setSafe(count, value);
            case org.apache.arrow.vector.TimeStampVector v -> v.setSafe(count, value);
            default -> throw new IllegalArgumentException(rows.schema().column(column).name());
        }
    }

    void endRow() {
        count++;
    }

    /** What was built; the caller closes it. */
    Rows build() {
        rows.root().setRowCount(count);
        taken = true;
        return rows;
    }

    /** Frees what was not built. */
    @Override
    public void close() {
        if (!taken) {
            rows.close();
        }
    }
}
