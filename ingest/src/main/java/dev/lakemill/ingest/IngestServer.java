package dev.lakemill.ingest;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.grpc.Server;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.NettyServerBuilder;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The listener that producers connect to: plaintext, or TLS with ALPN. */
final class IngestServer {
    /** Beyond this a message is not even read; up to here its producer gets a clear refusal. */
    private static final int TRANSPORT_BYTES_MAX = 32 << 20;

    private static final Duration FORCED_END = Duration.ofSeconds(3);

    private final Server server;
    private final Streams streams;
    private final GrpcConfig config;

    private IngestServer(Server server, Streams streams, GrpcConfig config) {
        this.server = server;
        this.streams = streams;
        this.config = config;
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION when the port is taken or TLS files are bad
     */
    static IngestServer start(GrpcConfig config, Streams streams) {
        // Handlers never block, so they run on the event loops: an executor would cost more
        // than all they do.
        var builder =
                NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
                        .directExecutor()
                        .maxInboundMessageSize(TRANSPORT_BYTES_MAX)
                        .flowControlWindow(ConnectionWindow.STREAM_BYTES_MIN)
                        .protocolNegotiator(
                                new ReadBursts(
                                        new ConnectionWindow(
                                                negotiator(config), config.stalledBytesMax()),
                                        streams.offers()))
                        .permitKeepAliveTime(10, TimeUnit.SECONDS)
                        .permitKeepAliveWithoutCalls(true)
                        .keepAliveTime(60, TimeUnit.SECONDS)
                        .addService(ZerobusService.definition(streams, config.messageBytesMax()))
                        .addService(ZerobusService.flight(streams, config.messageBytesMax()));
        try {
            return new IngestServer(builder.build().start(), streams, config);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "cannot listen for producers on %s:%d: %s"
                            .formatted(config.host(), config.port(), reason(e)),
                    "stop what uses the port, or choose another one",
                    e);
        }
    }

    int port() {
        return server.getPort();
    }

    /**
     * Lets producers end their streams, then ends those that are left once their rows are
     * acknowledged, then stops.
     */
    void close() {
        streams.drain(config.drainGrace());
        server.shutdown();
        try {
            if (!streams.awaitNone(config.drainGrace())) {
                streams.endAll();
                streams.awaitNone(FORCED_END);
            }
            server.shutdownNow();
            server.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    /** Cuts all connections. */
    void abort() {
        try {
            server.shutdownNow();
            server.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static ProtocolNegotiator negotiator(GrpcConfig config) {
        var certificate = config.certificate();
        var key = config.key();
        if (certificate != null && key != null) {
            return InternalProtocolNegotiators.serverTls(sslContext(certificate, key));
        }
        if (certificate != null || key != null) {
            throw badTls("a certificate and its key come together", null);
        }
        return InternalProtocolNegotiators.serverPlaintext();
    }

    private static SslContext sslContext(Path certificate, Path key) {
        try {
            return GrpcSslContexts.forServer(certificate.toFile(), key.toFile()).build();
        } catch (IOException | IllegalArgumentException e) {
            throw badTls("TLS cannot use %s and %s: %s".formatted(certificate, key, e), e);
        }
    }

    private static LakemillException badTls(String problem, @Nullable Exception cause) {
        var hint = "give PEM files: the certificate chain, and its PKCS 8 key without a password";
        return cause == null
                ? new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, hint)
                : new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, hint, cause);
    }

    private static String reason(IOException e) {
        var cause = e.getCause() == null ? e : e.getCause();
        return String.valueOf(cause.getMessage());
    }
}
