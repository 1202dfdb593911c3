package dev.lakemill.ingest;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Decodes frame payloads of one table into Arrow's vectors. Immutable; safe from any thread.
 *
 * <p>The form is told in docs/internals/row-format.md.
 */
final class RowDecoder {
    private final TableSchema schema;

    RowDecoder(TableSchema schema) {
        this.schema = schema;
    }

    /** How many rows a payload holds. */
    static int count(byte[] payload) {
        var in = new WireReader().on(payload, 0, payload.length);
        int rows = 0;
        while (in.hasMore()) {
            in.skip(in.length());
            rows++;
        }
        return rows;
    }

    /**
     * The rows of all payloads, in order; the caller closes them.
     *
     * @param rowCount how many they are
     */
    Rows decode(List<byte[]> payloads, int rowCount, BufferAllocator allocator) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        boolean done = false;
        try {
            fill(root, payloads, rowCount);
            root.setRowCount(rowCount);
            done = true;
            return new Rows(schema, root);
        } finally {
            if (!done) {
                root.close();
            }
        }
    }

    private void fill(VectorSchemaRoot root, List<byte[]> payloads, int rowCount) {
        var fillers = new VectorFiller[schema.size()];
        for (int i = 0; i < fillers.length; i++) {
            var vector = root.getVector(i);
            if (vector instanceof BaseFixedWidthVector fixed) {
                fixed.allocateNew(rowCount);
            } else {
                vector.setInitialCapacity(rowCount);
                vector.allocateNew();
            }
            fillers[i] = VectorFiller.of(schema.column(i).type(), vector);
        }
        var in = new WireReader();
        int row = 0;
        for (var payload : payloads) {
            in.on(payload, 0, payload.length);
            while (in.hasMore()) {
                int end = in.beginNested();
                while (in.hasMore()) {
                    fillers[(in.tag() >>> 3) - 1].read(in, row);
                }
                in.endNested(end);
                row++;
            }
        }
    }
}
