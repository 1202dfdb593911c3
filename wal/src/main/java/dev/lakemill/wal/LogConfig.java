package dev.lakemill.wal;

/**
 * The log's limits.
 *
 * @param segmentBytes size of one preallocated segment file
 * @param totalBytesMax all segments together; at this size {@link Log#offer} refuses until frames
 *     are released
 * @param queuedBytesMax payload bytes waiting for the writer thread; beyond it offer refuses
 * @param frameBytesMax the largest frame
 */
public record LogConfig(
        int segmentBytes, long totalBytesMax, long queuedBytesMax, int frameBytesMax) {
    public static final LogConfig DEFAULT = new LogConfig(64 << 20, 8L << 30, 64L << 20, 16 << 20);
}
