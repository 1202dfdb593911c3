package dev.lakemill.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.api.StreamOptions.WhenFull;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * A stream of rows into one table. Safe for use by many threads; rows stand in the table in the
 * order in which ingest was called.
 *
 * <p>Each ingest call is one request: it gets the next offset, counting from 0, and is durable as a
 * whole or not at all. Ingest does not wait for the network; it waits (or throws) only when as much
 * is in flight as {@link StreamOptions} allow. A lost connection is made again, and what was not
 * acknowledged is sent again, so every row stands at least once in the table; of a persistent
 * stream ({@link ProducerClient#openPersistent}) exactly once.
 *
 * <p>When the server refuses the stream or a row for good (bad row, no such table, no permission),
 * the stream fails: every later call throws that error, and {@link #unacked} gives back the rest.
 */
public final class ProducerStream implements AutoCloseable {
    /** What one request may hold: the protocol's 10 MiB, less room for framing. */
    public static final int REQUEST_BYTES_MAX = 10_420_224;

    private static final long FOR_EVER_NANOS = Long.MAX_VALUE / 2;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final TableName table;
    private final RecordFormat format;
    private final StreamState state;
    private final Connector<?, ?> connector;
    private final Thread thread;

    ProducerStream(
            TableName table,
            RecordFormat format,
            StreamState state,
            Connector<?, ?> connector,
            Thread thread) {
        this.table = table;
        this.format = format;
        this.state = state;
        this.connector = connector;
        this.thread = thread;
    }

    /** Sends one JSON object. Returns its offset. */
    public long ingestJson(String record) {
        checkJson(true);
        return ingest(Request.of(List.of(ByteString.copyFromUtf8(record)), true, false));
    }

    /** Sends JSON objects as one request. Returns its offset. */
    public long ingestJsonBatch(List<String> records) {
        checkJson(true);
        return ingest(
                Request.of(records.stream().map(ByteString::copyFromUtf8).toList(), true, true));
    }

    /** Sends one message; the array must not change afterwards. Returns its offset. */
    public long ingestProto(byte[] record) {
        checkJson(false);
        return ingest(Request.of(List.of(UnsafeByteOperations.unsafeWrap(record)), false, false));
    }

    /** Sends messages as one request; the arrays must not change. Returns its offset. */
    public long ingestProtoBatch(List<byte[]> records) {
        checkJson(false);
        var wrapped = records.stream().map(UnsafeByteOperations::unsafeWrap).toList();
        return ingest(Request.of(wrapped, false, true));
    }

    private long ingest(Request request) {
        if (request.records().isEmpty() || request.bytes() > REQUEST_BYTES_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "a request of %d rows and %d bytes for %s"
                            .formatted(request.rows(), request.bytes(), table),
                    "send 1 row or more and at most %d bytes at once".formatted(REQUEST_BYTES_MAX));
        }
        state.lock();
        try {
            awaitRoom(request);
            var offset = state.queue.add(request);
            var connection = connector.connection();
            if (connection != null) {
                connection.sendUnsent();
            }
            return offset;
        } finally {
            state.unlock();
        }
    }

    private void awaitRoom(Request request) {
        checkUsable();
        if (state.queue.hasRoom(request, state.options)) {
            return;
        }
        if (state.options.whenFull() == WhenFull.FAIL) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%d rows for %s wait for acknowledgement".formatted(state.queue.rows(), table),
                    "slow down, or raise inFlightRowsMax and inFlightBytesMax");
        }
        await(
                () -> state.isClosing() || state.queue.hasRoom(request, state.options),
                FOR_EVER_NANOS);
        checkUsable();
    }

    /** Completes when the request is durable, or with the stream's failure. */
    public CompletableFuture<Void> acked(long offset) {
        state.lock();
        try {
            return state.whenAcked(offset);
        } finally {
            state.unlock();
        }
    }

    /** The newest offset known durable; -1 for none. */
    public long ackedOffset() {
        state.lock();
        try {
            return state.queue.acked();
        } finally {
            state.unlock();
        }
    }

    /**
     * The server's name for the stream; empty before the server has accepted it. A persistent
     * stream keeps it, and a later process resumes it by it.
     */
    public Optional<String> streamId() {
        state.lock();
        try {
            return Optional.ofNullable(state.streamId());
        } finally {
            state.unlock();
        }
    }

    /** Which rows of which request ended the stream; empty when no row did. */
    public Optional<RejectedRows> rejectedRows() {
        state.lock();
        try {
            return Optional.ofNullable(state.rejected());
        } finally {
            state.unlock();
        }
    }

    /** Rows taken and not yet acknowledged. */
    public long inFlightRows() {
        state.lock();
        try {
            return state.queue.rows();
        } finally {
            state.unlock();
        }
    }

    /** Rows that went out more than once, counted each time; see {@link ProducerObserver}. */
    public long resentRows() {
        state.lock();
        try {
            return state.resentRows();
        } finally {
            state.unlock();
        }
    }

    /** Waits until the server has accepted the stream; UNAVAILABLE after the timeout. */
    public void awaitOpen(Duration timeout) {
        awaitOrThrow(state::isOpened, timeout, "was not opened");
    }

    /** Waits until everything sent before the call is durable; UNAVAILABLE after the timeout. */
    public void flush(Duration timeout) {
        state.lock();
        try {
            var last = state.queue.last();
            awaitOrThrow(() -> state.queue.acked() >= last, timeout, "was not acknowledged");
        } finally {
            state.unlock();
        }
    }

    /** Waits as {@link #flush(Duration)}, as long as {@link StreamOptions#closeTimeout}. */
    public void flush() {
        flush(state.options.closeTimeout());
    }

    /** The error that ended the stream. */
    public Optional<LakemillException> failure() {
        state.lock();
        try {
            return Optional.ofNullable(state.failure());
        } finally {
            state.unlock();
        }
    }

    /** Records not acknowledged, oldest first, as UTF-8 JSON or message bytes. */
    public List<byte[]> unacked() {
        state.lock();
        try {
            return state.queue.records();
        } finally {
            state.unlock();
        }
    }

    /** Flushes, then ends the stream. Throws what flush throws; the stream is closed anyway. */
    @Override
    public void close() {
        state.lock();
        try {
            state.closing();
        } finally {
            state.unlock();
        }
        try {
            flush();
        } finally {
            end();
        }
    }

    /** Ends the stream without waiting for anything. */
    void abandon() {
        cancel(true);
        join(CLOSE_TIMEOUT);
    }

    private void end() {
        cancel(false);
        if (!join(CLOSE_TIMEOUT)) {
            cancel(true);
            join(CLOSE_TIMEOUT);
        }
    }

    /** Ends what is unfinished, or even a connection that only waits for the server's last word. */
    private void cancel(boolean always) {
        state.lock();
        try {
            state.end(closed());
            var connection = connector.connection();
            if (connection != null && (always || !state.queue.isEmpty())) {
                connection.cancel("the stream was closed");
            }
        } finally {
            state.unlock();
        }
    }

    private boolean join(Duration timeout) {
        try {
            return thread.join(timeout);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private void awaitOrThrow(BooleanSupplier condition, Duration timeout, String what) {
        state.lock();
        try {
            if (await(condition, timeout.toNanos())) {
                return;
            }
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the stream to %s %s within %d ms: %s"
                            .formatted(table, what, timeout.toMillis(), state.lastProblem()),
                    "look whether the server runs and can be reached");
        } finally {
            state.unlock();
        }
    }

    /** Waits under the lock; false after the timeout. Throws the stream's failure. */
    private boolean await(BooleanSupplier condition, long nanos) {
        try {
            var left = nanos;
            while (!condition.getAsBoolean()) {
                throwFailure();
                if (left <= 0) {
                    return false;
                }
                left = state.awaitProgress(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "interrupted while waiting for " + table, "", e);
        }
    }

    private void checkUsable() {
        throwFailure();
        if (state.isClosing()) {
            throw closed();
        }
    }

    private void throwFailure() {
        var failure = state.failure();
        if (failure != null) {
            throw new LakemillException(failure.code(), failure.problem(), failure.hint(), failure);
        }
    }

    private LakemillException closed() {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the stream to %s is closed".formatted(table),
                "open a new one");
    }

    private void checkJson(boolean json) {
        if (json != (format instanceof RecordFormat.Json)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the stream to %s takes %s records".formatted(table, json ? "PROTO" : "JSON"),
                    "open it with the other RecordFormat");
        }
    }
}
