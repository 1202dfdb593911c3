package dev.lakemill.ingest;

/**
 * Counters since this process's start, and gauges.
 *
 * @param rows made durable, in all tables
 * @param requests that held them
 * @param bytes of theirs in the log
 * @param requestsRefused for what they held
 * @param streamsOpened ever
 * @param streamsOpen now
 * @param streamsStalled of these, waiting for room or their rate
 * @param pendingBytes of all tables, in memory, on their way to Delta
 * @param logBytes of segments that hold rows not yet in Delta
 */
public record IngestTotals(
        long rows,
        long requests,
        long bytes,
        long requestsRefused,
        long streamsOpened,
        long streamsOpen,
        long streamsStalled,
        long pendingBytes,
        long logBytes) {}
