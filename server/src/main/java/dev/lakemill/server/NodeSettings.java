package dev.lakemill.server;

import dev.lakemill.identity.ExternalIssuerConfig;
import dev.lakemill.ingest.IngestConfig;
import dev.lakemill.ingest.LandingConfig;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.LogConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a node's parts are given of the configuration. */
final class NodeSettings {
    private NodeSettings() {}

    /** Postgres itself has a port of its own, which nobody needs to know. */
    static PostgresConfig postgres(Config config) {
        var url = config.text(Setting.POSTGRES_URL);
        var settings = postgres(config, url.isEmpty() ? null : url, config.data());
        return config.path(Setting.BACKUP_FOLDER) == null
                ? settings
                : settings.archiving(Math.max(1, config.number(Setting.BACKUP_INTERVAL_S)));
    }

    /** The embedded one of another data folder. */
    static PostgresConfig postgresIn(Config config, Path data) {
        return postgres(config, null, data);
    }

    private static PostgresConfig postgres(Config config, @Nullable String url, Path data) {
        return new PostgresConfig(
                url,
                data.resolve("postgres"),
                config.path(Setting.POSTGRES_BIN),
                0,
                config.text(Setting.POSTGRES_USER),
                config.number(Setting.POSTGRES_CONNECTIONS));
    }

    /** The provider of identities that is set; none without. */
    static Optional<ExternalIssuerConfig> externalIssuer(Config config) {
        var issuer = config.text(Setting.OIDC_ISSUER);
        if (issuer.isEmpty()) {
            return Optional.empty();
        }
        var audience = config.text(Setting.OIDC_AUDIENCE);
        if (audience.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "oidc.issuer is set and oidc.audience is not",
                    "set it to what the provider calls this service, so that tokens for other"
                            + " services are not taken");
        }
        return Optional.of(
                new ExternalIssuerConfig(
                        issuer,
                        audience,
                        config.text(Setting.OIDC_NAME_CLAIM),
                        Boolean.parseBoolean(config.text(Setting.OIDC_CREATE_USERS))));
    }

    /** Without a slash at its end. */
    static String publicUrl(Config config, int port) {
        var url = config.text(Setting.HTTP_PUBLIC_URL);
        if (!url.isEmpty()) {
            return url.replaceFirst("/+$", "");
        }
        var host = config.text(Setting.HTTP_HOST);
        var everywhere = host.equals("0.0.0.0") || host.equals("::");
        return "http://%s:%d".formatted(everywhere ? "localhost" : host, port);
    }

    static IngestConfig ingest(Config config) {
        var segment = config.number(Setting.LOG_SEGMENT_MB) << 20;
        var total = (long) config.number(Setting.LOG_TOTAL_MB) << 20;
        var base = IngestConfig.of(config.text(Setting.NODE));
        var log = LogConfig.DEFAULT;
        return base.withLog(
                        new LogConfig(segment, total, log.queuedBytesMax(), log.frameBytesMax()))
                .withLanding(
                        LandingConfig.DEFAULT.with(
                                Duration.ofMillis(config.number(Setting.LANDING_INTERVAL_MS)),
                                LandingConfig.DEFAULT.commitBytes(),
                                (long) config.number(Setting.LANDING_PENDING_MB) << 20))
                .withGrpc(
                        base.grpc()
                                .withAddress(
                                        config.text(Setting.GRPC_HOST),
                                        config.number(Setting.GRPC_PORT))
                                .withTls(
                                        config.path(Setting.GRPC_CERTIFICATE),
                                        config.path(Setting.GRPC_KEY))
                                .withRates(IngestRates.of(config)));
    }
}
