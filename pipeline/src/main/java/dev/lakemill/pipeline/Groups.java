package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.columns;
import static dev.lakemill.pipeline.MaintenanceSql.difference;
import static dev.lakemill.pipeline.MaintenanceSql.listed;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * GROUP BY whose measures all add up. It keeps, for each group, how many rows it has and what each
 * {@link Accumulator} keeps; a group without rows goes. A group in which a deleted row may have
 * been the greatest or least is computed anew.
 */
final class Groups implements Maintained {
    private final Relation.Aggregate aggregate;
    private final Maintained input;
    private final List<Accumulator> measures;
    private final Keys keys;
    private final List<Attribute> groupKeys;
    private final boolean losesByDeletion;
    private final StateTable state;
    private final Relation.Scan stand;
    private final String folded;
    private final String lost;
    private final Relation.Scan lostStand;
    private final String before;
    private final String changed;
    private final Relation.Scan changedStand;

    Groups(
            Relation.Aggregate aggregate,
            Maintained input,
            List<Accumulator> measures,
            MaintenanceSql sql) {
        this.aggregate = aggregate;
        this.input = input;
        this.measures = measures;
        this.groupKeys = aggregate.keys().stream().map(Named::attribute).toList();
        this.keys = Keys.of(aggregate.keys().stream().map(Named::value).toList(), sql);
        this.losesByDeletion = measures.stream().anyMatch(Accumulator::isLostByDeletion);
        this.state = new StateTable(sql.table("groups"));
        this.stand = sql.stand("(" + results(state.name()) + ")", aggregate.output());
        this.folded = sql.table("folded");
        this.lost = sql.table("lost");
        this.lostStand = sql.stand(lost, keys.names());
        this.before = sql.table("groups before");
        this.changed = sql.table("groups changed");
        this.changedStand = sql.stand(changed, weighted(aggregate.output()));
    }

    @Override
    public Relation now() {
        return stand;
    }

    @Override
    public void build(MaintenanceSql sql) {
        state.replace(sql.duck(), rebuilt(sql, input.now()));
    }

    @Override
    public Optional<Relation> changes(MaintenanceSql sql) {
        var changes = input.changes(sql);
        if (changes.isEmpty() || !sql.keep(folded, folded(sql, changes.get()))) {
            return Optional.empty();
        }
        var touched = "%s AS s SEMI JOIN %s AS g ON %s".formatted(state.name(), folded, match());
        var stood = sql.written(before, "SELECT * FROM (%s)".formatted(results(touched)));
        var lostGroups = losesByDeletion ? sql.count(folded + " WHERE gone") : 0;
        var written = sql.duck().written(merge(lostGroups > 0));
        if (lostGroups > 0) {
            computeAnew(sql);
        }
        // What a MERGE deletes is not told apart. As many groups went as came, or there are more.
        var came = written - (stood - lostGroups);
        state.gone(sql.duck(), came + lostGroups);
        return sql.keep(
                        changed,
                        difference(aggregate.output(), before, "(%s)".formatted(results(touched))))
                ? Optional.of(changedStand)
                : Optional.empty();
    }

    /** SQL of the measures of groups. */
    private String results(String from) {
        var results = new ArrayList<String>();
        groupKeys.forEach(key -> results.add(column(key)));
        measures.forEach(measure -> results.add(measure.result()));
        return "SELECT %s FROM %s".formatted(String.join(", ", results), from);
    }

    private String match() {
        return Keys.match(groupKeys, "s", "g");
    }

    /** SQL of the groups that weighted rows fold into. */
    private String folded(MaintenanceSql sql, Relation weighted) {
        var computed = new ArrayList<>(aggregate.keys());
        measures.forEach(measure -> computed.add(measure.computed()));
        computed.add(new Named(WEIGHT, new Expression.Reference(WEIGHT)));
        var folds = measures.stream().map(m -> ", " + m.folded()).collect(Collectors.joining());
        return "SELECT %scoalesce(sum(%s), 0)::BIGINT AS n%s, coalesce(bool_or(%2$s < 0), false) AS gone FROM (%s)%s"
                .formatted(
                        listed(groupKeys),
                        column(WEIGHT),
                        folds,
                        sql.print(new Relation.Project(weighted, computed)),
                        groupKeys.isEmpty() ? "" : " GROUP BY " + columns(groupKeys));
    }

    /** SQL of groups as they are kept, of all their rows. */
    private String rebuilt(MaintenanceSql sql, Relation rows) {
        return "SELECT * EXCLUDE (gone) FROM (%s)"
                .formatted(folded(sql, weighted(rows, rows.output(), 1)));
    }

    private String merge(boolean isLost) {
        var sets = measures.stream().map(m -> ", " + m.merged()).collect(Collectors.joining());
        var names = new ArrayList<String>();
        groupKeys.forEach(key -> names.add(column(key)));
        names.add("n");
        measures.forEach(measure -> names.addAll(measure.kept()));
        return """
        MERGE INTO %1$s AS s USING %2$s AS g ON %3$s
        %4$sWHEN MATCHED THEN UPDATE SET n = s.n + g.n%5$s
        WHEN NOT MATCHED AND g.n <> 0 THEN INSERT (%6$s) VALUES (%7$s)"""
                .formatted(
                        state.name(),
                        isLost ? "(SELECT * FROM %s WHERE NOT gone)".formatted(folded) : folded,
                        match(),
                        groupKeys.isEmpty() ? "" : "WHEN MATCHED AND s.n + g.n = 0 THEN DELETE\n",
                        sets,
                        String.join(", ", names),
                        names.stream().map(n -> "g." + n).collect(Collectors.joining(", ")));
    }

    private void computeAnew(MaintenanceSql sql) {
        var named = new ArrayList<String>();
        for (int i = 0; i < groupKeys.size(); i++) {
            named.add(column(groupKeys.get(i)) + " AS " + column(keys.names().get(i)));
        }
        sql.keep(
                lost,
                "SELECT %s FROM %s WHERE gone"
                        .formatted(
                                named.isEmpty() ? "1 AS nothing" : String.join(", ", named),
                                folded));
        sql.duck()
                .repeat(
                        "DELETE FROM %s AS s USING %s AS g WHERE g.gone AND %s"
                                .formatted(state.name(), folded, match()));
        var rows = keys.within(input.now(), lostStand);
        sql.duck().repeat("INSERT INTO %s %s".formatted(state.name(), rebuilt(sql, rows)));
    }

    @Override
    public List<Maintained> inputs() {
        return List.of(input);
    }

    @Override
    public MaintenanceKind kind() {
        return losesByDeletion ? MaintenanceKind.AFFECTED_KEYS : MaintenanceKind.LINEAR;
    }
}
