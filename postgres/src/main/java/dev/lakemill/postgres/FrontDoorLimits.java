package dev.lakemill.postgres;

import java.time.Duration;

/**
 * What a door takes at most. Beyond a limit a client is told so and sent away.
 *
 * @param connections that are logged in, of all principals
 * @param handshakes connections that are not logged in yet; a quarter of them from one address
 * @param handshake the time for TLS, password and login together
 * @param startupBytes of a startup packet
 * @param passwordBytes of a password
 * @param idle the time without a byte in either direction
 * @param life of a connection, however busy
 * @param failuresPerMinute failed logins from one address
 */
public record FrontDoorLimits(
        int connections,
        int connectionsPerPrincipal,
        int handshakes,
        Duration handshake,
        int startupBytes,
        int passwordBytes,
        Duration idle,
        Duration life,
        int failuresPerMinute) {
    /** As Lakebase has them where it has them. */
    public static FrontDoorLimits of(int connections) {
        return new FrontDoorLimits(
                connections,
                connections,
                256,
                Duration.ofSeconds(15),
                10_000,
                64 << 10,
                Duration.ofHours(24),
                Duration.ofDays(3),
                30);
    }
}
