package dev.lakemill.api;

import java.time.Duration;

/**
 * How a stream behaves.
 *
 * @param inFlightRowsMax rows taken and not yet acknowledged
 * @param inFlightBytesMax their bytes
 * @param whenFull what happens at either limit
 * @param reconnectsMax failed attempts in a row after which the stream fails; {@link
 *     #RECONNECT_FOR_EVER} never does
 * @param backoffMin the wait before the first attempt, before jitter; doubles with each one
 * @param backoffMax the longest wait
 * @param openTimeout how long an attempt may take to be answered
 * @param ackTimeout how long the server may be silent while rows wait for it; then a new connection
 *     is made and they are sent again
 * @param closeTimeout how long {@link ProducerStream#close} waits for acknowledgements
 */
public record StreamOptions(
        int inFlightRowsMax,
        long inFlightBytesMax,
        WhenFull whenFull,
        int reconnectsMax,
        Duration backoffMin,
        Duration backoffMax,
        Duration openTimeout,
        Duration ackTimeout,
        Duration closeTimeout) {

    /** For {@link #reconnectsMax}. */
    public static final int RECONNECT_FOR_EVER = Integer.MAX_VALUE;

    /** 100,000 rows or 64 MiB in flight, then block; reconnect for ever, 100 ms to 5 s apart. */
    public static final StreamOptions DEFAULT =
            new StreamOptions(
                    100_000,
                    64L << 20,
                    WhenFull.BLOCK,
                    RECONNECT_FOR_EVER,
                    Duration.ofMillis(100),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(300));

    /** What ingest does when as much is in flight as may be. */
    public enum WhenFull {
        /** Waits until there is room. */
        BLOCK,
        /** Throws RESOURCE_EXHAUSTED and takes nothing. */
        FAIL
    }

    public StreamOptions withInFlight(int rowsMax, long bytesMax, WhenFull whenFull) {
        return new StreamOptions(
                rowsMax,
                bytesMax,
                whenFull,
                reconnectsMax,
                backoffMin,
                backoffMax,
                openTimeout,
                ackTimeout,
                closeTimeout);
    }

    public StreamOptions withReconnects(int max, Duration backoffMin, Duration backoffMax) {
        return new StreamOptions(
                inFlightRowsMax,
                inFlightBytesMax,
                whenFull,
                max,
                backoffMin,
                backoffMax,
                openTimeout,
                ackTimeout,
                closeTimeout);
    }

    public StreamOptions withTimeouts(Duration open, Duration ack, Duration close) {
        return new StreamOptions(
                inFlightRowsMax,
                inFlightBytesMax,
                whenFull,
                reconnectsMax,
                backoffMin,
                backoffMax,
                open,
                ack,
                close);
    }
}
