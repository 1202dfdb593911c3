package dev.lakemill.delta;

import java.time.Duration;

/**
 * How tables are kept.
 *
 * @param fileBytesTarget compaction joins files below half of this up to it
 * @param checkpointEvery commits between checkpoints
 * @param logRetention how long old log files are kept
 * @param fileRetention how long removed data files are kept before vacuum deletes them
 */
public record DeltaConfig(
        long fileBytesTarget, int checkpointEvery, Duration logRetention, Duration fileRetention) {
    public static final DeltaConfig DEFAULT =
            new DeltaConfig(64L << 20, 100, Duration.ofDays(7), Duration.ofDays(7));
}
