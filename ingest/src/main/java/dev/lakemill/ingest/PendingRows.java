package dev.lakemill.ingest;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.wal.Durable;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What a table holds between the log and Delta, in log order: frames that arrived, frames being
 * decoded, batches published, and batches being committed. Safe from any thread; one publishes, one
 * commits.
 *
 * <p>A commit that failed may have succeeded all the same. So what is being committed is never
 * mixed with more rows: it is tried again unchanged until it is known to stand in Delta.
 */
final class PendingRows {
    /** A durable frame, and when it became so, in microseconds since 1970 UTC. */
    record Arrival(Durable frame, long receivedMicros) {
        int bytes() {
            return frame.frame().payload().length;
        }
    }

    /**
     * A batch for Delta.
     *
     * @param streams the last offset in it, or skipped before it, of each persistent stream
     * @param oldestPosition of its rows, or of what was skipped before it
     */
    record Published(TableBatch batch, Map<UUID, Long> streams, long oldestPosition) {}

    /** What is taken for decoding at once, unless a single frame is larger. */
    static final long DECODE_BYTES_MAX = 4 << 20;

    private final ArrayDeque<Arrival> arrived = new ArrayDeque<>();
    private final ArrayDeque<Published> published = new ArrayDeque<>();

    /** The last offset of each stream whose last requests held no rows, and where they began. */
    private final Map<UUID, Long> skippedStreams = new HashMap<>();

    private long skippedFrom = Long.MAX_VALUE;
    private Map<UUID, Long> committingSkipped = Map.of();
    private long committingSkippedFrom = Long.MAX_VALUE;
    private List<Arrival> decoding = List.of();
    private List<Published> committing = List.of();
    private long arrivedBytes;
    private long decodingBytes;
    private long publishedBytes;
    private long committingBytes;

    /** The oldest frame that came, or was let go, after the end: for the next start. */
    private long missedFrom = Long.MAX_VALUE;

    private boolean ended;
    private volatile long bytes;

    /** Bytes of frames that the log took and that are not durable yet. */
    private final AtomicLong expectedBytes = new AtomicLong();

    /** Counts a frame from its way into the log on, so that {@link #bytes} bounds memory. */
    void expect(int frameBytes) {
        expectedBytes.addAndGet(frameBytes);
    }

    /** Takes a frame; after the end only notes that the log has to keep it for the next start. */
    synchronized void arrive(Arrival arrival) {
        if (ended) {
            missedFrom = Math.min(missedFrom, arrival.frame().lsn());
            return;
        }
        var before = arrivedBytes;
        arrived.add(arrival);
        arrivedBytes += arrival.bytes();
        count();
        // Who lingers is only woken when there is enough, not for each frame.
        if (arrived.size() == 1
                || (before < DECODE_BYTES_MAX && arrivedBytes >= DECODE_BYTES_MAX)) {
            notifyAll();
        }
    }

    /**
     * Waits for frames, then a little for more of them; and for Delta while there is that much that
     * it does not have, as frames may hold few bytes and many values.
     *
     * @return empty when there are none and none will come, or after the end when there is no room:
     *     the next start finds the others in the log
     */
    synchronized List<Arrival> await(Duration linger, long publishedBytesMax)
            throws InterruptedException {
        while (!ended && (arrived.isEmpty() || publishedBytes() >= publishedBytesMax)) {
            wait();
        }
        if (publishedBytes() >= publishedBytesMax) {
            return List.of();
        }
        var until = System.nanoTime() + linger.toNanos();
        var left = linger.toNanos();
        while (left > 0 && !ended && arrivedBytes < DECODE_BYTES_MAX) {
            wait(left / 1_000_000, (int) (left % 1_000_000));
            left = until - System.nanoTime();
        }
        return beginDecoding();
    }

    /** Takes frames for decoding together: one if there is one, then more within the limit. */
    synchronized List<Arrival> beginDecoding() {
        var frames = new ArrayList<Arrival>();
        while (!arrived.isEmpty()
                && (frames.isEmpty()
                        || decodingBytes + arrived.peek().bytes() <= DECODE_BYTES_MAX)) {
            var frame = arrived.remove();
            frames.add(frame);
            decodingBytes += frame.bytes();
        }
        arrivedBytes -= decodingBytes;
        decoding = frames;
        return frames;
    }

    /** Only the first of the frames being decoded are; the others are before all that arrived. */
    synchronized List<Arrival> decodeFirst(int count) {
        for (int i = decoding.size() - 1; i >= count; i--) {
            var frame = decoding.get(i);
            arrived.addFirst(frame);
            arrivedBytes += frame.bytes();
            decodingBytes -= frame.bytes();
        }
        decoding = decoding.subList(0, count);
        return decoding;
    }

    /** The frames being decoded are this batch now. */
    synchronized void publish(TableBatch batch, Map<UUID, Long> streams) {
        // Not the first row's: a frame without rows may stand before it.
        long first = decoding.isEmpty() ? batch.firstPosition() : decoding.getFirst().frame().lsn();
        decoding = List.of();
        decodingBytes = 0;
        var all = new HashMap<>(skippedStreams);
        all.putAll(streams);
        published.add(new Published(batch, all, Math.min(skippedFrom, first)));
        skippedStreams.clear();
        skippedFrom = Long.MAX_VALUE;
        publishedBytes += batch.rows().sizeBytes();
        count();
    }

    /**
     * The frames being decoded hold no rows; the streams' offsets go with the next batch, or alone
     * when none comes. Until then the log keeps the frames, which alone know the offsets.
     */
    synchronized void skip(Map<UUID, Long> streams) {
        if (!streams.isEmpty() && !decoding.isEmpty()) {
            skippedFrom = Math.min(skippedFrom, decoding.getFirst().frame().lsn());
        }
        decoding = List.of();
        decodingBytes = 0;
        skippedStreams.putAll(streams);
        count();
    }

    /** The offsets to be committed alone, when no batch waits that could take them. */
    synchronized Map<UUID, Long> beginSkipped() {
        if (committingSkipped.isEmpty() && published.isEmpty() && committing.isEmpty()) {
            committingSkipped = Map.copyOf(skippedStreams);
            committingSkippedFrom = skippedFrom;
            skippedStreams.clear();
            skippedFrom = Long.MAX_VALUE;
        }
        return committingSkipped;
    }

    /** Whether offsets are being committed alone and are not known to stand in Delta. */
    synchronized boolean hasBegunSkipped() {
        return !committingSkipped.isEmpty();
    }

    /** The offsets that were being committed alone stand in Delta. */
    synchronized void committedSkipped() {
        committingSkipped = Map.of();
        committingSkippedFrom = Long.MAX_VALUE;
    }

    /** What is to be committed: the same as last time until {@link #committed}. */
    synchronized List<Published> beginCommit(long bytesMax) {
        if (committing.isEmpty()) {
            var batches = new ArrayList<Published>();
            while (!published.isEmpty() && (batches.isEmpty() || committingBytes < bytesMax)) {
                var batch = published.remove();
                batches.add(batch);
                committingBytes += batch.batch().rows().sizeBytes();
            }
            publishedBytes -= committingBytes;
            committing = batches;
        }
        return committing;
    }

    /** What was being committed stands in Delta. */
    synchronized void committed() {
        committing.forEach(p -> p.batch().close());
        committing = List.of();
        committingBytes = 0;
        count();
        notifyAll();
    }

    /** No frame is taken any more; those that are here still go their way. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /**
     * Frees the memory, when nobody publishes or commits any more. The log still has to keep what
     * Delta does not have: other tables commit after this one has ended, and ask where it is.
     */
    synchronized void clear() {
        end();
        missedFrom = Math.min(missedFrom, oldestPosition());
        committed();
        published.forEach(p -> p.batch().close());
        published.clear();
        publishedBytes = 0;
        skippedStreams.clear();
        skippedFrom = Long.MAX_VALUE;
        committedSkipped();
        arrived.clear();
        arrivedBytes = 0;
        decoding = List.of();
        decodingBytes = 0;
        count();
    }

    /** What was published and is not known to stand in Delta, each batch to be closed. */
    synchronized List<TableBatch> tail() {
        var tail = new ArrayList<TableBatch>();
        committing.forEach(p -> tail.add(retained(p.batch())));
        published.forEach(p -> tail.add(retained(p.batch())));
        return tail;
    }

    private static TableBatch retained(TableBatch batch) {
        batch.rows().retain();
        return batch;
    }

    synchronized boolean hasPublished() {
        return !published.isEmpty()
                || !committing.isEmpty()
                || !skippedStreams.isEmpty()
                || !committingSkipped.isEmpty();
    }

    /** Bytes of frames that nobody decodes yet. */
    synchronized long arrivedBytes() {
        return arrivedBytes;
    }

    /** Bytes of what waits for a commit. */
    synchronized long publishedBytes() {
        return publishedBytes + committingBytes;
    }

    /** Bytes of all, and of what is expected. */
    long bytes() {
        return bytes + expectedBytes.get();
    }

    /** The log position of the oldest frame that Delta does not have; MAX_VALUE for none. */
    synchronized long oldestPosition() {
        return Math.min(Math.min(skippedFrom, committingSkippedFrom), oldestOfRows());
    }

    private long oldestOfRows() {
        if (!committing.isEmpty()) {
            return committing.getFirst().oldestPosition();
        }
        if (!published.isEmpty()) {
            return published.getFirst().oldestPosition();
        }
        if (!decoding.isEmpty()) {
            return decoding.getFirst().frame().lsn();
        }
        return arrived.isEmpty() ? missedFrom : arrived.getFirst().frame().lsn();
    }

    private void count() {
        bytes = arrivedBytes + decodingBytes + publishedBytes + committingBytes;
    }
}
