package dev.lakemill.catalog;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one entity made flow within a window of time. Recording the same flow again in the same
 * window adds its rows and moves its time.
 *
 * @param createdBy name of the principal on whose account
 * @param windowStart of the hour or day
 * @param time of the newest of it
 */
public record LineageFlow(
        LineageEntity entity,
        String createdBy,
        Instant windowStart,
        Instant time,
        List<Edge> edges) {
    /**
     * From one place to another.
     *
     * @param source null when rows come from outside
     * @param target null when rows are only read
     * @param columns which column of the target is made from which of the source; only values that
     *     flow, not what filters or joins
     * @param rows how many, as far as they were counted
     */
    public record Edge(
            @Nullable LineageNode source,
            @Nullable LineageNode target,
            List<Columns> columns,
            long rows) {
        public Edge {
            columns = List.copyOf(columns);
            if (source == null && target == null) {
                throw new IllegalArgumentException("an edge from nowhere to nowhere");
            }
            if (!columns.isEmpty() && (source == null || target == null)) {
                throw new IllegalArgumentException("columns need a source and a target");
            }
        }
    }

    public record Columns(String source, String target) {}

    public LineageFlow {
        edges = List.copyOf(edges);
    }
}
