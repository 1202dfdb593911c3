package dev.lakemill.api;

import dev.lakemill.api.zerobus.RetireStreamRequest;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
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
        var state = new StreamState(options, observer, Clock.systemUTC(), false);
        return start(table, format, state, Protocol.EPHEMERAL);
    }

    /**
     * Opens a persistent stream, whose rows stand exactly once in the table. Its offsets and its
     * {@link ProducerStream#streamId} outlive connections and processes.
     */
    public ProducerStream openPersistent(
            TableName table,
            RecordFormat format,
            StreamOptions options,
            ProducerObserver observer) {
        var state = new StreamState(options, observer, Clock.systemUTC(), true);
        return start(table, format, state, Protocol.PERSISTENT);
    }

    /**
     * Goes on with a persistent stream that an earlier process opened. Waits for the server's word:
     * {@link ProducerStream#ackedOffset} is then the last request that the server has, and the next
     * one gets the offset behind it.
     *
     * @throws LakemillException NOT_FOUND when there is no such stream; UNAVAILABLE when the server
     *     does not answer in time
     */
    public ProducerStream resumePersistent(
            TableName table, RecordFormat format, StreamOptions options, String streamId) {
        var state = new StreamState(options, ProducerObserver.NONE, Clock.systemUTC(), true);
        state.resume(streamId);
        var stream = start(table, format, state, Protocol.PERSISTENT);
        boolean opened = false;
        try {
            stream.awaitOpen(options.openTimeout());
            opened = true;
            return stream;
        } finally {
            if (!opened) {
                stream.abandon();
            }
        }
    }

    /** Ends a persistent stream for good; a repetition changes nothing. */
    public void retire(TableName table, String streamId) {
        var request =
                RetireStreamRequest.newBuilder()
                        .setTableName(table.toString())
                        .setStreamId(streamId)
                        .build();
        var headers = Connector.headers(table, token.get());
        try {
            ZerobusGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .retireStream(request);
        } catch (StatusRuntimeException e) {
            throw Connector.failure(table, e.getStatus());
        }
    }

    private <Q, R> ProducerStream start(
            TableName table, RecordFormat format, StreamState state, Protocol<Q, R> protocol) {
        var route = new Connector.Route(channel, token, RandomGenerator.of("L64X128MixRandom"));
        var connector = new Connector<>(route, state, protocol, Connector.create(table, format));
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
