package dev.lakemill.wal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The first block of a segment file: which part of the log it holds.
 *
 * <p>A segment file is named {@code <base LSN, 20 digits>.segment} and has this layout, all numbers
 * little-endian:
 *
 * <pre>
 *    0  u64  magic        "LMLOGSEG"
 *    8  u32  version      1
 *   12  u32  segmentBytes size of the whole file
 *   16  u64  baseLsn      LSN at byte 4096, where the first frame begins
 *   24  u64  salt         drawn at random each time the file is put to use; seeds its frames' CRCs
 *   32  u64  sequence     1 for the log's first segment, then one more for each
 *   40       zeros
 *   60  u32  crc          CRC32C of bytes 0 to 60
 *   64       zeros
 * 4096       frames, see {@link FrameFormat}
 * </pre>
 *
 * <p>The header has a disk block of its own, so that writing frames never rewrites it. It is synced
 * before the file gets its {@code .segment} name, and only after everything before its base LSN
 * was: so a segment whose header is damaged is damaged, never just unfinished, and a header proves
 * that the log was durable up to its base.
 *
 * <p>A file that was put to use again still has old frames behind the new ones. They carry other
 * LSNs, and their CRCs another salt, so they are never taken for new.
 */
record SegmentHeader(int segmentBytes, long baseLsn, long salt, long sequence) {
    static final int BLOCK_BYTES = 4096;
    static final int VERSION = 1;
    private static final long MAGIC = 0x474553474F4C4D4CL;
    private static final int CRC_AT = 60;

    long lsn(long position) {
        return baseLsn + position - BLOCK_BYTES;
    }

    long position(long lsn) {
        return lsn - baseLsn + BLOCK_BYTES;
    }

    /** A whole block, ready to write. */
    ByteBuffer encode() {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        block.putLong(0, MAGIC).putInt(8, VERSION).putInt(12, segmentBytes);
        block.putLong(16, baseLsn).putLong(24, salt).putLong(32, sequence);
        return block.putInt(CRC_AT, crc(block));
    }

    /** The version of an undamaged header of any version; empty when the bytes are not one. */
    static Optional<Integer> version(ByteBuffer block) {
        ByteBuffer bytes = block.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        boolean whole =
                bytes.limit() >= BLOCK_BYTES
                        && bytes.getLong(0) == MAGIC
                        && bytes.getInt(CRC_AT) == crc(bytes);
        return whole ? Optional.of(bytes.getInt(8)) : Optional.empty();
    }

    /** Reads a block that {@link #version} found to be of version {@value #VERSION}. */
    static SegmentHeader decode(ByteBuffer block) {
        ByteBuffer bytes = block.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        return new SegmentHeader(
                bytes.getInt(12), bytes.getLong(16), bytes.getLong(24), bytes.getLong(32));
    }

    private static int crc(ByteBuffer block) {
        CRC32C crc = new CRC32C();
        crc.update(block.duplicate().position(0).limit(CRC_AT));
        return (int) crc.getValue();
    }
}
