package dev.lakemill.ingest;

import dev.lakemill.types.DataType;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.apache.arrow.memory.util.MemoryUtil;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;

/**
 * Reads values of one column of a table into its vector, which has room for all rows. Values
 * without parts go straight to the vector's memory, since all that its methods check per value is
 * known beforehand; others go the way of {@link VectorFiller}. Belongs to one decoding.
 *
 * <p>No more is written than the vector has: slots are in [0, row count), which the caller checks
 * once per row, and the bytes of texts grow before one is written that does not fit.
 */
final class ColumnFiller {
    private static final byte BITS = 0;
    private static final byte WHOLE_8 = 1;
    private static final byte WHOLE_16 = 2;
    private static final byte WHOLE_32 = 3;
    private static final byte WHOLE_64 = 4;
    private static final byte FLOAT = 5;
    private static final byte DOUBLE = 6;
    private static final byte BYTES = 7;
    private static final byte DECIMAL = 8;
    private static final byte PARTS = 9;

    /** Texts that are a little longer than the first ones are still no reason to grow again. */
    private static final double EXPECTED_MARGIN = 1.125;

    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final byte kind;
    private final FieldVector vector;
    private final VectorFiller parts;
    private final int rowCount;
    private final long textBytesMost;

    /** Addresses of the vector's buffers; of those that a vector of the kind has. */
    private final long validity;

    private final long offsets;
    private long data;

    /** How many bytes there is room for at {@code data}. */
    private long room;

    /** Of texts: the last slot that has one, and where it ends. */
    private int lastSlot = -1;

    private long lastEnd;

    private final byte[] wide = new byte[DecimalVector.TYPE_WIDTH];

    /**
     * @param vector allocated for the rows, for texts with room for some bytes
     * @param textBytesMost of the rows' texts together, at most
     */
    ColumnFiller(DataType type, FieldVector vector, int rowCount, long textBytesMost) {
        this.kind = kind(type);
        this.vector = vector;
        this.parts = VectorFiller.of(type, vector);
        this.rowCount = rowCount;
        this.textBytesMost = Math.min(textBytesMost, Integer.MAX_VALUE);
        this.validity = kind == PARTS ? 0 : vector.getValidityBuffer().memoryAddress();
        this.offsets = kind == BYTES ? vector.getOffsetBuffer().memoryAddress() : 0;
        if (kind != PARTS) {
            if (vector.getValueCapacity() < rowCount) {
                throw new IllegalArgumentException("the vector has no room for all rows");
            }
            findData();
        }
    }

    private static byte kind(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive ->
                    switch (primitive) {
                        case BOOLEAN -> BITS;
                        case BYTE -> WHOLE_8;
                        case SHORT -> WHOLE_16;
                        case INTEGER, DATE -> WHOLE_32;
                        case LONG, TIMESTAMP, TIMESTAMP_NTZ -> WHOLE_64;
                        case FLOAT -> FLOAT;
                        case DOUBLE -> DOUBLE;
                        case STRING, BINARY -> BYTES;
                    };
            case DataType.Decimal _ -> DECIMAL;
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> PARTS;
        };
    }

    /** Reads the value that the reader stands at, behind its tag, into a slot of the vector. */
    void read(WireReader in, int slot) {
        if (kind <= WHOLE_64) {
            setWhole(slot, in.longVarint());
        } else if (kind == BYTES) {
            readBytes(in, slot);
        } else if (kind == DOUBLE) {
            MemoryUtil.putLong(data + 8L * slot, VectorFiller.realBits(in));
        } else if (kind == FLOAT) {
            MemoryUtil.putInt(data + 4L * slot, in.fixed32());
        } else if (kind == DECIMAL) {
            readDecimal(in, slot);
        } else {
            parts.read(in, slot);
            return;
        }
        setBit(validity, slot);
    }

    private void setWhole(int slot, long value) {
        switch (kind) {
            case WHOLE_64 -> MemoryUtil.putLong(data + 8L * slot, value);
            case WHOLE_32 -> MemoryUtil.putInt(data + 4L * slot, (int) value);
            case WHOLE_16 -> MemoryUtil.putShort(data + 2L * slot, (short) value);
            case WHOLE_8 -> MemoryUtil.putByte(data + slot, (byte) value);
            default -> {
                if (value == 0) {
                    clearBit(data, slot);
                } else {
                    setBit(data, slot);
                }
            }
        }
    }

    private static void setBit(long bits, int slot) {
        long at = bits + (slot >> 3);
        MemoryUtil.putByte(at, (byte) (MemoryUtil.getByte(at) | 1 << (slot & 7)));
    }

    private static void clearBit(long bits, int slot) {
        long at = bits + (slot >> 3);
        MemoryUtil.putByte(at, (byte) (MemoryUtil.getByte(at) & ~(1 << (slot & 7))));
    }

    /** The length is one of bytes that are there: {@link WireReader#length} says so. */
    private void readBytes(WireReader in, int slot) {
        int length = in.length();
        if (slot != lastSlot + 1) {
            moveTo(slot);
        }
        long start = lastEnd;
        if (length > room - start) {
            grow(slot, start + length);
        }
        MemoryUtil.copyToMemory(in.bytes(), in.at(), data + start, length);
        in.skip(length);
        lastEnd = start + length;
        lastSlot = slot;
        MemoryUtil.putInt(offsets + 4L * (slot + 1), (int) lastEnd);
    }

    /** Of two texts for one slot the last one stays, in the place of the other. */
    private void moveTo(int slot) {
        if (slot == lastSlot) {
            lastEnd = MemoryUtil.getInt(offsets + 4L * slot);
        } else {
            skipTo(slot);
        }
    }

    /** Has the slots before one end where the last text does: they are null and have no bytes. */
    private void skipTo(int slot) {
        for (int skipped = lastSlot + 1; skipped < slot; skipped++) {
            MemoryUtil.putInt(offsets + 4L * (skipped + 1), (int) lastEnd);
        }
    }

    /** Makes room for a text's end, and for as many bytes as are to come if rows go on so. */
    private void grow(int slot, long end) {
        double expected = (double) end / (slot + 1) * rowCount * EXPECTED_MARGIN;
        long bytes = Math.max(end, (long) Math.min(expected, textBytesMost));
        ((BaseVariableWidthVector) vector).reallocDataBuffer(bytes);
        findData();
    }

    private void findData() {
        data = vector.getDataBuffer().memoryAddress();
        room = vector.getDataBuffer().capacity();
    }

    private void readDecimal(WireReader in, int slot) {
        VectorFiller.readDecimal(in, wide);
        long at = data + (long) DecimalVector.TYPE_WIDTH * slot;
        MemoryUtil.putLong(at, (long) LONG.get(wide, 0));
        MemoryUtil.putLong(at + Long.BYTES, (long) LONG.get(wide, Long.BYTES));
    }

    /** Tells the vector what it holds, but for its count of values. */
    void finish() {
        if (kind == BYTES) {
            skipTo(rowCount);
            ((BaseVariableWidthVector) vector).setLastSet(rowCount - 1);
        }
    }
}
