package dev.lakemill.pipeline;

import com.google.common.hash.Hashing;
import dev.lakemill.types.Rows;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.util.ArrowBufPointer;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.ElementAddressableVector;
import org.apache.arrow.vector.FieldVector;

/**
 * The values of some columns of a row, NULL or not, of types whose equal values have equal bytes.
 *
 * @param bytes never changed
 */
record RowKey(byte[] bytes) {
    /** 64 bits, the same in every process. */
    long hash() {
        return Hashing.farmHashFingerprint64().hashBytes(bytes).asLong();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RowKey key && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** Reads the keys of one batch of rows. */
    static final class Reader {
        /** Of a value that is not NULL: a byte, and its length. */
        private static final int HEAD_BYTES = 1 + Integer.BYTES;

        private final List<FieldVector> vectors;
        private final ArrowBufPointer pointer = new ArrowBufPointer();
        private ByteBuffer buffer = ByteBuffer.allocate(64);

        Reader(Rows rows, List<Integer> columns) {
            this.vectors = columns.stream().map(rows::vector).toList();
        }

        RowKey read(int row) {
            buffer.clear();
            for (var vector : vectors) {
                if (vector.isNull(row)) {
                    room(1).put((byte) 0);
                } else if (vector instanceof BitVector bits) {
                    room(2).put((byte) 1).put((byte) bits.get(row));
                } else {
                    ((ElementAddressableVector) vector).getDataPointer(row, pointer);
                    put((int) pointer.getLength());
                }
            }
            return new RowKey(Arrays.copyOf(buffer.array(), buffer.position()));
        }

        private void put(int length) {
            var to = room(HEAD_BYTES + length).put((byte) 1).putInt(length);
            pointer.getBuf().getBytes(pointer.getOffset(), to.array(), to.position(), length);
            to.position(to.position() + length);
        }

        private ByteBuffer room(int bytes) {
            if (buffer.remaining() < bytes) {
                var larger = ByteBuffer.allocate(2 * buffer.capacity() + bytes);
                buffer = larger.put(buffer.flip());
            }
            return buffer;
        }
    }
}
