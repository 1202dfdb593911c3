package dev.lakemill.postgres;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where Postgres is.
 *
 * @param url a JDBC URL of a Postgres of your own (16 or newer); null for the embedded one
 * @param dataFolder of the embedded one; kept between starts
 * @param binFolder with postgres, initdb; null unpacks the ones that Maven brought
 * @param port on 127.0.0.1
 * @param systemUser whom to run it as when we are root
 */
public record PostgresConfig(
        @Nullable String url,
        Path dataFolder,
        @Nullable Path binFolder,
        int port,
        String systemUser,
        int maxConnections) {}
