package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What makes a batch repeatable: written and synced before the batch runs.
 *
 * @param sources the position reached in each source
 * @param once the flows that run a single time and have run, in this batch or before
 */
record BatchRecord(long number, Instant now, Map<TableName, Long> sources, Set<String> once) {
    BatchRecord {
        sources = new TreeMap<>(sources);
        once = new TreeSet<>(once);
    }

    BatchRecord(long number, Instant now, Map<TableName, Long> sources) {
        this(number, now, sources, Set.of());
    }
}
