package dev.lakemill.feed;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The batches of one pipeline, for consumers that apply all its tables together. SKELETON.
 *
 * <p>The newest batches are kept in memory; behind them stands the last {@link Round}: the batch
 * that all outputs have in Delta. Who needs a batch that is gone from memory starts from a round.
 */
public final class GroupFeed {
    /** Every output of the pipeline as committed to Delta at one batch. */
    public record Round(
            long number,
            Instant now,
            Map<TableName, Long> sources,
            long receivedMicros,
            Map<TableName, DeltaSnapshot> tables) {}

    public GroupFeed(String group, long bufferedBytesMax) {}

    /** Takes over the batch and hands it to readers, in order of number. */
    public void publish(GroupBatch batch) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** All outputs stand in Delta at this batch. */
    public void committed(Round round) {
        throw new UnsupportedOperationException("skeleton");
    }

    public @Nullable Round lastRound() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Waits until there is a round of at least {@code number}; null after the timeout. */
    public @Nullable Round awaitRound(long number, Duration timeout) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Waits for batch {@code number}. The caller closes what it gets.
     *
     * @throws BatchGone when it is no longer in memory: start from a round
     */
    public @Nullable GroupBatch await(long number, Duration timeout) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The number of the newest batch published; 0 for none. */
    public long position() {
        throw new UnsupportedOperationException("skeleton");
    }
}
