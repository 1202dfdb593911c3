package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Where the pipeline stood at a batch, written and synced before a round commits that batch.
 *
 * @param receivedMicros when the newest source row up to the batch became durable; 0 for none
 * @param planHash of the plan that ran
 * @param due the outputs that the round was to commit, each with the transaction version after
 *     which it stands at the batch; all others stood there already
 * @param counts of all tables, up to the batch
 * @param once the flows that run a single time and have run
 */
record Checkpoint(
        long number,
        Instant now,
        Map<TableName, Long> sources,
        long receivedMicros,
        String planHash,
        Map<TableName, Long> due,
        Map<TableName, TableCount> counts,
        Set<String> once) {
    /** Before the first batch. */
    static final Checkpoint START =
            new Checkpoint(0, Instant.EPOCH, Map.of(), 0, "", Map.of(), Map.of(), Set.of());

    Checkpoint {
        sources = new TreeMap<>(sources);
        due = new TreeMap<>(due);
        counts = new TreeMap<>(counts);
        once = new TreeSet<>(once);
    }

    BatchRecord record() {
        return new BatchRecord(number, now, sources, once);
    }
}
