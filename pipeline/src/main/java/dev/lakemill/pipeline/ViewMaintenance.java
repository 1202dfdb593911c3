package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Optional;

/**
 * Keeps one view equal to its query. One object per view; the pipeline's thread calls it inside the
 * batch's transaction, which may be rolled back: what it keeps between batches stands in DuckDB.
 *
 * <p>Full recomputation is one way. An incremental one reads what its inputs changed ({@link
 * Refresh#changes}) and touches only what that reaches; both answer in the same form.
 */
interface ViewMaintenance {
    /** Beside a change's columns: 1 for a row that came, -1 for one that went. */
    String WEIGHT = "_lakemill_weight";

    /** Called when an input changed or, if the query uses now(), in every batch. */
    Refreshed refresh(Refresh refresh);

    /**
     * What a refresh works with.
     *
     * @param content SQL name of the view's content before
     * @param query SQL of the view's query, its expectations applied
     * @param nowBefore of the batch before, whose content it was
     */
    record Refresh(
            DuckSession duck,
            Step.View view,
            String content,
            String query,
            Instant now,
            Instant nowBefore,
            Changes inputs) {
        /** How an input changed in the batch; empty when it did not. */
        Optional<String> changes(TableName input) {
            return inputs.of(input);
        }
    }

    /** How tables changed in the running batch. */
    interface Changes {
        /** SQL of the changed rows: the table's columns and {@link #WEIGHT}. */
        Optional<String> of(TableName table);
    }

    /**
     * What a refresh found; the changes stand only when the batch is done.
     *
     * @param content SQL name of a table with the view's content now
     * @param changes SQL of the changed rows, to be read in this batch: the view's columns and
     *     {@link #WEIGHT}, a row as often as it came or went
     */
    record Refreshed(String content, String changes) {}
}
