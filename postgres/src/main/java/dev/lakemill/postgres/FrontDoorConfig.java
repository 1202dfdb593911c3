package dev.lakemill.postgres;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a front door listens, and by which certificate.
 *
 * @param host the address to listen on; without TLS only loopback is served, whatever it is
 * @param port 0 takes any free one
 * @param certificate PEM file of the chain; null for one that is made at the first start and kept
 * @param key PEM file of the certificate's private key (PKCS #8); null when certificate is
 * @param folder where the made certificate is kept, the key with mode 0600
 * @param spin for how long a loop looks for the next bytes before it sleeps, while they come that
 *     fast; zero for not at all
 * @param endAtExpiry whether a connection ends with its token; Lakebase lets it go on
 */
public record FrontDoorConfig(
        String host,
        int port,
        @Nullable Path certificate,
        @Nullable Path key,
        Path folder,
        Duration spin,
        boolean endAtExpiry,
        FrontDoorLimits limits) {
    private static final Duration SPIN = Duration.ofNanos(50_000);

    /** On loopback with a certificate of its own. */
    public static FrontDoorConfig local(Path folder, int port, int connectionsMax) {
        return new FrontDoorConfig(
                "127.0.0.1",
                port,
                null,
                null,
                folder,
                SPIN,
                false,
                FrontDoorLimits.of(connectionsMax));
    }
}
