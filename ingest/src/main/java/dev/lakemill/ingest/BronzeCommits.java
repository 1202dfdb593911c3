package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits one table's published rows to Delta: about once an interval, at once when there are many,
 * and after a failure again and again, ever later, until it succeeds.
 *
 * <p>Runs on the landings' platform threads, since writing Parquet keeps a thread busy. Invariant:
 * one commit of the table at a time, and at most one scheduled; beside it at most one compaction or
 * vacuum, for which no commit waits.
 */
final class BronzeCommits {
    private static final Logger LOG = LoggerFactory.getLogger(BronzeCommits.class);

    /** How often a compaction is put off while producers are about to wait. */
    private static final int COMPACTIONS_PUT_OFF_MAX = 8;

    private final CatalogTable of;
    private final TableName table;
    private final Bronze bronze;
    private final PendingRows pending;
    private final LandingSurroundings surroundings;
    private final LandingConfig config;
    private final Runnable onCommit;

    /** Guarded by {@code this}, as are the fields down to {@code vacuumedNanos}. */
    private @Nullable ScheduledFuture<?> scheduled;

    private boolean running;
    private long beganNanos;
    private boolean ended;
    private int failures;
    private boolean maintaining;
    private long maintenanceBeganNanos;
    private int commitsSinceCompaction;
    private long vacuumedNanos = System.nanoTime();

    private volatile long position;
    private final LongAdder rows = new LongAdder();
    private volatile @Nullable String error;
    private volatile @Nullable Long freshnessMillis;

    BronzeCommits(
            CatalogTable of,
            Bronze bronze,
            PendingRows pending,
            LandingSurroundings surroundings,
            Runnable onCommit) {
        this.of = of;
        this.table = of.name();
        this.bronze = bronze;
        this.pending = pending;
        this.surroundings = surroundings;
        this.config = surroundings.config();
        this.onCommit = onCommit;
        this.position = bronze.transaction(surroundings.application()).orElse(0);
    }

    /** The log position up to which Delta has the rows. */
    long position() {
        return position;
    }

    /** Rows committed by this process. */
    long rows() {
        return rows.sum();
    }

    /** From durable to in Delta, of the newest row of the last commit; null before the first. */
    @Nullable Long freshnessMillis() {
        return freshnessMillis;
    }

    /** Why the last commit failed; null when it did not. */
    @Nullable String error() {
        return error;
    }

    /** Makes sure that what was published is committed before long. */
    synchronized void published() {
        if (ended || running) {
            return;
        }
        var much = failures == 0 && pending.publishedBytes() >= config.commitBytes();
        var due = scheduled;
        if (due == null) {
            schedule(much ? Duration.ZERO : config.commitInterval());
        } else if (much && due.getDelay(TimeUnit.NANOSECONDS) > 0 && due.cancel(false)) {
            schedule(Duration.ZERO);
        }
    }

    private synchronized void schedule(Duration wait) {
        scheduled =
                surroundings.committers().schedule(this::run, wait.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void run() {
        if (!begin()) {
            return;
        }
        try {
            commit();
            maintainWhenDue();
        } catch (RuntimeException e) {
            LOG.warn("Rows of {} wait for Delta: {}", table, e.getMessage());
        } finally {
            done();
        }
    }

    private synchronized boolean begin() {
        scheduled = null;
        running = !ended && !running;
        beganNanos = System.nanoTime();
        return running;
    }

    /** Whether a commit runs since before an instant. */
    synchronized boolean runsSince(long nanos) {
        return running && beganNanos - nanos < 0;
    }

    /** Whether a compaction or vacuum runs since before an instant. */
    synchronized boolean maintainsSince(long nanos) {
        return maintaining && maintenanceBeganNanos - nanos < 0;
    }

    private synchronized void done() {
        running = false;
        notifyAll();
        if (failures > 0 && !ended) {
            schedule(backoff());
        } else if (pending.hasPublished()) {
            published();
        }
    }

    private Duration backoff() {
        var first = Math.max(1, config.retryMax().toNanos() / 10);
        return Duration.ofNanos(
                Math.min(first << Math.min(failures - 1, 10), config.retryMax().toNanos()));
    }

    /**
     * Commits what waits, or a large part of it; on one thread at a time.
     *
     * @throws LakemillException when it failed; the same rows are next again
     */
    void commit() {
        // What began alone ends alone: rows behind it would move the position past its frames,
        // which alone know the offsets, and the next start would not look at them.
        var batches =
                pending.hasBegunSkipped()
                        ? List.<PendingRows.Published>of()
                        : pending.beginCommit(config.commitBytes());
        try {
            if (batches.isEmpty()) {
                appendSkipped();
                return;
            }
            append(batches);
        } catch (RuntimeException e) {
            error = String.valueOf(e.getMessage());
            countFailure(1);
            throw e;
        }
        position = batches.getLast().batch().lastPosition();
        var receivedMicros = batches.getLast().batch().receivedMicros();
        freshnessMillis = Math.max(0, surroundings.clock().millis() - receivedMicros / 1_000);
        batches.forEach(published -> rows.add(published.batch().rows().count()));
        error = null;
        countFailure(0);
        pending.committed();
        countCommit();
        onCommit.run();
    }

    /** Writes down the requests without rows that streams ended with; again is the same. */
    private void appendSkipped() {
        var skipped = pending.beginSkipped();
        if (skipped.isEmpty()) {
            return;
        }
        skipped.forEach(
                (stream, offset) ->
                        bronze.append(
                                List.of(),
                                new long[0],
                                new Txn(PersistentStreams.application(stream), offset + 1)));
        pending.committedSkipped();
        error = null;
        countFailure(0);
        onCommit.run();
    }

    private synchronized void countFailure(int more) {
        failures = more == 0 ? 0 : failures + more;
    }

    private synchronized void countCommit() {
        commitsSinceCompaction++;
    }

    private synchronized boolean isFirstTry() {
        return failures == 0;
    }

    private void append(List<PendingRows.Published> published) {
        var batches = published.stream().map(PendingRows.Published::batch).toList();
        var positions = batches.stream().flatMapToLong(b -> Arrays.stream(b.positions()));
        var streams = new HashMap<String, Long>();
        published.forEach(
                p ->
                        p.streams()
                                .forEach(
                                        (stream, offset) ->
                                                streams.put(
                                                        PersistentStreams.application(stream),
                                                        offset + 1)));
        var txn = new Txn(surroundings.application(), batches.getLast().lastPosition(), streams);
        var firstTry = isFirstTry();
        var commit =
                bronze.append(
                        batches.stream().map(TableBatch::rows).toList(), positions.toArray(), txn);
        if (commit instanceof DeltaTable.Commit.Repeated && firstTry) {
            throw new LakemillException(
                    ErrorCode.INTERNAL,
                    "%s has log position %d of %s already, though nobody here committed it"
                            .formatted(table, txn.version(), txn.application()),
                    "stop the other node of this name; each node needs a name of its own");
        }
        note(commit, batches);
    }

    private void note(DeltaTable.Commit commit, List<TableBatch> batches) {
        var version =
                switch (commit) {
                    case DeltaTable.Commit.Done done -> done.version();
                    case DeltaTable.Commit.Repeated repeated -> repeated.version();
                };
        surroundings
                .history()
                .landed(
                        new IngestHistory.LandedEvent(
                                of,
                                surroundings.clock().instant(),
                                version,
                                batches.stream().mapToLong(b -> b.rows().count()).sum(),
                                batches.stream().mapToLong(b -> b.rows().sizeBytes()).sum()));
    }

    private synchronized void maintainWhenDue() {
        if (!ended && !maintaining && (isCompactionDue() || isVacuumDue())) {
            maintaining = true;
            maintenanceBeganNanos = System.nanoTime();
            surroundings.maintainers().execute(this::maintain);
        }
    }

    /** Compacts and vacuums; what fails is tried again the next time. */
    private void maintain() {
        try {
            if (takeCompaction()) {
                bronze.compact();
            }
            if (takeVacuum()) {
                bronze.vacuum(config.fileRetention());
            }
        } catch (RuntimeException e) {
            LOG.warn("Maintenance of {} failed; it is tried again later", table, e);
        } finally {
            maintained();
        }
    }

    private synchronized void maintained() {
        maintaining = false;
        notifyAll();
    }

    private synchronized boolean takeCompaction() {
        var due = isCompactionDue();
        if (due) {
            commitsSinceCompaction = 0;
        }
        return due;
    }

    /** It takes the processor's time from commits: when producers nearly wait for them, later. */
    private boolean isCompactionDue() {
        var every = config.compactEveryCommits();
        var busy = pending.bytes() >= config.pendingBytesMax() / 2;
        return every > 0
                && commitsSinceCompaction >= (busy ? COMPACTIONS_PUT_OFF_MAX * every : every);
    }

    private synchronized boolean takeVacuum() {
        var due = isVacuumDue();
        if (due) {
            vacuumedNanos = System.nanoTime();
        }
        return due;
    }

    private boolean isVacuumDue() {
        var interval = config.vacuumInterval();
        return !interval.isZero() && System.nanoTime() - vacuumedNanos >= interval.toNanos();
    }

    /**
     * Ends the schedule and commits the rest here, as long as it goes well and time is left.
     *
     * @return whether nobody commits any more, so that the rows' memory can be freed
     */
    boolean finish(long deadlineNanos) {
        if (!awaitIdle(deadlineNanos)) {
            return false;
        }
        try {
            while (pending.hasPublished() && System.nanoTime() - deadlineNanos < 0) {
                commit();
            }
        } catch (RuntimeException e) {
            LOG.warn("The last rows of {} are not committed: {}", table, e.getMessage());
        }
        return true;
    }

    /** Ends the schedule; false when a commit still ran at the deadline. */
    synchronized boolean awaitIdle(long deadlineNanos) {
        ended = true;
        if (scheduled != null) {
            scheduled.cancel(false);
        }
        await(() -> !running, deadlineNanos);
        return !running;
    }

    /** Waits for a compaction or vacuum that runs; none begins behind {@link #awaitIdle}. */
    synchronized void awaitMaintained(long deadlineNanos) {
        await(() -> !maintaining, deadlineNanos);
    }

    private synchronized void await(BooleanSupplier condition, long deadlineNanos) {
        try {
            var left = deadlineNanos - System.nanoTime();
            while (!condition.getAsBoolean() && left > 0) {
                wait(left / 1_000_000 + 1);
                left = deadlineNanos - System.nanoTime();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
