package dev.lakemill.pipeline;

import dev.lakemill.feed.Changes;
import dev.lakemill.types.TableName;
import java.util.Map;

/** How a batch ended. */
sealed interface BatchOutcome {
    /**
     * It stands.
     *
     * @param changes of outputs that changed; the receiver's to close
     * @param counts of the batch: to be added up for sources and streaming tables, standing as they
     *     are for views
     */
    record Done(Map<TableName, Changes> changes, Map<TableName, TableCount> counts)
            implements BatchOutcome {}

    /** A row or a rule forbids it, and would again; nothing was changed. */
    record Rejected(String reason, String hint) implements BatchOutcome {}

    /** Memory or the temporary folder is full; nothing was changed; later it may go through. */
    record Exhausted(String reason) implements BatchOutcome {}
}
