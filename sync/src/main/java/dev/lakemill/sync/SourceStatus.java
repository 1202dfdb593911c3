package dev.lakemill.sync;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a synced table that follows a Delta table stands.
 *
 * @param table what is in Postgres
 * @param version of the source in Delta that it shows; -1 while rows come before Delta has them,
 *     and of a view
 * @param committedAt when that version was committed, or its newest row received; null for none
 * @param startedAt when the last change of the group began; null before the first
 * @param problem why it does not go on at present; empty while it does
 * @param staleMillis how long the source has had what the table does not show; 0 when it shows all
 * @param progress of what is being done now; null while nothing is
 */
public record SourceStatus(
        TableName name,
        State state,
        SyncStatus table,
        long version,
        @Nullable Instant committedAt,
        @Nullable Instant startedAt,
        String problem,
        long staleMillis,
        @Nullable Progress progress) {
    /** Of one that shows what it had, and no more for a reason. */
    public static SourceStatus standing(TableName name, TableName source, String why) {
        return new SourceStatus(
                name,
                State.ONLINE_PIPELINE_FAILED,
                new SyncStatus(name, source, 0, 0, 0, null, Map.of(), why, null),
                -1,
                null,
                null,
                why,
                0,
                null);
    }

    /** As Databricks names them, without {@code SYNCED_TABLE_}. */
    public enum State {
        PROVISIONING,
        PROVISIONING_INITIAL_SNAPSHOT,
        ONLINE_CONTINUOUS_UPDATE,
        ONLINE_TRIGGERED_UPDATE,
        ONLINE_NO_PENDING_UPDATE,
        ONLINE_PIPELINE_FAILED,
        OFFLINE_FAILED
    }

    /**
     * Of a snapshot that is being written.
     *
     * @param rows read
     * @param rowsTotal as the log of the source counts them
     * @param completion of all the work, with the indexes, from 0 to 1
     * @param secondsLeft an estimate
     */
    public record Progress(long rows, long rowsTotal, double completion, double secondsLeft) {}
}
