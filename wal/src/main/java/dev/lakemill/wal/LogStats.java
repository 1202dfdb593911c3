package dev.lakemill.wal;

/**
 * Counters since the log was opened, as of its newest group commit.
 *
 * @param frames frames made durable
 * @param bytes their bytes in the log, headers included
 * @param fsyncs group commits
 * @param fsyncNanosTotal time spent in them
 * @param fsyncNanosLast time of the newest one
 * @param queuedBytes bytes accepted and not yet durable, now
 */
public record LogStats(
        long frames,
        long bytes,
        long fsyncs,
        long fsyncNanosTotal,
        long fsyncNanosLast,
        long queuedBytes) {
    static final LogStats NONE = new LogStats(0, 0, 0, 0, 0, 0);

    LogStats plus(long moreFrames, long moreBytes, long nanos) {
        return new LogStats(
                frames + moreFrames,
                bytes + moreBytes,
                fsyncs + 1,
                fsyncNanosTotal + nanos,
                nanos,
                queuedBytes);
    }

    LogStats withQueuedBytes(long now) {
        return new LogStats(frames, bytes, fsyncs, fsyncNanosTotal, fsyncNanosLast, now);
    }
}
