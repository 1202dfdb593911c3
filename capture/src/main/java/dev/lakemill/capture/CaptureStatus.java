package dev.lakemill.capture;

import java.util.List;

/**
 * How far capture is.
 *
 * @param state STARTING, SNAPSHOT, STREAMING or WAITING (after an error, which is told)
 * @param slot its replication slot
 * @param confirmedLsn up to which everything is durable in Delta
 * @param tables in capture
 * @param changes written to histories since the start
 * @param commitToDeltaMillis from the commit in Postgres of the oldest change of the last round
 *     until it was durable in Delta
 * @param error why it does not go on; empty while it does
 */
public record CaptureStatus(
        State state,
        String slot,
        long confirmedLsn,
        List<String> tables,
        long changes,
        long commitToDeltaMillis,
        String error) {
    /** What it does. */
    public enum State {
        STARTING,
        SNAPSHOT,
        STREAMING,
        WAITING
    }

    public CaptureStatus {
        tables = List.copyOf(tables);
    }
}
