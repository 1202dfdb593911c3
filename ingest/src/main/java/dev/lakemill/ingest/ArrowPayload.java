package dev.lakemill.ingest;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;

/**
 * Arrow's buffers as the payload of a frame, so that a batch goes from its producer to the table's
 * feed without being taken apart. The form is told in docs/internals/row-format.md.
 */
final class ArrowPayload {
    /**
     * As the length of a row it would be more than a payload holds: no payload of rows begins so.
     */
    private static final int MARK = 0xFFFFFFFF;

    private static final int HEAD_BYTES = 5 * Integer.BYTES;
    private static final int ALIGNMENT = 8;

    private ArrowPayload() {}

    /** Whether a payload holds Arrow's buffers; otherwise it holds rows. */
    static boolean is(byte[] payload) {
        return payload.length >= HEAD_BYTES && in(payload).getInt(0) == MARK;
    }

    /** How many rows a payload of buffers holds. */
    static int count(byte[] payload) {
        return in(payload).getInt(4);
    }

    /** How many columns its table had when a payload of buffers was written. */
    static int columns(byte[] payload) {
        return in(payload).getInt(8);
    }

    /** The bytes of a buffer of the payload. */
    static int bufferBytes(byte[] payload, int buffer) {
        int nodes = in(payload).getInt(12);
        return in(payload).getInt(HEAD_BYTES + 2 * Integer.BYTES * nodes + Integer.BYTES * buffer);
    }

    private static ByteBuffer in(byte[] payload) {
        return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Gathers the nodes and buffers of a batch, column by column. */
    static final class Writer {
        private final List<int[]> nodes = new ArrayList<>();
        private final List<ByteBuffer> buffers = new ArrayList<>();
        private long bytes = HEAD_BYTES + ALIGNMENT;

        void node(int length, int nulls) {
            nodes.add(new int[] {length, nulls});
            bytes += 2 * Integer.BYTES;
        }

        /** The bytes must not change until {@link #toByteArray}. */
        void buffer(ByteBuffer content) {
            buffers.add(content);
            bytes += Integer.BYTES + padded(content.remaining());
            if (bytes > RecordEncoder.PAYLOAD_BYTES_MAX) {
                throw Refusal.badRecord(
                        "the batch is larger than %d bytes in the log"
                                .formatted(RecordEncoder.PAYLOAD_BYTES_MAX),
                        "send fewer rows in one batch");
            }
        }

        /** How many there are. */
        int buffers() {
            return buffers.size();
        }

        /** One of those that came. */
        ByteBuffer buffer(int index) {
            return buffers.get(index);
        }

        byte[] toByteArray(int rows, int columns) {
            int head = HEAD_BYTES + 2 * Integer.BYTES * nodes.size();
            head = padded(head + Integer.BYTES * buffers.size());
            int size = head;
            for (var buffer : buffers) {
                size += padded(buffer.remaining());
            }
            var payload = new byte[size];
            var out = in(payload);
            out.putInt(MARK).putInt(rows).putInt(columns);
            out.putInt(nodes.size()).putInt(buffers.size());
            nodes.forEach(node -> out.putInt(node[0]).putInt(node[1]));
            buffers.forEach(buffer -> out.putInt(buffer.remaining()));
            int at = head;
            for (var buffer : buffers) {
                out.put(at, buffer, buffer.position(), buffer.remaining());
                at += padded(buffer.remaining());
            }
            return payload;
        }
    }

    private static int padded(int bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /**
     * The batch in the table's vectors; columns that the table got later are NULL, and numbers that
     * were narrower when it came have the table's type.
     */
    static VectorSchemaRoot load(byte[] payload, TableSchema schema, BufferAllocator allocator) {
        var written = ArrowWidths.written(payload, schema);
        var root = loadAs(payload, written, allocator);
        if (written.equals(schema)) {
            return root;
        }
        try (var narrow = new Rows(written, root)) {
            return narrow.conformed(schema).root();
        }
    }

    private static VectorSchemaRoot loadAs(
            byte[] payload, TableSchema schema, BufferAllocator allocator) {
        var in = in(payload);
        int rows = in.getInt(4);
        int columns = in.getInt(8);
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        boolean done = false;
        try {
            try (var batch = batch(payload, rows, allocator)) {
                var known = root.getFieldVectors().subList(0, columns);
                var fields = known.stream().map(FieldVector::getField).toList();
                new VectorLoader(new VectorSchemaRoot(fields, known, rows)).load(batch);
            }
            for (var later : root.getFieldVectors().subList(columns, schema.size())) {
                later.setInitialCapacity(rows);
                later.allocateNew();
                later.setValueCount(rows);
            }
            root.setRowCount(rows);
            done = true;
            return root;
        } finally {
            if (!done) {
                root.close();
            }
        }
    }

    private static ArrowRecordBatch batch(byte[] payload, int rows, BufferAllocator allocator) {
        var in = in(payload).position(HEAD_BYTES - 2 * Integer.BYTES);
        int nodeCount = in.getInt();
        int bufferCount = in.getInt();
        var nodes = new ArrayList<ArrowFieldNode>(nodeCount);
        for (int i = 0; i < nodeCount; i++) {
            nodes.add(new ArrowFieldNode(in.getInt(), in.getInt()));
        }
        int head = padded(in.position() + Integer.BYTES * bufferCount);
        try (var body = allocator.buffer(Math.max(ALIGNMENT, payload.length - head))) {
            body.setBytes(0, payload, head, payload.length - head);
            var buffers = new ArrayList<ArrowBuf>(bufferCount);
            long at = 0;
            for (int i = 0; i < bufferCount; i++) {
                int length = in.getInt();
                buffers.add(body.slice(at, length).writerIndex(length));
                at += padded(length);
            }
            // The batch counts references of its own to the one body.
            return new ArrowRecordBatch(rows, nodes, buffers);
        }
    }
}
