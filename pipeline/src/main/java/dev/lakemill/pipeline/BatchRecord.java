package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/**
 * What makes a batch repeatable: written and synced before the batch runs.
 *
 * @param sources the position reached in each source
 */
record BatchRecord(long number, Instant now, Map<TableName, Long> sources) {
    BatchRecord {
        sources = new TreeMap<>(sources);
    }
}
