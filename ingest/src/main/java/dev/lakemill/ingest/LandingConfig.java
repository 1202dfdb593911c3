package dev.lakemill.ingest;

import java.time.Duration;

/**
 * How durable rows reach Bronze.
 *
 * @param linger how long rows wait for more before they go on to the feed together
 * @param commitInterval between two commits of a table
 * @param commitBytes a table that holds as much commits at once
 * @param pendingBytesMax what a table holds in memory until it stands in Delta; beyond it, its
 *     producers wait
 * @param retryMax the longest wait before a failed commit is tried again; the first is a tenth
 * @param closeTimeout how long a close waits for the last commits; what they miss stays in the log
 * @param compactEveryCommits commits of a table between two compactions; 0 for none
 * @param vacuumInterval between two vacuums of a table; zero for none
 * @param fileRetention how long removed files are kept for readers of old versions
 * @param discardUnknownTables whether rows in the log whose table is not there any more are dropped
 *     at a start; otherwise it is refused
 */
public record LandingConfig(
        Duration linger,
        Duration commitInterval,
        long commitBytes,
        long pendingBytesMax,
        Duration retryMax,
        Duration closeTimeout,
        int compactEveryCommits,
        Duration vacuumInterval,
        Duration fileRetention,
        boolean discardUnknownTables) {
    public static final LandingConfig DEFAULT =
            new LandingConfig(
                    Duration.ofMillis(10),
                    Duration.ofSeconds(1),
                    16L << 20,
                    64L << 20,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(10),
                    60,
                    Duration.ofHours(1),
                    Duration.ofDays(7),
                    false);

    /** The same with other times and limits of a commit. */
    public LandingConfig with(Duration interval, long bytes, long pendingMax) {
        return new LandingConfig(
                linger,
                interval,
                bytes,
                pendingMax,
                retryMax,
                closeTimeout,
                compactEveryCommits,
                vacuumInterval,
                fileRetention,
                discardUnknownTables);
    }

    /** The same with other waits. */
    public LandingConfig withWaits(Duration newLinger, Duration newRetryMax, Duration close) {
        return new LandingConfig(
                newLinger,
                commitInterval,
                commitBytes,
                pendingBytesMax,
                newRetryMax,
                close,
                compactEveryCommits,
                vacuumInterval,
                fileRetention,
                discardUnknownTables);
    }

    /** The same with other maintenance. */
    public LandingConfig withMaintenance(int everyCommits, Duration vacuum, Duration retention) {
        return new LandingConfig(
                linger,
                commitInterval,
                commitBytes,
                pendingBytesMax,
                retryMax,
                closeTimeout,
                everyCommits,
                vacuum,
                retention,
                discardUnknownTables);
    }

    /** The same, dropping rows of tables that are not there any more. */
    public LandingConfig discardingUnknownTables() {
        return new LandingConfig(
                linger,
                commitInterval,
                commitBytes,
                pendingBytesMax,
                retryMax,
                closeTimeout,
                compactEveryCommits,
                vacuumInterval,
                fileRetention,
                true);
    }
}
