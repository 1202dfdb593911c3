package dev.lakemill.api;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a server listens for producers.
 *
 * @param caFile PEM certificates to trust instead of the JDK's; null for the JDK's own
 */
public record Endpoint(String host, int port, boolean tls, @Nullable Path caFile) {

    public static Endpoint plaintext(String host, int port) {
        return new Endpoint(host, port, false, null);
    }

    public static Endpoint tls(String host, int port, @Nullable Path caFile) {
        return new Endpoint(host, port, true, caFile);
    }

    /** Reads {@code http://host:port} (plaintext) or {@code https://host:port} (TLS). */
    public static Endpoint parse(String uri) {
        var parsed = parsedOrNull(uri);
        if (parsed == null || parsed.getHost() == null || parsed.getPort() < 0) {
            throw bad(uri);
        }
        return switch (parsed.getScheme()) {
            case "http" -> plaintext(parsed.getHost(), parsed.getPort());
            case "https" -> tls(parsed.getHost(), parsed.getPort(), null);
            default -> throw bad(uri);
        };
    }

    /** The same endpoint, trusting the certificates of {@code caFile}. */
    public Endpoint withCaFile(Path caFile) {
        return new Endpoint(host, port, tls, caFile);
    }

    private static @Nullable URI parsedOrNull(String uri) {
        try {
            var parsed = URI.create(uri);
            return parsed.getScheme() == null ? null : parsed;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static LakemillException bad(String uri) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "'%s' is not an endpoint".formatted(uri),
                "write http://host:port, or https://host:port for TLS");
    }
}
