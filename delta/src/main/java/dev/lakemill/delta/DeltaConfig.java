package dev.lakemill.delta;

import java.time.Duration;

/**
 * How tables are kept.
 *
 * @param fileBytesTarget compaction joins files below half of this up to it
 * @param checkpointEvery commits between checkpoints
 * @param logRetention how long old log files are kept
 * @param fileRetention how long removed data files are kept before vacuum deletes them
 * @param layout of a table that is made; one that is there keeps its own
 */
public record DeltaConfig(
        long fileBytesTarget,
        int checkpointEvery,
        Duration logRetention,
        Duration fileRetention,
        TableLayout layout) {
    public static final DeltaConfig DEFAULT =
            new DeltaConfig(64L << 20, 100, Duration.ofDays(7), Duration.ofDays(7));

    /** Of tables that are neither partitioned nor clustered. */
    public DeltaConfig(
            long fileBytesTarget,
            int checkpointEvery,
            Duration logRetention,
            Duration fileRetention) {
        this(fileBytesTarget, checkpointEvery, logRetention, fileRetention, TableLayout.NONE);
    }

    public DeltaConfig with(TableLayout other) {
        return new DeltaConfig(
                fileBytesTarget, checkpointEvery, logRetention, fileRetention, other);
    }
}
