package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Whether the way to a Postgres of one's own is encrypted, by its URL's {@code sslmode}: off
 * loopback always but for {@code disable}; verified for {@code verify-ca} and {@code verify-full},
 * against {@code sslrootcert} or the JDK's authorities.
 *
 * @param context null for no TLS
 */
record FrontDoorBackendTls(@Nullable SslContext context) {
    static final FrontDoorBackendTls NONE = new FrontDoorBackendTls(null);

    static FrontDoorBackendTls of(PGSimpleDataSource source) {
        var mode = source.getSslMode() == null ? "prefer" : source.getSslMode();
        var verifies = mode.startsWith("verify-");
        var required = verifies || mode.equals("require");
        if (mode.equals("disable") || (!required && isLoopback(source.getServerNames()[0]))) {
            return NONE;
        }
        var builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
        var root = source.getSslRootCert();
        if (!verifies) {
            builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        } else if (root != null) {
            builder.trustManager(new File(root));
        }
        builder.endpointIdentificationAlgorithm(mode.equals("verify-full") ? "HTTPS" : null);
        try {
            return new FrontDoorBackendTls(builder.build());
        } catch (SSLException | IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "TLS to Postgres cannot be set up: " + e.getMessage(),
                    "see sslrootcert in postgres.url",
                    e);
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException _) {
            return false;
        }
    }

    void start(FrontDoorLine line, String host, int port) throws IOException, FrontDoorRefusal {
        var tls = context;
        if (tls == null) {
            return;
        }
        line.send(FrontDoorMessages.tlsRequest());
        if (line.read(1)[0] != 'S') {
            line.close();
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.CANNOT_CONNECT_NOW,
                    "the Postgres behind this door does not speak TLS",
                    "its administrator turns ssl on");
        }
        line.startTls(tls.newHandler(line.channel().alloc(), host, port));
    }
}
