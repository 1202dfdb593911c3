package dev.lakemill.pipeline;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.function.Supplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Batches of rows as the one Arrow stream that DuckDB scans once; buffers are shared, not copied.
 *
 * <p>TIMESTAMP goes in without its zone: the engine computes with UTC micros throughout, and
 * DuckDB's zoned type would go through ICU for every value.
 */
final class RowsStream extends ArrowReader {
    private final TableSchema schema;
    private final Supplier<@Nullable Rows> next;

    /**
     * @param next gives one batch after the other, then null; each is closed here
     */
    RowsStream(BufferAllocator allocator, TableSchema schema, Supplier<@Nullable Rows> next) {
        super(allocator);
        this.schema = schema;
        this.next = next;
    }

    @Override
    public boolean loadNextBatch() throws java.io.IOException {
        prepareLoadNextBatch();
        try (var rows = next.get()) {
            if (rows == null) {
                return false;
            }
            loadRecordBatch(new VectorUnloader(rows.root()).getRecordBatch());
            return true;
        }
    }

    @Override
    public long bytesRead() {
        return 0;
    }

    @Override
    protected void closeReadSource() {}

    @Override
    protected Schema readSchema() {
        return new Schema(
                ArrowTypes.schema(schema).getFields().stream()
                        .map(RowsStream::withoutZone)
                        .toList());
    }

    private static Field withoutZone(Field field) {
        var type =
                field.getType() instanceof ArrowType.Timestamp timestamp
                        ? new ArrowType.Timestamp(timestamp.getUnit(), null)
                        : field.getType();
        List<Field> children = field.getChildren().stream().map(RowsStream::withoutZone).toList();
        return new Field(field.getName(), new FieldType(field.isNullable(), type, null), children);
    }
}
