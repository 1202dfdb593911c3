package dev.lakemill.pipeline;

import com.google.common.hash.Hashing;
import dev.lakemill.types.Rows;
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
        private byte[] bytes = new byte[64];
        private int end;

        Reader(Rows rows, List<Integer> columns) {
            this.vectors = columns.stream().map(rows::vector).toList();
        }

        RowKey read(int row) {
            end = 0;
            for (var vector : vectors) {
                if (vector.isNull(row)) {
                    put(0);
                } else if (vector instanceof BitVector bits) {
                    put(1 + bits.get(row));
                } else {
                    ((ElementAddressableVector) vector).getDataPointer(row, pointer);
                    putValue((int) pointer.getLength());
                }
            }
            return new RowKey(Arrays.copyOf(bytes, end));
        }

        private void put(int value) {
            makeRoom(1);
            bytes[end++] = (byte) value;
        }

        private void putValue(int length) {
            makeRoom(HEAD_BYTES + length);
            put(1);
            for (int shift = 24; shift >= 0; shift -= 8) {
                put(length >> shift);
            }
            pointer.getBuf().getBytes(pointer.getOffset(), bytes, end, length);
            end += length;
        }

        private void makeRoom(int more) {
            if (bytes.length - end < more) {
                bytes = Arrays.copyOf(bytes, 2 * bytes.length + more);
            }
        }
    }
}
