package dev.lakemill.api;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

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
    private final ManagedChannel channel;
    private final Supplier<String> token;

    private ProducerClient(ManagedChannel channel, Supplier<String> token) {
        this.channel = channel;
        this.token = token;
    }

    /**
     * Makes a client; the network is touched when the first stream opens.
     *
     * @param token gives the bearer token, asked anew each time a stream is opened or reopened; may
     *     block; when it throws, it is asked again later as after a lost connection
     * @throws LakemillException INVALID_ARGUMENT when the endpoint's CA file cannot be read
     */
    public static ProducerClient connect(Endpoint endpoint, Supplier<String> token) {
        var builder =
                NettyChannelBuilder.forAddress(endpoint.host(), endpoint.port())
                        .directExecutor()
                        .disableRetry()
                        .userAgent("lakemill-producer");
        if (endpoint.tls()) {
            builder.sslContext(sslContext(endpoint));
        } else {
            builder.usePlaintext();
        }
        return new ProducerClient(builder.build(), token);
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
        var state = new StreamState(options, observer, Clock.systemUTC());
        var create = Connector.create(table, format);
        var random = RandomGenerator.of("L64X128MixRandom");
        var connector = new Connector(channel, token, random, state, create);
        var thread = Thread.ofVirtual().name("producer-" + table).start(connector);
        return new ProducerStream(table, format, state, connector, thread);
    }

    /** Closes the connection. Streams should be closed before; those that are not fail. */
    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static SslContext sslContext(Endpoint endpoint) {
        try {
            var builder = GrpcSslContexts.forClient();
            var caFile = endpoint.caFile();
            if (caFile != null) {
                builder.trustManager(caFile.toFile());
            }
            return builder.build();
        } catch (IOException | IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the CA file %s cannot be used: %s".formatted(endpoint.caFile(), e),
                    "give a PEM file with the certificates that signed the server's",
                    e);
        }
    }
}
