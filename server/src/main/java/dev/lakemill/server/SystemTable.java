package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/** A table whose rows are made when they are asked for, for the one who asks. */
record SystemTable(TableName name, TableSchema schema, Producer producer) {
    private static final int BATCH_ROWS = 4_096;

    /** Makes the rows that a caller may see, with a value for every column; closed when read. */
    interface Producer {
        Stream<List<@Nullable Object>> rows(Caller caller);
    }

    /**
     * @param columns {@code name:TYPE,name:TYPE,…}
     */
    static SystemTable of(TableName name, String columns, Producer producer) {
        var struct = (DataType.Struct) DataType.parse("STRUCT<" + columns + ">");
        return new SystemTable(name, new TableSchema(struct.fields()), producer);
    }

    LakeQuery.Reading open(Caller caller, List<String> columns, BufferAllocator allocator) {
        var read =
                new TableSchema(
                        columns.stream()
                                .map(c -> schema.column(schema.indexOf(c).orElseThrow()))
                                .toList());
        var rows = producer.rows(caller);
        var iterator = rows.iterator();
        return new LakeQuery.Reading() {
            @Override
            public @Nullable Rows next() {
                return iterator.hasNext() ? batch(read, iterator, allocator) : null;
            }

            @Override
            public void close() {
                rows.close();
            }
        };
    }

    private Rows batch(
            TableSchema read, Iterator<List<@Nullable Object>> rows, BufferAllocator allocator) {
        var places = read.columns().stream().mapToInt(c -> schema.indexOf(c.name()).orElseThrow());
        var from = places.toArray();
        var root = VectorSchemaRoot.create(ArrowTypes.schema(read), allocator);
        root.allocateNew();
        var count = 0;
        while (count < BATCH_ROWS && rows.hasNext()) {
            var row = rows.next();
            for (int i = 0; i < from.length; i++) {
                SqlValues.set(root.getVector(i), count, row.get(from[i]));
            }
            count++;
        }
        root.setRowCount(count);
        return new Rows(read, root);
    }
}
