package dev.lakemill.api;

import dev.lakemill.types.TableName;
import java.util.function.Supplier;

/**
 * A connection to a server, shared by any number of streams. Safe for use by many threads.
 *
 * <pre>{@code
 * try (var client = ProducerClient.connect(Endpoint.parse("http://127.0.0.1:7077"), () -> token);
 *         var stream = client.open(TableName.parse("farm.bronze.demand_events"))) {
 *     stream.ingestJson("{\"sku\": \"basil\", \"trays\": 4}");
 *     stream.flush();
 * }
 * }</pre>
 */
public final class ProducerClient implements AutoCloseable {

    private ProducerClient() {}

    /**
     * Makes a client; the network is touched when the first stream opens.
     *
     * @param token gives the bearer token, asked anew each time a stream is opened or reopened; may
     *     block
     */
    public static ProducerClient connect(Endpoint endpoint, Supplier<String> token) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Opens a stream of JSON records with the default options. */
    public ProducerStream open(TableName table) {
        return open(table, RecordFormat.JSON, StreamOptions.DEFAULT, ProducerObserver.NONE);
    }

    /**
     * Opens a stream. Returns at once: connecting goes on behind, and rows may be sent already.
     * {@link ProducerStream#awaitOpen} waits for the server's word.
     */
    public ProducerStream open(
            TableName table,
            RecordFormat format,
            StreamOptions options,
            ProducerObserver observer) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Closes the connection; streams should be closed before. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
