package dev.lakemill.server;

import dev.lakemill.ingest.RateLimits;

/** How fast rows may come, by the settings {@code ingest.*}. */
final class IngestRates {
    private static final long MEGABYTE = 1_000_000;

    private IngestRates() {}

    static RateLimits of(Config config) {
        return new RateLimits(
                rate(config, Setting.INGEST_STREAM_ROWS, Setting.INGEST_STREAM_MB),
                rate(config, Setting.INGEST_TABLE_ROWS, Setting.INGEST_TABLE_MB),
                rate(config, Setting.INGEST_PRINCIPAL_ROWS, Setting.INGEST_PRINCIPAL_MB));
    }

    private static RateLimits.Rate rate(Config config, Setting rows, Setting megabytes) {
        return new RateLimits.Rate(config.number(rows), config.number(megabytes) * MEGABYTE);
    }
}
