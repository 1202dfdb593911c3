package dev.lakemill.pipeline;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a batch runs on.
 *
 * @param number counting up by one from 1
 * @param now frozen for the batch
 * @param rows new rows of sources, in order; they stay the caller's
 * @param once the flows that run a single time, in this batch
 * @param everything true to recompute all views, whatever changed
 * @param answers true to recompute the views that ask models
 */
record BatchInput(
        long number,
        Instant now,
        Map<TableName, List<TableBatch>> rows,
        Set<String> once,
        boolean everything,
        boolean answers) {
    BatchInput(
            long number, Instant now, Map<TableName, List<TableBatch>> rows, boolean everything) {
        this(number, now, rows, Set.of(), everything, everything);
    }

    long rowCount() {
        return rows.values().stream()
                .flatMap(List::stream)
                .mapToLong(batch -> batch.rows().count())
                .sum();
    }
}
