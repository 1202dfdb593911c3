package dev.lakemill.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.arrow.memory.ArrowBuf;

/** Bytes that grow at their end, integers big-endian. One thread uses it. */
final class ByteArray {
    private static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private byte[] bytes = new byte[1024];
    private int length;

    byte[] array() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** Forgets what stands at and after {@code newLength}. */
    void truncate(int newLength) {
        length = newLength;
    }

    byte[] copyFrom(int from) {
        return Arrays.copyOfRange(bytes, from, length);
    }

    void putByte(int value) {
        bytes[grow(1)] = (byte) value;
    }

    void putShort(int value) {
        var at = grow(2);
        SHORT.set(bytes, at, (short) value);
    }

    void putInt(int value) {
        var at = grow(4);
        INT.set(bytes, at, value);
    }

    void setInt(int at, int value) {
        INT.set(bytes, at, value);
    }

    void putLong(long value) {
        var at = grow(8);
        LONG.set(bytes, at, value);
    }

    void putBytes(byte[] source, int from, int count) {
        var at = grow(count);
        System.arraycopy(source, from, bytes, at, count);
    }

    void putBytes(ArrowBuf source, long from, int count) {
        var at = grow(count);
        source.getBytes(from, bytes, at, count);
    }

    private int grow(int count) {
        var at = length;
        var needed = Math.addExact(length, count);
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(needed, Math.clamp(2L * needed, 0, 1 << 30)));
        }
        length = needed;
        return at;
    }
}
