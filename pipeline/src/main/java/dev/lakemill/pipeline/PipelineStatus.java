package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a pipeline stands.
 *
 * @param batch the last batch; 0 before the first
 * @param now the last batch's frozen now()
 * @param committedBatch the batch at which all outputs stand in Delta
 * @param committedFreshnessMillis from durable to in Delta, of the newest source row of the last
 *     commit round that had one; null before the first
 * @param tables what became of the rows of sources, streaming tables and views with expectations
 * @param backlog how many log bytes the newest row of each source is ahead of the last batch
 * @param positions reached in each source by the last batch
 * @param pendingBytes rows that wait for Delta
 * @param batches of this process
 * @param views how each view is kept
 * @param audits of this process, each of one view
 * @param waiting why no batch runs though there is work; empty when nothing is in the way
 * @param error why the pipeline failed; empty unless it did
 * @param hint how to mend it; empty unless it failed
 */
public record PipelineStatus(
        State state,
        long batch,
        Instant now,
        long committedBatch,
        @Nullable Long committedFreshnessMillis,
        Map<TableName, TableCount> tables,
        Map<TableName, Long> backlog,
        Map<TableName, Long> positions,
        long pendingBytes,
        Batches batches,
        Map<TableName, ViewStatus> views,
        Audits audits,
        String waiting,
        String error,
        String hint) {
    public PipelineStatus {
        tables = Map.copyOf(tables);
        backlog = Map.copyOf(backlog);
        views = Map.copyOf(views);
        positions = Map.copyOf(positions);
    }

    PipelineStatus withBacklog(Map<TableName, Long> newer) {
        return new PipelineStatus(
                state,
                batch,
                now,
                committedBatch,
                committedFreshnessMillis,
                tables,
                newer,
                positions,
                pendingBytes,
                batches,
                views,
                audits,
                waiting,
                error,
                hint);
    }

    public enum State {
        /** Loading its state, or repeating the batches since the last commit round. */
        STARTING,
        RUNNING,
        /** A row or a rule forbids a batch; the tables keep their last good content. */
        FAILED,
        STOPPED
    }

    /**
     * The batches of this process.
     *
     * @param lastMillis how long the last one took
     * @param sumMillis how long all took
     * @param rows that they took from sources
     */
    public record Batches(long count, long lastMillis, long sumMillis, long rows) {
        static final Batches NONE = new Batches(0, 0, 0, 0);

        Batches plus(long millis, long more) {
            return new Batches(count + 1, millis, sumMillis + millis, rows + more);
        }
    }

    /**
     * The audits that the configuration asks for.
     *
     * @param differing views that were not equal to their queries; each was computed anew
     * @param last null before the first
     */
    public record Audits(long count, long differing, @Nullable ViewAudit last) {
        static final Audits NONE = new Audits(0, 0, null);

        Audits plus(ViewAudit audit) {
            return new Audits(count + 1, differing + (audit.equal() ? 0 : 1), audit);
        }
    }
}
