package dev.lakemill.ingest;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where and how producers are listened to.
 *
 * @param port 0 picks a free one
 * @param certificate PEM file; with {@code key} turns TLS on; null for plaintext
 * @param key PEM file of the certificate's private key, PKCS 8, without password; null for
 *     plaintext
 * @param messageBytesMax the largest request; a larger one is refused
 * @param streamsMax open streams; one more is refused with RESOURCE_EXHAUSTED
 * @param stallMax how long a stream may wait for room before it ends with RESOURCE_EXHAUSTED; below
 *     the 60 s after which producers lose patience by themselves
 * @param drainGrace how long producers have to end their streams when the server closes
 * @param openingMax how long a stream may take to be opened before it ends with UNAVAILABLE
 * @param rates how fast they may send
 * @param stalledBytesMax what streams may send unread, together, beyond the 64 KiB that each always
 *     may; requests that were read and wait for room may hold twice as much
 */
public record GrpcConfig(
        String host,
        int port,
        @Nullable Path certificate,
        @Nullable Path key,
        int messageBytesMax,
        int streamsMax,
        Duration stallMax,
        Duration drainGrace,
        Duration openingMax,
        RateLimits rates,
        long stalledBytesMax) {
    public static final GrpcConfig DEFAULT =
            new GrpcConfig(
                    "127.0.0.1",
                    7077,
                    null,
                    null,
                    10 << 20,
                    10_000,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(3),
                    Duration.ofSeconds(30),
                    RateLimits.NONE,
                    Math.max(64L << 20, Runtime.getRuntime().maxMemory() / 8));

    public GrpcConfig withAddress(String newHost, int newPort) {
        return new GrpcConfig(
                newHost,
                newPort,
                certificate,
                key,
                messageBytesMax,
                streamsMax,
                stallMax,
                drainGrace,
                openingMax,
                rates,
                stalledBytesMax);
    }

    public GrpcConfig withTls(@Nullable Path newCertificate, @Nullable Path newKey) {
        return new GrpcConfig(
                host,
                port,
                newCertificate,
                newKey,
                messageBytesMax,
                streamsMax,
                stallMax,
                drainGrace,
                openingMax,
                rates,
                stalledBytesMax);
    }

    public GrpcConfig withLimits(int streams, Duration stall, Duration drain) {
        return new GrpcConfig(
                host,
                port,
                certificate,
                key,
                messageBytesMax,
                streams,
                stall,
                drain,
                openingMax,
                rates,
                stalledBytesMax);
    }

    public GrpcConfig withOpeningMax(Duration opening) {
        return new GrpcConfig(
                host,
                port,
                certificate,
                key,
                messageBytesMax,
                streamsMax,
                stallMax,
                drainGrace,
                opening,
                rates,
                stalledBytesMax);
    }

    public GrpcConfig withRates(RateLimits newRates) {
        return new GrpcConfig(
                host,
                port,
                certificate,
                key,
                messageBytesMax,
                streamsMax,
                stallMax,
                drainGrace,
                openingMax,
                newRates,
                stalledBytesMax);
    }

    public GrpcConfig withStalledBytesMax(long newStalledBytesMax) {
        return new GrpcConfig(
                host,
                port,
                certificate,
                key,
                messageBytesMax,
                streamsMax,
                stallMax,
                drainGrace,
                openingMax,
                rates,
                newStalledBytesMax);
    }
}
