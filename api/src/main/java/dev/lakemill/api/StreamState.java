package dev.lakemill.api;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.grpc.SynchronizationContext;
import java.time.Clock;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the parts of a stream share, guarded by its lock.
 *
 * <p>Events for the observer and completions of futures are queued under the lock, so that their
 * order is the order of what happened, and run after it is given back, so that foreign code never
 * runs under it.
 */
final class StreamState {
    private static final Logger LOG = LoggerFactory.getLogger(ProducerStream.class);

    final StreamOptions options;
    final RequestQueue queue;

    private final ProducerObserver observer;
    private final Clock clock;
    private final ReentrantLock lock = new ReentrantLock();

    /** Of what concerns the connection. */
    private final Condition changed = lock.newCondition();

    /** Of that, and of acknowledgements, for which the connection's thread need not wake. */
    private final Condition progressed = lock.newCondition();

    private final TreeMap<Long, CompletableFuture<Void>> waiting = new TreeMap<>();
    private final SynchronizationContext events =
            new SynchronizationContext((_, e) -> LOG.error("An observer of a stream threw", e));

    private @Nullable LakemillException failure;
    private @Nullable RejectedRows rejected;
    private @Nullable String streamId;
    private boolean closing;
    private boolean opened;
    private boolean ended;
    private long resentRows;
    private String lastProblem = "no connection was made yet";

    StreamState(StreamOptions options, ProducerObserver observer, Clock clock, boolean persistent) {
        this.queue = new RequestQueue(persistent);
        this.options = options;
        this.observer = observer;
        this.clock = clock;
    }

    void lock() {
        lock.lock();
    }

    /** Gives the lock back, then runs what was queued under it. */
    void unlock() {
        lock.unlock();
        if (!lock.isHeldByCurrentThread()) {
            events.drain();
        }
    }

    /**
     * Waits for a change that concerns the connection, in the caller's loop. Returns the
     * nanoseconds left, 0 or less after the timeout.
     */
    @SuppressWarnings("WaitNotInLoop")
    long awaitChange(long nanos) throws InterruptedException {
        return changed.awaitNanos(nanos);
    }

    /** The same for a change or an acknowledgement. */
    @SuppressWarnings("WaitNotInLoop")
    long awaitProgress(long nanos) throws InterruptedException {
        return progressed.awaitNanos(nanos);
    }

    void signalChange() {
        changed.signalAll();
        progressed.signalAll();
    }

    void tell(Consumer<ProducerObserver> event) {
        events.executeLater(() -> event.accept(observer));
    }

    void opened(String id) {
        opened = true;
        streamId = id;
        tell(o -> o.opened(id));
        signalChange();
    }

    /** A persistent stream goes on behind its last durable offset. */
    void resumed(long lastOffset) {
        var count = queue.resume(lastOffset);
        var id = String.valueOf(streamId);
        if (count < 0) {
            fail(
                    new LakemillException(
                            ErrorCode.DATA_LOSS,
                            "stream %s was acknowledged up to offset %d, the server has %d"
                                    .formatted(id, queue.acked(), lastOffset),
                            "look whether the server was restored from an older state"));
            return;
        }
        tellAcked(count);
        opened(id);
    }

    void acked(long connectionOffset) {
        tellAcked(queue.ack(connectionOffset));
    }

    private void tellAcked(int count) {
        if (count == 0) {
            return;
        }
        var last = queue.acked();
        var instant = clock.instant();
        var atMicros = instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
        tell(o -> o.acked(last - count + 1, last, atMicros));
        var done = waiting.headMap(last, true);
        done.values().forEach(future -> events.executeLater(() -> future.complete(null)));
        done.clear();
        progressed.signalAll();
        if (isDone()) {
            changed.signalAll();
        }
    }

    /** The stream that connections resume; null before the first was opened. */
    @Nullable String streamId() {
        return streamId;
    }

    /** Connections resume this stream, which an earlier process made. */
    void resume(String id) {
        streamId = id;
    }

    /** Which rows ended the stream, if rows did. */
    @Nullable RejectedRows rejected() {
        return rejected;
    }

    void rejected(RejectedRows rows) {
        rejected = rows;
    }

    void resent(long first, long last, long rows) {
        resentRows += rows;
        tell(o -> o.resent(first, last, rows));
    }

    void reconnecting(int attempt, Duration wait, String cause) {
        lastProblem = cause;
        tell(o -> o.reconnecting(attempt, wait, cause));
        signalChange();
    }

    /** The stream cannot go on. */
    void fail(LakemillException error) {
        if (failure == null && !ended) {
            failure = error;
            tell(o -> o.failed(error));
            end(error);
        }
    }

    /** Nothing goes on after this: who still waits for an acknowledgement gets the error. */
    void end(LakemillException error) {
        ended = true;
        waiting.values().forEach(f -> events.executeLater(() -> f.completeExceptionally(error)));
        waiting.clear();
        signalChange();
    }

    /** Whether the stream has nothing more to do. */
    boolean isDone() {
        return ended || (closing && queue.isEmpty());
    }

    CompletableFuture<Void> whenAcked(long offset) {
        var error = failure;
        if (offset <= queue.acked()) {
            return CompletableFuture.completedFuture(null);
        }
        return error == null
                ? waiting.computeIfAbsent(offset, _ -> new CompletableFuture<>())
                : CompletableFuture.failedFuture(error);
    }

    void closing() {
        closing = true;
        signalChange();
    }

    boolean isClosing() {
        return closing;
    }

    boolean isOpened() {
        return opened;
    }

    @Nullable LakemillException failure() {
        return failure;
    }

    long resentRows() {
        return resentRows;
    }

    String lastProblem() {
        return lastProblem;
    }
}
