package dev.lakemill.api;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A stream of rows into one table. Safe for use by many threads; rows stand in the table in the
 * order in which ingest was called.
 *
 * <p>Each ingest call is one request: it gets the next offset, counting from 0, and is durable as a
 * whole or not at all. Ingest does not wait for the network; it waits (or throws) only when as much
 * is in flight as {@link StreamOptions} allow. A lost connection is made again, and what was not
 * acknowledged is sent again, so every row stands at least once in the table.
 *
 * <p>When the server refuses the stream or a row for good (bad row, no such table, no permission),
 * the stream fails: every later call throws that error, and {@link #unacked} gives back the rest.
 */
public final class ProducerStream implements AutoCloseable {

    ProducerStream() {}

    /** Sends one JSON object. Returns its offset. */
    public long ingestJson(String record) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Sends JSON objects as one request. Returns its offset. */
    public long ingestJsonBatch(List<String> records) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Sends one message; the array must not change afterwards. Returns its offset. */
    public long ingestProto(byte[] record) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Sends messages as one request; the arrays must not change. Returns its offset. */
    public long ingestProtoBatch(List<byte[]> records) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Completes when the request is durable, or with the stream's failure. */
    public CompletableFuture<Void> acked(long offset) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The newest offset known durable; -1 for none. */
    public long ackedOffset() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Rows taken and not yet acknowledged. */
    public long inFlightRows() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Rows that went out more than once, counted each time; see {@link ProducerObserver}. */
    public long resentRows() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Waits until the server has accepted the stream; UNAVAILABLE after the timeout. */
    public void awaitOpen(Duration timeout) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Waits until everything sent before the call is durable; UNAVAILABLE after the timeout. */
    public void flush(Duration timeout) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Waits as {@link #flush(Duration)}, as long as {@link StreamOptions#closeTimeout}. */
    public void flush() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The error that ended the stream. */
    public Optional<LakemillException> failure() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Records not acknowledged, oldest first, as UTF-8 JSON or message bytes. */
    public List<byte[]> unacked() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Flushes, then ends the stream. Throws what flush throws; the stream is closed anyway. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
