package dev.lakemill.pipeline;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;

/**
 * New rows of sources.
 *
 * @param rows only of sources that have some; in order
 * @param positions reached, of every source
 */
record Gathered(Map<TableName, List<TableBatch>> rows, Map<TableName, Long> positions)
        implements AutoCloseable {
    /** When the newest row became durable; 0 for none. */
    long receivedMicros() {
        return rows.values().stream()
                .flatMap(List::stream)
                .mapToLong(TableBatch::receivedMicros)
                .max()
                .orElse(0);
    }

    long count() {
        return rows.values().stream()
                .flatMap(List::stream)
                .mapToLong(batch -> batch.rows().count())
                .sum();
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    @Override
    public void close() {
        rows.values().forEach(batches -> batches.forEach(TableBatch::close));
    }
}
