package dev.lakemill.feed;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The batches of one pipeline, for consumers that apply all its tables together.
 *
 * <p>The newest batches are kept in memory; behind them stands the last {@link Round}: the batch
 * that all outputs have in Delta. Who needs a batch that is gone from memory starts from a round.
 * Safe from any thread.
 */
public final class GroupFeed implements AutoCloseable {
    /**
     * Every output of the pipeline as committed to Delta at one batch.
     *
     * @param number of the batch
     * @param tables every output, also those that the batch did not change
     */
    public record Round(
            long number,
            Instant now,
            Map<TableName, Long> sources,
            long receivedMicros,
            Map<TableName, DeltaSnapshot> tables) {
        public Round {
            sources = Map.copyOf(sources);
            tables = Map.copyOf(tables);
        }
    }

    private final String group;
    private final long bufferedBytesMax;

    /** Ascending by one; guarded by {@code this}, as are the fields below. */
    private final ArrayDeque<GroupBatch> memory = new ArrayDeque<>();

    private long bufferedBytes;
    private long position;
    private @Nullable Round round;

    /**
     * @param bufferedBytesMax what memory keeps; the newest batch is always kept
     */
    public GroupFeed(String group, long bufferedBytesMax) {
        this.group = group;
        this.bufferedBytesMax = bufferedBytesMax;
    }

    public String group() {
        return group;
    }

    /** Takes over the batch, whose number is one above the last, and hands it to readers. */
    public synchronized void publish(GroupBatch batch) {
        if (!memory.isEmpty() && batch.number() != position + 1) {
            throw new IllegalArgumentException(
                    "batch %d of %s does not follow %d".formatted(batch.number(), group, position));
        }
        memory.addLast(batch);
        bufferedBytes += batch.sizeBytes();
        position = batch.number();
        while (bufferedBytes > bufferedBytesMax && memory.size() > 1) {
            var oldest = memory.removeFirst();
            bufferedBytes -= oldest.sizeBytes();
            oldest.close();
        }
        notifyAll();
    }

    /** All outputs stand in Delta at this batch. */
    public synchronized void committed(Round newest) {
        round = newest;
        position = Math.max(position, newest.number());
        notifyAll();
    }

    public synchronized @Nullable Round lastRound() {
        return round;
    }

    /** Waits until there is a round of at least {@code number}; null after the timeout. */
    public synchronized @Nullable Round awaitRound(long number, Duration timeout)
            throws InterruptedException {
        var deadline = System.nanoTime() + timeout.toNanos();
        while (round == null || round.number() < number) {
            if (!waitUntil(deadline)) {
                return null;
            }
        }
        return round;
    }

    /**
     * Waits for batch {@code number}; null after the timeout. The caller closes what it gets.
     *
     * @throws BatchGone when it is no longer in memory: start from a round
     */
    public synchronized @Nullable GroupBatch await(long number, Duration timeout)
            throws InterruptedException {
        var deadline = System.nanoTime() + timeout.toNanos();
        while (number > position) {
            if (!waitUntil(deadline)) {
                return null;
            }
        }
        var oldest = memory.peekFirst();
        if (oldest == null || number < oldest.number()) {
            throw new BatchGone(group, number);
        }
        for (var batch : memory) {
            if (batch.number() == number) {
                return batch.retain();
            }
        }
        throw new BatchGone(group, number);
    }

    /** The number of the newest batch published or committed; 0 for none. */
    public synchronized long position() {
        return position;
    }

    public synchronized long bufferedBytes() {
        return bufferedBytes;
    }

    @Override
    public synchronized void close() {
        memory.forEach(GroupBatch::close);
        memory.clear();
        bufferedBytes = 0;
        notifyAll();
    }

    /** False once the deadline (System.nanoTime) has passed. Every caller loops. */
    @SuppressWarnings("WaitNotInLoop")
    private boolean waitUntil(long deadline) throws InterruptedException {
        var leftNanos = deadline - System.nanoTime();
        if (leftNanos <= 0) {
            return false;
        }
        wait(leftNanos / 1_000_000, (int) (leftNanos % 1_000_000));
        return true;
    }
}
