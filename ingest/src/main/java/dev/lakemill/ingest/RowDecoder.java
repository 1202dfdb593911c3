package dev.lakemill.ingest;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.util.VectorSchemaRootAppender;

/**
 * Decodes frame payloads of one table into Arrow's vectors. Immutable; safe from any thread.
 *
 * <p>The form is told in docs/internals/row-format.md.
 */
final class RowDecoder {
    /** A text column begins with this part of an even share of all bytes. */
    private static final int TEXT_SHARE_AT_FIRST = 16;

    /** Or with its whole share, where that is no more than this. */
    private static final int TEXT_BYTES_AT_FIRST = 1 << 16;

    private final TableSchema schema;
    private final Cells cells;

    RowDecoder(TableSchema schema) {
        this.schema = schema;
        this.cells = Cells.of(schema);
    }

    /**
     * How many of the payloads, from the first on, have no more values together than one request
     * may. One at least: what is durable is decoded, whatever the limit was when it came.
     *
     * @param rows how many each has
     */
    int together(List<byte[]> payloads, int[] rows) {
        long sum = 0;
        for (int i = 0; i < rows.length; i++) {
            sum += cells.atMost(payloads.get(i), rows[i]);
            if (i > 0 && sum > Cells.REQUEST_MAX) {
                return i;
            }
        }
        return rows.length;
    }

    /** How many rows a payload holds. */
    static int count(byte[] payload) {
        if (ArrowPayload.is(payload)) {
            return ArrowPayload.count(payload);
        }
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
        return new Rows(
                schema,
                payloads.stream().anyMatch(ArrowPayload::is)
                        ? mixed(payloads, allocator)
                        : rows(payloads, rowCount, allocator));
    }

    /** Payloads of both kinds: runs of rows and batches, one after the other. */
    private VectorSchemaRoot mixed(List<byte[]> payloads, BufferAllocator allocator) {
        var parts = new ArrayList<VectorSchemaRoot>();
        var joined = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        boolean done = false;
        try {
            int from = 0;
            while (from < payloads.size()) {
                int to = from;
                int rowCount = 0;
                while (to < payloads.size() && !ArrowPayload.is(payloads.get(to))) {
                    rowCount += count(payloads.get(to));
                    to++;
                }
                if (to > from) {
                    parts.add(rows(payloads.subList(from, to), rowCount, allocator));
                    from = to;
                } else {
                    parts.add(ArrowPayload.load(payloads.get(from), schema, allocator));
                    from++;
                }
            }
            if (parts.size() == 1) {
                done = true;
                joined.close();
                return parts.removeFirst();
            }
            joined.allocateNew();
            VectorSchemaRootAppender.append(false, joined, parts.toArray(VectorSchemaRoot[]::new));
            done = true;
            return joined;
        } finally {
            parts.forEach(VectorSchemaRoot::close);
            if (!done) {
                joined.close();
            }
        }
    }

    private VectorSchemaRoot rows(List<byte[]> payloads, int rowCount, BufferAllocator allocator) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        boolean done = false;
        try {
            fill(root, payloads, rowCount);
            root.setRowCount(rowCount);
            done = true;
            return root;
        } finally {
            if (!done) {
                root.close();
            }
        }
    }

    private void fill(VectorSchemaRoot root, List<byte[]> payloads, int rowCount) {
        // What texts need is told by the first ones: those vectors grow once, while they are small.
        var texts =
                root.getFieldVectors().stream().filter(BaseVariableWidthVector.class::isInstance);
        long bytes = payloads.stream().mapToLong(payload -> payload.length).sum();
        long share = bytes / Math.max(1, texts.count());
        long bytesAtFirst =
                Math.max(share / TEXT_SHARE_AT_FIRST, Math.min(share, TEXT_BYTES_AT_FIRST));
        var fillers = new ColumnFiller[schema.size()];
        for (int i = 0; i < fillers.length; i++) {
            var vector = root.getVector(i);
            if (vector instanceof BaseFixedWidthVector fixed) {
                fixed.allocateNew(rowCount);
            } else if (vector instanceof BaseVariableWidthVector variable) {
                variable.allocateNew(bytesAtFirst, rowCount);
            } else {
                vector.setInitialCapacity(rowCount);
                vector.allocateNew();
            }
            fillers[i] = new ColumnFiller(schema.column(i).type(), vector, rowCount, bytes);
        }
        var in = new WireReader();
        int row = 0;
        for (var payload : payloads) {
            in.on(payload, 0, payload.length);
            for (; in.hasMore(); row++) {
                if (row >= rowCount) {
                    throw new IllegalArgumentException("more rows than were counted");
                }
                readRow(in, row, fillers);
            }
        }
        if (row < rowCount) {
            throw new IllegalArgumentException("%d rows, not %d".formatted(row, rowCount));
        }
        for (var filler : fillers) {
            filler.finish();
        }
    }

    /** A method of its own, so that the JVM soon sees that it is worth compiling. */
    private static void readRow(WireReader in, int row, ColumnFiller[] fillers) {
        int end = in.beginNested();
        while (in.hasMore()) {
            fillers[(in.tag() >>> 3) - 1].read(in, row);
        }
        in.endNested(end);
    }
}
