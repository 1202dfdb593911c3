package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TypeWidening;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import org.apache.arrow.memory.OutOfMemoryException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one table's durable rows to its feed and to Delta.
 *
 * <p>A virtual thread takes the frames that arrived, decodes them together and publishes them: that
 * is what readers wait for, so it does not wait for Delta, unless too much waits for it already.
 * {@link BronzeCommits} does, beside it.
 *
 * <p>Exactly once: a commit carries the log position of its last frame as Delta transaction, so it
 * cannot be made twice; what a crash left out is replayed from the log, and frames up to the
 * transaction are skipped. The log is released only up to the oldest frame that is not in Delta.
 */
final class Landing {
    private static final Logger LOG = LoggerFactory.getLogger(Landing.class);
    private static final Duration MEMORY_RETRY = Duration.ofMillis(100);

    private final Bronze bronze;
    private final TableFeed feed;
    private final LandingSurroundings surroundings;
    private final PendingRows pending = new PendingRows();
    private final StreamNotes notes;
    private final BronzeCommits commits;
    private final Thread publisher;
    private final ConcurrentLinkedQueue<Runnable> waitingForRoom = new ConcurrentLinkedQueue<>();
    private final LongAdder rowsReceived = new LongAdder();

    /**
     * Written by {@link #evolve} alone: the decoder first, so that who writes rows of the table's
     * newest form finds them read. It reads all older forms, too.
     */
    private volatile RowDecoder decoder;

    private volatile CatalogTable table;

    /** The newest frame that came from the log, and the newest that was published or skipped. */
    private volatile long arrivedPosition;

    private volatile long publishedPosition;
    private volatile boolean ended;
    private volatile @Nullable String error;

    /**
     * Brings Delta to the catalog's columns first, where a crash came between the two.
     *
     * @param onCommit runs after each commit
     */
    Landing(
            CatalogTable table,
            Bronze bronze,
            TableFeed feed,
            LandingSurroundings surroundings,
            Runnable onCommit) {
        this.table = table;
        this.bronze = bronze;
        this.notes = new StreamNotes(bronze);
        this.feed = feed;
        this.surroundings = surroundings;
        this.decoder = new RowDecoder(table.schema());
        this.commits =
                new BronzeCommits(
                        table,
                        bronze,
                        pending,
                        surroundings,
                        () -> {
                            onCommit.run();
                            wakeWaiting();
                        });
        bronze.widen(table.schema());
        this.publisher = Thread.ofVirtual().name("landing-" + table.name()).unstarted(this::run);
    }

    /**
     * How many requests of a persistent stream Delta has; empty when it does not know the stream.
     */
    OptionalLong requestsOf(UUID stream) {
        return bronze.transaction(PersistentStreams.application(stream));
    }

    /** Writes down in Delta how many requests of a persistent stream there are. */
    void setRequestsOf(UUID stream, long requests) {
        notes.write(stream, requests);
    }

    /** As it is now: it may get columns and wider types, but loses none. */
    CatalogTable table() {
        return table;
    }

    /**
     * Gives the table columns, or wider types: in the catalog first, which remembers who brought
     * them, then in Delta, then for rows. What it has already changes nothing. Blocks.
     *
     * @throws LakemillException when catalog or Delta cannot be changed; what the catalog has by
     *     then comes into Delta the next time, or at the next start
     */
    synchronized void evolve(List<Column> columns, ProducerAccess.Producer producer) {
        var before = table;
        if (TypeWidening.grown(before.schema(), columns).equals(before.schema())) {
            return;
        }
        var after = producer.evolve(before.name(), columns);
        bronze.widen(after.schema());
        decoder = new RowDecoder(after.schema());
        table = after;
    }

    /** Whether a commit runs since before an instant of System.nanoTime. */
    boolean commitsSince(long nanos) {
        return commits.runsSince(nanos);
    }

    /** The same of a compaction or vacuum. */
    boolean maintainsSince(long nanos) {
        return commits.maintainsSince(nanos);
    }

    /** The log position up to which Delta has the rows. */
    long committedPosition() {
        return commits.position();
    }

    /** The oldest position that is not in Delta; MAX_VALUE when all are. */
    long oldestPosition() {
        return pending.oldestPosition();
    }

    /** Whether more rows may be taken for the table. */
    boolean hasRoom() {
        return pending.bytes() < surroundings.config().pendingBytesMax();
    }

    /** Runs {@code action} once, on any thread, as soon as there is room. It must not block. */
    void whenRoom(Runnable action) {
        waitingForRoom.add(action);
        wakeWaiting();
    }

    private void wakeWaiting() {
        while (!waitingForRoom.isEmpty() && (hasRoom() || ended)) {
            var action = waitingForRoom.poll();
            if (action != null) {
                action.run();
            }
        }
    }

    /** Counts a frame that is offered to the log; negative bytes when the log did not take it. */
    void expect(int frameBytes) {
        pending.expect(frameBytes);
    }

    /** Takes an expected frame that stands on disk. Never blocks; one thread at a time. */
    void add(Durable frame, long receivedMicros) {
        pending.arrive(new PendingRows.Arrival(frame, receivedMicros));
        arrivedPosition = frame.lsn();
        pending.expect(-frame.frame().payload().length);
    }

    /**
     * Takes a frame of an earlier life, before {@link #start}; commits when memory fills.
     *
     * @throws LakemillException when such a commit fails
     */
    void replay(Durable frame, long receivedMicros) {
        if (frame.lsn() <= committedPosition()) {
            return;
        }
        pending.arrive(new PendingRows.Arrival(frame, receivedMicros));
        arrivedPosition = frame.lsn();
        while (pending.arrivedBytes() >= PendingRows.DECODE_BYTES_MAX) {
            publish(pending.beginDecoding());
            while (pending.publishedBytes() >= surroundings.config().pendingBytesMax() / 2) {
                commits.commit();
            }
        }
    }

    /** Starts to publish and commit by itself. */
    void start() {
        publisher.start();
        if (pending.hasPublished()) {
            commits.published();
        }
    }

    private void run() {
        var linger = surroundings.config().linger();
        // Producers wait before; this is what was on its way, and takes more room decoded.
        var publishedBytesMax = 2 * surroundings.config().pendingBytesMax();
        try {
            var frames = pending.await(linger, publishedBytesMax);
            while (!frames.isEmpty()) {
                publish(frames);
                commits.published();
                frames = pending.await(linger, publishedBytesMax);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            LOG.error("Rows of {} cannot be read from the log any more", table.name(), e);
            error = "rows cannot be read from the log: " + e;
        }
    }

    /** What the landing's thread does with what arrived, once; false when there is nothing. */
    boolean publishOnce() {
        var frames = pending.beginDecoding();
        if (!frames.isEmpty()) {
            publish(frames);
        }
        return !frames.isEmpty();
    }

    /**
     * What the committers do with what was published, once.
     *
     * @throws LakemillException when Delta does not take it; the same rows are next again
     */
    boolean commitOnce() {
        if (pending.hasPublished()) {
            commits.commit();
        }
        return pending.hasPublished();
    }

    /** Publishes as many of the frames as may be decoded together; the others come next. */
    private void publish(List<PendingRows.Arrival> taken) {
        var payloads = taken.stream().map(f -> f.frame().frame().payload()).toList();
        var counts = taken.stream().mapToInt(Landing::count).toArray();
        var frames = pending.decodeFirst(decoder.together(payloads, counts));
        int rowCount = Arrays.stream(counts, 0, frames.size()).sum();
        if (rowCount == 0) {
            pending.skip(PersistentStreams.lastOffsets(frames));
            publishedPosition = frames.getLast().frame().lsn();
            return;
        }
        var positions = positions(frames, counts, rowCount);
        var rows = decode(payloads.subList(0, frames.size()), rowCount);
        var batch = new TableBatch(rows, positions, frames.getLast().receivedMicros());
        feed.publish(batch);
        pending.publish(batch, PersistentStreams.lastOffsets(frames));
        publishedPosition = frames.getLast().frame().lsn();
        rowsReceived.add(batch.rows().count());
    }

    /** Counting is left out where it can be: it waits for memory at every row. */
    private static int count(PendingRows.Arrival arrival) {
        var frame = arrival.frame().frame();
        return frame.rows() == Frame.UNCOUNTED ? RowDecoder.count(frame.payload()) : frame.rows();
    }

    /** The newest frame that came from the log. */
    long arrivedPosition() {
        return arrivedPosition;
    }

    /** Whether what came up to a position can be read, or is in Delta already. */
    boolean isPublished(long position) {
        return publishedPosition >= position;
    }

    /** The rows that are not known to stand in Delta, to be closed. */
    LogTail tail() {
        return new LogTail(surroundings.application(), pending.tail());
    }

    /** Of each row that of its frame. */
    private static long[] positions(List<PendingRows.Arrival> frames, int[] counts, int rowCount) {
        var positions = new long[rowCount];
        int row = 0;
        for (int i = 0; i < frames.size(); i++) {
            Arrays.fill(positions, row, row + counts[i], frames.get(i).frame().lsn());
            row += counts[i];
        }
        return positions;
    }

    /** Waits for memory where there is none; meanwhile producers wait for room. */
    private Rows decode(List<byte[]> payloads, int rowCount) {
        while (true) {
            try {
                var rows = decoder.decode(payloads, rowCount, surroundings.allocator());
                error = null;
                return rows;
            } catch (OutOfMemoryException e) {
                if (ended) {
                    throw e;
                }
                error = "no memory to decode rows; readers and commits have to free some";
                sleep();
            }
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(MEMORY_RETRY);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    TableStatus status() {
        var failed = error;
        return new TableStatus(
                table.name(),
                rowsReceived.sum(),
                commits.rows(),
                feed.position(),
                commits.position(),
                pending.bytes(),
                feed.receivedMicros(),
                commits.freshnessMillis(),
                failed == null ? commits.error() : failed);
    }

    boolean isEnded() {
        return ended;
    }

    /** Takes no more frames; those that are here are still published. */
    void end() {
        ended = true;
        pending.end();
        wakeWaiting();
    }

    /**
     * After {@link #end}: publishes and commits what is here, within the time there is.
     *
     * @return whether Delta has all of it
     */
    boolean finish(long deadlineNanos) {
        var published = awaitPublisher(deadlineNanos);
        var committed = commits.finish(deadlineNanos);
        commits.awaitMaintained(deadlineNanos);
        var left = oldestPosition() != Long.MAX_VALUE;
        if (left) {
            LOG.warn("Rows of {} stay in the log: Delta did not take them", table.name());
        }
        if (published && committed) {
            pending.clear();
        }
        return !left;
    }

    /** Frees the rows' memory: the log keeps them, unless the table is no more. */
    void abandon(long deadlineNanos) {
        end();
        var published = awaitPublisher(deadlineNanos);
        var idle = commits.awaitIdle(deadlineNanos);
        commits.awaitMaintained(deadlineNanos);
        if (published && idle) {
            pending.clear();
        }
    }

    private boolean awaitPublisher(long deadlineNanos) {
        try {
            return !publisher.isAlive()
                    || publisher.join(
                            Duration.ofNanos(Math.max(1, deadlineNanos - System.nanoTime())));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
