package dev.lakemill.capture;

import dev.lakemill.capture.TableShape.PgColumn;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/** Rows of a current state in the columns of another shape. One thread uses it. */
final class ReshapedRows implements Iterator<Rows> {
    private final DeltaReader reader;
    private final Map<Integer, String> oldNames;
    private final TableShape shape;
    private final TableSchema wanted;
    private final BufferAllocator allocator;
    private @Nullable Rows next;
    private boolean ended;

    /**
     * @param reader of the rows as they are; closed at their end
     * @param oldNames of their columns, by number
     */
    ReshapedRows(
            DeltaReader reader,
            Map<Integer, String> oldNames,
            TableShape shape,
            BufferAllocator allocator) {
        this.reader = reader;
        this.oldNames = oldNames;
        this.shape = shape;
        this.wanted = LakeColumns.current(shape);
        this.allocator = allocator;
    }

    @Override
    public boolean hasNext() {
        if (next == null && !ended) {
            next = reader.next();
            ended = next == null;
            if (ended) {
                reader.close();
            }
        }
        return next != null;
    }

    @Override
    public Rows next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException();
        }
        try (var old = next;
                var rows = new RowBuilder(wanted, allocator)) {
            next = null;
            for (int row = 0; row < old.count(); row++) {
                for (int i = 0; i < wanted.size(); i++) {
                    var value = value(old, row, shape.columns().get(i));
                    if (value != null) {
                        rows.set(i, value);
                    }
                }
                rows.endRow();
            }
            return rows.build();
        }
    }

    private byte @Nullable [] value(Rows old, int row, PgColumn column) {
        var name = oldNames.get(column.number());
        var place = name == null ? -1 : old.schema().indexOf(name).orElse(-1);
        if (place >= 0) {
            return TextValues.get(old.vector(place), row);
        }
        var missing = column.missing();
        return missing == null ? null : missing.getBytes(StandardCharsets.UTF_8);
    }
}
