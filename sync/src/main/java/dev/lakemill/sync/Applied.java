package dev.lakemill.sync;

import java.time.Instant;

/**
 * All synced tables of a pipeline show a batch now.
 *
 * @param appliedAt when Postgres did it, by Postgres's clock
 * @param receivedMicros when the newest source row of the batch became durable, microseconds since
 *     1970 UTC; 0 when the batch brought none
 */
public record Applied(String pipeline, long batch, Instant appliedAt, long receivedMicros) {}
