package dev.lakemill.ingest;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Turns the records of a request into the payload of a frame: all of them, or the refusal of the
 * first that does not fit. One stream owns it.
 */
final class RecordEncoder {
    /** The log's largest frame, less what stands around the payload. */
    static final int PAYLOAD_BYTES_MAX = (16 << 20) - 1024;

    /** Buffers are the thread's, so that ten thousand idle streams hold none. */
    private static final ThreadLocal<RowWriter> WRITERS =
            ThreadLocal.withInitial(() -> new RowWriter(PAYLOAD_BYTES_MAX));

    /** Of a request that has none. */
    static final long NO_OFFSET = -1;

    private final RowEncoder rows;
    private final Slice slice = new Slice();

    RecordEncoder(RowEncoder rows) {
        this.rows = rows;
    }

    /**
     * @throws Refusal naming the row, the column and what was expected
     */
    byte[] payload(List<ByteString> records, long offset) {
        var out = WRITERS.get();
        out.clear();
        for (int i = 0; i < records.size(); i++) {
            try {
                append(records.get(i), out);
            } catch (RefusedRow e) {
                throw Refusal.badRecord(
                        "row %d of the request%s: %s"
                                .formatted(
                                        i,
                                        offset == NO_OFFSET ? "" : " with offset " + offset,
                                        e.problem()),
                        e.hint());
            }
        }
        return out.toByteArray();
    }

    private void append(ByteString row, RowWriter out) {
        try {
            UnsafeByteOperations.unsafeWriteTo(row, slice);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int begin = out.beginLength();
        rows.encode(slice.bytes, slice.from, slice.to, out);
        out.endLength(begin);
    }

    /** Where the bytes of a record stand, without copying them. */
    private static final class Slice extends ByteOutput {
        private byte[] bytes = new byte[0];
        private int from;
        private int to;

        @Override
        public void write(byte value) {
            writeLazy(new byte[] {value}, 0, 1);
        }

        @Override
        public void write(byte[] value, int offset, int length) {
            writeLazy(value.clone(), offset, length);
        }

        @Override
        public void writeLazy(byte[] value, int offset, int length) {
            bytes = value;
            from = offset;
            to = offset + length;
        }

        @Override
        public void write(ByteBuffer value) {
            writeLazy(value);
        }

        @Override
        public void writeLazy(ByteBuffer value) {
            var copy = new byte[value.remaining()];
            value.duplicate().get(copy);
            writeLazy(copy, 0, copy.length);
        }
    }
}
