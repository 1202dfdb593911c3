package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.columns;
import static dev.lakemill.pipeline.MaintenanceSql.difference;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Relation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An operator of one input whose few result rows are kept, and computed anew for the keys that
 * changes name: GROUP BY with measures that do not add up, and the first rows of each partition.
 *
 * <p>Of the latter, while no row goes, the rows kept and the new ones tell the result: what was
 * outranked stays outranked. No other row is read.
 */
final class KeptRows implements Maintained {
    private final Maintained input;
    private final KeptChanges inputChanges;
    private final Keys keys;
    private final Keys resultKeys;
    private final Operator operator;
    private final StateTable state;
    private final Relation.Scan stand;
    private final String touched;
    private final Relation.Scan touchedStand;
    private final String before;
    private final Relation.Scan beforeStand;
    private final String after;
    private final String changed;
    private final Relation.Scan changedStand;

    /** What is computed of the input's rows. */
    interface Operator {
        Relation over(Relation input);

        /** Whether {@link #over} may run over its own result and new rows together. */
        boolean isSelfSufficient();
    }

    /**
     * @param keys of the input's rows
     * @param resultKeys the same keys of the result's rows
     */
    KeptRows(Maintained input, Keys keys, Keys resultKeys, Operator operator, MaintenanceSql sql) {
        this.input = input;
        this.inputChanges = new KeptChanges(input, sql);
        this.keys = keys;
        this.resultKeys = resultKeys;
        this.operator = operator;
        var output = operator.over(input.now()).output();
        this.state = new StateTable(sql.table("kept"));
        this.stand = sql.stand(state.name(), output);
        this.touched = sql.table("keys");
        this.touchedStand = sql.stand(touched, keys.names());
        this.before = sql.table("kept before");
        this.beforeStand = sql.stand(before, output);
        this.after = sql.table("kept after");
        this.changed = sql.table("kept changes");
        this.changedStand = sql.stand(changed, weighted(output));
    }

    @Override
    public Relation now() {
        return stand;
    }

    @Override
    public void build(MaintenanceSql sql) {
        state.replace(sql.duck(), sql.print(operator.over(input.now())));
    }

    @Override
    public Optional<Relation> changes(MaintenanceSql sql) {
        var changes = inputChanges.changes(sql);
        if (changes.isEmpty()) {
            return Optional.empty();
        }
        sql.keep(
                touched,
                "SELECT DISTINCT * FROM (%s)".formatted(sql.print(keys.of(changes.get()))));
        sql.keep(before, sql.print(resultKeys.within(stand, touchedStand)));
        var rows =
                operator.isSelfSufficient() && !isAnyGone(sql)
                        ? withNew(changes.get())
                        : keys.within(input.now(), touchedStand);
        sql.keep(after, sql.print(operator.over(rows)));
        if (!sql.keep(changed, difference(stand.output(), before, after))) {
            return Optional.empty();
        }
        var gone = deleteTouched(sql);
        sql.duck().repeat("INSERT INTO %s FROM %s".formatted(state.name(), after));
        state.gone(sql.duck(), gone);
        return Optional.of(changedStand);
    }

    private boolean isAnyGone(MaintenanceSql sql) {
        return sql.count(inputChanges.table() + " WHERE " + column(WEIGHT) + " < 0") > 0;
    }

    private Relation withNew(Relation changes) {
        var columns = MaintenanceSql.same(inputChanges.columns());
        return MaintenanceSql.union(
                List.of(
                        new Relation.Project(beforeStand, columns),
                        new Relation.Project(changes, columns)));
    }

    private long deleteTouched(MaintenanceSql sql) {
        if (keys.isEmpty()) {
            return sql.duck().written("DELETE FROM " + state.name());
        }
        var same = new ArrayList<String>();
        for (int i = 0; i < keys.names().size(); i++) {
            same.add(
                    "%s IS NOT DISTINCT FROM k.%s"
                            .formatted(
                                    sql.print(resultKeys.values().get(i)),
                                    column(keys.names().get(i))));
        }
        return sql.duck()
                .written(
                        "DELETE FROM %s USING (SELECT %s FROM %s) AS k WHERE %s"
                                .formatted(
                                        state.name(),
                                        columns(keys.names()),
                                        touched,
                                        String.join(" AND ", same)));
    }

    @Override
    public List<Maintained> inputs() {
        return List.of(input);
    }

    @Override
    public MaintenanceKind kind() {
        return MaintenanceKind.AFFECTED_KEYS;
    }
}
