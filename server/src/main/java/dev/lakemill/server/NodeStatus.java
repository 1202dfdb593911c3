package dev.lakemill.server;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lakemill.pipeline.Rebuild;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /api/status} and {@code lakemill status --json} tell.
 *
 * @param ready whether work can be taken; the reasons say why not
 * @param caughtUp whether Postgres shows every row that was acknowledged
 * @param rowsPerSecond made durable, mean of the last seconds
 * @param rowsPerSecondMean the same since the start of the process
 * @param capture of state tables; null where it is off
 * @param notRowAudited state tables whose owners said so
 */
@JsonNaming(SnakeCaseStrategy.class)
record NodeStatus(
        String node,
        String version,
        boolean ready,
        List<String> reasons,
        boolean caughtUp,
        double uptimeSeconds,
        double rowsPerSecond,
        double rowsPerSecondMean,
        List<TableState> tables,
        List<PipelineState> pipelines,
        @Nullable CaptureState capture,
        List<RowAuditState> notRowAudited) {

    /** The same without the tables that somebody may not see. */
    NodeStatus of(Predicate<String> seen) {
        return new NodeStatus(
                node,
                version,
                ready,
                reasons,
                caughtUp,
                uptimeSeconds,
                rowsPerSecond,
                rowsPerSecondMean,
                tables.stream().filter(table -> seen.test(table.name())).toList(),
                pipelines.stream().map(pipeline -> pipeline.of(seen)).toList(),
                capture == null ? null : capture.withoutTables(),
                notRowAudited.stream().filter(table -> seen.test(table.table())).toList());
    }

    /** A state table whose rows are not audited, why, who said so, and when. */
    @JsonNaming(SnakeCaseStrategy.class)
    record RowAuditState(String table, String reason, String changedBy, String changedAt) {}

    /**
     * How far state tables are read back into the lake.
     *
     * @param state STARTING, SNAPSHOT, STREAMING or WAITING
     * @param lagBytes of its log that Postgres keeps for the slot; null when it does not say
     * @param tables of Postgres that are captured
     * @param changes written to histories since the start
     * @param commitToDeltaMs of the last commit to Delta
     * @param error why it waits; empty while it does not
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record CaptureState(
            String state,
            String slot,
            @Nullable Long lagBytes,
            List<String> tables,
            long changes,
            long commitToDeltaMs,
            String error) {
        private CaptureState withoutTables() {
            return new CaptureState(
                    state, slot, lagBytes, List.of(), changes, commitToDeltaMs, error);
        }
    }

    /**
     * One table.
     *
     * @param source of a synced table: what it copies
     * @param rows that readers of this table see now
     * @param position of the log (INGESTED), batch (SYNCED) or version of Delta (the others)
     * @param freshnessMs how long the newest row took from durable to visible here, when it last
     *     changed; null before the first, and where it is not known
     * @param load of a synced table that is being loaded; null otherwise
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record TableState(
            String name,
            String kind,
            @Nullable String source,
            long rows,
            long position,
            @Nullable Long freshnessMs,
            @Nullable LoadState load) {}

    /**
     * A synced table that is being loaded, in Lakebase's words.
     *
     * @param syncProgressCompletion from 0 to 1
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record LoadState(
            long syncedRowCount,
            long totalRowCount,
            double syncProgressCompletion,
            double estimatedCompletionTimeSeconds) {}

    /**
     * One pipeline.
     *
     * @param error why it, or its newest text, does not run; null while it does
     * @param rebuild tables that are computed anew; null when there are none
     * @param views how each view is kept
     * @param audit what the audits of its views found; null before the first
     * @param files of the folders that it reads
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record PipelineState(
            String name,
            String state,
            long batch,
            double batchMs,
            @Nullable String error,
            @Nullable RebuildState rebuild,
            List<OutputState> outputs,
            List<ExpectationState> expectations,
            List<ViewState> views,
            @Nullable AuditState audit,
            List<FileState> files) {
        /**
         * One that does not run.
         *
         * @param why null while it computes its tables
         */
        static PipelineState down(
                String name,
                @Nullable String why,
                @Nullable RebuildState rebuild,
                List<FileState> files) {
            return new PipelineState(
                    name,
                    why == null ? "REBUILDING" : "FAILED",
                    0,
                    0,
                    why,
                    rebuild,
                    List.of(),
                    List.of(),
                    List.of(),
                    null,
                    files);
        }

        private PipelineState of(Predicate<String> seen) {
            return new PipelineState(
                    name,
                    state,
                    batch,
                    batchMs,
                    error,
                    rebuild,
                    outputs.stream().filter(output -> seen.test(output.table())).toList(),
                    expectations.stream().filter(rule -> seen.test(rule.table())).toList(),
                    views.stream().filter(view -> seen.test(view.table())).toList(),
                    audit,
                    files.stream().filter(state -> seen.test(state.reader())).toList());
        }
    }

    /**
     * How one view is kept equal to its query.
     *
     * @param maintenance LINEAR, JOIN, AFFECTED_KEYS and RECOMPUTE: what its parts do
     * @param reason why not otherwise; empty where nothing needs to be said
     * @param refreshMs of the last few refreshes the mean
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record ViewState(String table, List<String> maintenance, String reason, double refreshMs) {}

    /**
     * The files of one folder.
     *
     * @param table that stands for them
     * @param files that were read
     * @param badFiles that were set aside
     * @param newestBad the last of them, with what is wrong
     * @param error why none is read now; empty while they are
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record FileState(
            String table,
            String path,
            long files,
            long badFiles,
            List<String> newestBad,
            String error) {
        /** The streaming table that reads them. */
        String reader() {
            return table.replaceFirst("__files_\\d+$", "");
        }
    }

    /** Views that were held against their queries since the start, and how many differed. */
    @JsonNaming(SnakeCaseStrategy.class)
    record AuditState(long views, long differing, String last) {}

    /**
     * Tables that are computed from the first row of their sources.
     *
     * @param done from 0 to 1
     * @param leftSeconds at the present speed; null while nothing can be said
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record RebuildState(List<String> tables, double done, @Nullable Double leftSeconds) {
        static RebuildState of(Set<TableName> tables, Rebuild.Progress progress) {
            var all = progress.doneBytes() + progress.leftBytes();
            var left = progress.left();
            return new RebuildState(
                    tables.stream().map(TableName::toString).toList(),
                    all <= 0 ? 0 : (double) progress.doneBytes() / all,
                    left == null ? null : left.toMillis() / 1000.0);
        }
    }

    /** What became of the rows of one streaming table: in = kept + quarantined + dropped. */
    @JsonNaming(SnakeCaseStrategy.class)
    record OutputState(String table, long in, long kept, long quarantined, long dropped) {}

    /** How one rule did since the table's first row. */
    @JsonNaming(SnakeCaseStrategy.class)
    record ExpectationState(String table, String name, String action, long passed, long failed) {}
}
