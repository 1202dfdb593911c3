package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.TableName;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * How the inputs of a view with an interval have changed since it was refreshed: so the next
 * refresh takes several batches for one. Lies in DuckDB, and goes with a batch that is undone.
 */
final class DeferredChanges {
    /** Beyond so many the view is computed anew. */
    private static final long ROWS_MAX = 1_000_000;

    private final Step.View view;
    private final Set<TableName> changed = new LinkedHashSet<>();
    private long rows;

    DeferredChanges(Step.View view) {
        this.view = view;
    }

    /** Adds a batch; false when there is no room for it. */
    boolean add(ViewMaintenance.Refresh batch) {
        for (var input : view.query().columnsRead().keySet()) {
            batch.changes(input).ifPresent(changes -> add(batch.duck(), input, changes));
        }
        return rows <= ROWS_MAX;
    }

    private void add(DuckSession duck, TableName input, String changes) {
        var into = changed.add(input) ? "CREATE OR REPLACE TEMP TABLE %s AS" : "INSERT INTO %s";
        rows += duck.written(into.formatted(table(input)) + " FROM " + changes);
    }

    private String table(TableName input) {
        return quoted("%s waits for %s".formatted(view.name(), input));
    }

    boolean isEmpty() {
        return changed.isEmpty();
    }

    /** As if all that was added, the batch itself included, had come in the batch. */
    ViewMaintenance.Refresh together(ViewMaintenance.Refresh batch) {
        return new ViewMaintenance.Refresh(
                batch.duck(), batch.query(), new Together(batch.inputs()), batch.everything());
    }

    void forget() {
        changed.clear();
        rows = 0;
    }

    private final class Together implements ViewMaintenance.Inputs {
        private final ViewMaintenance.Inputs batch;

        Together(ViewMaintenance.Inputs batch) {
            this.batch = batch;
        }

        @Override
        public Optional<String> changes(TableName input) {
            return changed.contains(input) ? Optional.of(table(input)) : Optional.empty();
        }

        @Override
        public String fresh(TableName table) {
            return batch.fresh(table);
        }

        @Override
        public String whole(TableName table) {
            return batch.whole(table);
        }
    }
}
