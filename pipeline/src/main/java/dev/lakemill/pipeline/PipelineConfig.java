package dev.lakemill.pipeline;

import java.time.Duration;

/** How a pipeline runs. */
public record PipelineConfig(Batches batches, Rounds rounds, Duck duck, Views views) {
    public static final PipelineConfig DEFAULT =
            new PipelineConfig(Batches.DEFAULT, Rounds.DEFAULT, Duck.DEFAULT, Views.DEFAULT);

    /** With views kept as usual. */
    public PipelineConfig(Batches batches, Rounds rounds, Duck duck) {
        this(batches, rounds, duck, Views.DEFAULT);
    }

    /**
     * How input is cut into batches.
     *
     * @param coalesce how long an idle pipeline waits for more rows once the first are there
     * @param rowsMax rows that one batch takes from all sources together
     * @param bytesMax bytes that one batch takes from all sources together; reached, the batch is
     *     cut and the rest waits for the next
     * @param tick how often a batch runs without input, if a view uses now()
     */
    public record Batches(Duration coalesce, int rowsMax, long bytesMax, Duration tick) {
        public static final Batches DEFAULT =
                new Batches(Duration.ofMillis(5), 200_000, 64L << 20, Duration.ofSeconds(1));
    }

    /**
     * How outputs go to Delta.
     *
     * @param interval between commit rounds
     * @param retryMax longest wait before a failed round is tried again; waits double up to it
     * @param pendingBytesMax rows waiting for Delta; reached, no batch starts until a round goes
     *     through, and the sources keep the input
     * @param journalBytesMax journal of the batches since the last round; reached, likewise
     */
    public record Rounds(
            Duration interval, Duration retryMax, long pendingBytesMax, long journalBytesMax) {
        public static final Rounds DEFAULT =
                new Rounds(Duration.ofSeconds(1), Duration.ofSeconds(30), 256L << 20, 64L << 20);
    }

    /**
     * What DuckDB may use.
     *
     * @param memoryBytesMax of its state; beyond it, it spills to the temporary folder
     * @param temporaryBytesMax of the temporary folder; reached, the batch is tried again later
     * @param threads one keeps sums of floating-point numbers in one order, so that a replay gives
     *     the same last digit; more may be faster on large states
     */
    public record Duck(long memoryBytesMax, long temporaryBytesMax, int threads) {
        public static final Duck DEFAULT = new Duck(512L << 20, 16L << 30, 1);
    }

    /**
     * How views are kept equal to their queries.
     *
     * @param auditInterval between two audits, each of one view in turn, which holds up the batches
     *     as long as its query runs; zero for none
     */
    public record Views(MaintenanceChoice choice, Duration auditInterval) {
        public static final Views DEFAULT = new Views(MaintenanceChoice.MEASURED, Duration.ZERO);
    }
}
