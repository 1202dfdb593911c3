package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;

/**
 * The log's limits.
 *
 * @param segmentBytes size of one preallocated segment file; holds the largest frame and 8 KiB more
 * @param totalBytesMax all segments together, two or more of them; at this size {@link Log#offer}
 *     refuses until frames are released
 * @param queuedBytesMax bytes of frames accepted and not yet durable, each counted with {@value
 *     FrameFormat#HEADER_BYTES} bytes more than its payload; beyond it offer refuses
 * @param frameBytesMax the largest payload of a frame
 */
public record LogConfig(
        int segmentBytes, long totalBytesMax, long queuedBytesMax, int frameBytesMax) {
    public static final LogConfig DEFAULT = new LogConfig(64 << 20, 8L << 30, 64L << 20, 16 << 20);

    public LogConfig {
        require(frameBytesMax > 0, "frameBytesMax is " + frameBytesMax, "set it above 0");
        long segmentBytesMin = frameBytesMax + 2L * SegmentHeader.BLOCK_BYTES;
        require(
                segmentBytes >= segmentBytesMin,
                "segmentBytes is " + segmentBytes + ", too small for a frame of " + frameBytesMax,
                "set it to " + segmentBytesMin + " or more");
        require(
                totalBytesMax >= 2L * segmentBytes,
                "totalBytesMax is " + totalBytesMax + ", less than two segments",
                "set it to " + 2L * segmentBytes + " or more");
        long queuedBytesMin = frameBytesMax + (long) FrameFormat.HEADER_BYTES;
        require(
                queuedBytesMax >= queuedBytesMin,
                "queuedBytesMax is " + queuedBytesMax + ", less than the largest frame",
                "set it to " + queuedBytesMin + " or more");
    }

    private static void require(boolean holds, String problem, String hint) {
        if (!holds) {
            throw new LakemillException(ErrorCode.INVALID_ARGUMENT, "log: " + problem, hint);
        }
    }
}
