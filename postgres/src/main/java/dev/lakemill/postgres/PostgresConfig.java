package dev.lakemill.postgres;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where Postgres is.
 *
 * @param url a JDBC URL of a Postgres of your own (16 or newer), with user and password; null for
 *     the embedded one. Roles belong to a whole server, so one server serves one Lakemill
 * @param dataFolder of the embedded one; kept between starts. With a URL it keeps the reader's
 *     password alone
 * @param binFolder with postgres and initdb; null unpacks the ones that Maven brought
 * @param port on 127.0.0.1; 0 takes any free one
 * @param systemUser whom to run it as when we are root; empty or {@code postgres} takes nobody
 *     where there is no user postgres
 * @param maxConnections of the embedded one, at least 25
 * @param archiveSeconds after which a begun file of the embedded one's write-ahead log is put into
 *     {@link Postgres#walOut}; 0 archives nothing
 * @param recovery how far the embedded one is brought first by an archive; null for a usual start
 */
public record PostgresConfig(
        @Nullable String url,
        Path dataFolder,
        @Nullable Path binFolder,
        int port,
        String systemUser,
        int maxConnections,
        int archiveSeconds,
        @Nullable PointInTime recovery) {
    /** Connections that stay ours (pools, syncers, capture), whatever readers do. */
    static final int OWN_CONNECTIONS = 20;

    public PostgresConfig {
        dataFolder = dataFolder.toAbsolutePath().normalize();
        maxConnections = Math.max(maxConnections, OWN_CONNECTIONS + 5);
    }

    /** One that archives nothing and starts as usual. */
    public PostgresConfig(
            @Nullable String url,
            Path dataFolder,
            @Nullable Path binFolder,
            int port,
            String systemUser,
            int maxConnections) {
        this(url, dataFolder, binFolder, port, systemUser, maxConnections, 0, null);
    }

    /** The same with its write-ahead log archived. */
    public PostgresConfig archiving(int seconds) {
        return new PostgresConfig(
                url, dataFolder, binFolder, port, systemUser, maxConnections, seconds, recovery);
    }

    /** The same, brought to a moment first. */
    public PostgresConfig recovering(PointInTime to) {
        return new PostgresConfig(
                url, dataFolder, binFolder, port, systemUser, maxConnections, 0, to);
    }

    /** An embedded Postgres in a folder, everything else as usual. */
    public static PostgresConfig embedded(Path dataFolder, int port) {
        return new PostgresConfig(null, dataFolder, null, port, "", 60);
    }
}
