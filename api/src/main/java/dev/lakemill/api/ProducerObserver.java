package dev.lakemill.api;

import dev.lakemill.types.LakemillException;
import java.time.Duration;

/**
 * Hears what happens to a stream. Called one event at a time, in order, mostly on a network thread:
 * a call must not block. Offsets are those that ingest returned.
 */
public interface ProducerObserver {
    /** Hears nothing. */
    ProducerObserver NONE = new ProducerObserver() {};

    /** The server accepted the stream, for the first time or again. */
    default void opened(String streamId) {}

    /**
     * Requests {@code first} to {@code last} are durable.
     *
     * @param atMicros when the acknowledgement came, microseconds since 1970 UTC
     */
    default void acked(long first, long last, long atMicros) {}

    /**
     * Requests {@code first} to {@code last} went out once more, because the connection that
     * carried them ended before their acknowledgement. The server may have stored them then: these,
     * and no others, can stand in the table more than once.
     *
     * @param rows how many rows these requests hold
     */
    default void resent(long first, long last, long rows) {}

    /** The connection ended or could not be made; the next attempt follows after {@code wait}. */
    default void reconnecting(int attempt, Duration wait, String cause) {}

    /** The stream is at its end: what is not acknowledged stays so. */
    default void failed(LakemillException error) {}
}
