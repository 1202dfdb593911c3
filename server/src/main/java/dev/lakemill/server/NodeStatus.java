package dev.lakemill.server;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code GET /api/status} and {@code lakemill status --json} tell.
 *
 * @param ready whether work can be taken; the reasons say why not
 * @param rowsPerSecond made durable, mean of the last five seconds
 */
@JsonNaming(SnakeCaseStrategy.class)
record NodeStatus(
        String node,
        String version,
        boolean ready,
        List<String> reasons,
        double uptimeSeconds,
        double rowsPerSecond,
        Addresses addresses,
        List<TableStatus> tables,
        List<PipelineState> pipelines) {

    /** Where to find what. The psql line has no password; it is in the data folder. */
    @JsonNaming(SnakeCaseStrategy.class)
    record Addresses(String grpc, String http, String postgres) {}

    /**
     * One table.
     *
     * @param rows that readers of this table see now
     * @param position log position (INGESTED), batch (SYNCED) or Delta version (the others)
     * @param freshnessMs age of the newest row when it last changed; null before the first
     */
    @JsonNaming(SnakeCaseStrategy.class)
    record TableStatus(
            String name, String kind, long rows, long position, @Nullable Long freshnessMs) {}

    /** One pipeline. */
    @JsonNaming(SnakeCaseStrategy.class)
    record PipelineState(
            String name,
            String state,
            long batch,
            double batchMs,
            @Nullable String error,
            List<ExpectationState> expectations) {}

    /** How one rule did since the pipeline's first batch. */
    @JsonNaming(SnakeCaseStrategy.class)
    record ExpectationState(
            String table, String name, String action, long passed, long failed) {}
}
