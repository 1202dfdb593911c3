package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Optional;

/**
 * Keeps one view equal to its query. One object per view; the pipeline's thread calls it inside the
 * batch's transaction, which may be rolled back.
 */
interface ViewMaintenance extends AutoCloseable {
    /** Beside a change's columns: 1 for a row that came, -1 for one that went. */
    String WEIGHT = "_lakemill_weight";

    /**
     * Brings the view's table to this batch. Called when an input changed or, if the query uses
     * now(), in every batch.
     *
     * @return empty when the view did not change
     */
    Optional<ViewChange> refresh(Refresh refresh);

    /**
     * The now() of the last {@link #refresh}: from there on the view follows the rows that the
     * clock takes from it.
     */
    Instant refreshed();

    /** An input changed in a batch in which it is not the view's turn. */
    default void defer(Refresh refresh) {}

    /** The batch was undone, and with it all that was written in DuckDB. */
    default void undone() {}

    @Override
    default void close() {}

    /** How the view is kept now. */
    ViewStatus status();

    /**
     * What a refresh works with.
     *
     * @param query SQL of the view's query, its expectations applied
     * @param everything whether the view's content may be of another plan, and changes are not told
     */
    record Refresh(DuckSession duck, String query, Inputs inputs, boolean everything) {
        /** How an input changed in the batch; empty when it did not. */
        Optional<String> changes(TableName input) {
            return inputs.changes(input);
        }

        /** The same of another query. */
        Refresh by(String other) {
            return new Refresh(duck, other, inputs, everything);
        }
    }

    /** The tables in the running batch, and how they changed. */
    interface Inputs extends Query.Tables {
        /** SQL of the changed rows: the table's columns and {@link #WEIGHT}. */
        Optional<String> changes(TableName table);
    }
}
