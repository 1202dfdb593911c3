package dev.lakemill.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The bytes of a frame. All numbers are little-endian:
 *
 * <pre>
 *  0  u32   crc      CRC32C of the segment's salt (8 bytes) and of bytes 4 to length
 *  4  u32   length   bytes of the frame, with this header
 *  8  u64   start    LSN at which the frame begins; the frame's own LSN is start + length
 * 16  u32   pending  bytes before start that were not yet known durable when it was written
 * 20  u32   kind     1 rows, 2 mark
 * 24  u128  table    high half, then low half; zero in a mark
 * 40  u128  stream   high half, then low half; zero in a mark
 * 56  u64   offset   of the request in its stream; in a mark the released LSN
 * 64        payload  the rows; empty in a mark
 * </pre>
 *
 * <p>{@code start} ties a frame to its place: no byte sequence is a frame anywhere else, so looking
 * for frames behind a damaged one is cheap and finds no false ones. The salt, which no producer
 * knows, keeps a payload from posing as a frame.
 *
 * <p>{@code start - pending} is a proof: when this frame was written, every byte of the log before
 * that LSN had been synced, and may have been acknowledged. So a damaged frame before it is damage,
 * and a damaged frame with no such proof behind it is the torn end of the newest, unacknowledged
 * write. A mark is written, and synced, to leave such a proof when no rows follow.
 */
final class FrameFormat {
    static final int HEADER_BYTES = 64;
    static final int ROWS = 1;
    static final int MARK = 2;

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final UUID NIL = new UUID(0, 0);
    private static final byte[] EMPTY = {};

    private final byte[] salt = new byte[Long.BYTES];
    private final CRC32C crc = new CRC32C();

    FrameFormat(SegmentHeader segment) {
        LONG.set(salt, 0, segment.salt());
    }

    static int bytes(Frame frame) {
        return HEADER_BYTES + frame.payload().length;
    }

    static Frame mark(long releasedLsn) {
        return new Frame(NIL, NIL, releasedLsn, EMPTY);
    }

    /** Fills {@code header}; the payload follows it as it is. */
    void encode(Frame frame, int kind, long start, int pending, byte[] header) {
        byte[] payload = frame.payload();
        INT.set(header, 4, HEADER_BYTES + payload.length);
        LONG.set(header, 8, start);
        INT.set(header, 16, pending);
        INT.set(header, 20, kind);
        LONG.set(header, 24, frame.table().getMostSignificantBits());
        LONG.set(header, 32, frame.table().getLeastSignificantBits());
        LONG.set(header, 40, frame.stream().getMostSignificantBits());
        LONG.set(header, 48, frame.stream().getLeastSignificantBits());
        LONG.set(header, 56, frame.offset());
        crc.reset();
        crc.update(salt);
        crc.update(header, 4, HEADER_BYTES - 4);
        crc.update(payload);
        INT.set(header, 0, (int) crc.getValue());
    }

    /** Whether the whole frame of {@link #length} bytes at {@code at} is as it was written. */
    boolean intact(byte[] bytes, int at) {
        crc.reset();
        crc.update(salt);
        crc.update(bytes, at + 4, length(bytes, at) - 4);
        return (int) crc.getValue() == (int) INT.get(bytes, at);
    }

    static int length(byte[] bytes, int at) {
        return (int) INT.get(bytes, at + 4);
    }

    static long start(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at + 8);
    }

    static int pending(byte[] bytes, int at) {
        return (int) INT.get(bytes, at + 16);
    }

    static int kind(byte[] bytes, int at) {
        return (int) INT.get(bytes, at + 20);
    }

    static long offset(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at + 56);
    }

    static Frame frame(byte[] bytes, int at) {
        return new Frame(
                new UUID((long) LONG.get(bytes, at + 24), (long) LONG.get(bytes, at + 32)),
                new UUID((long) LONG.get(bytes, at + 40), (long) LONG.get(bytes, at + 48)),
                offset(bytes, at),
                Arrays.copyOfRange(bytes, at + HEADER_BYTES, at + length(bytes, at)));
    }
}
