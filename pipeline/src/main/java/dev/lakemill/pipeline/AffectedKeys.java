package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.columns;
import static dev.lakemill.pipeline.MaintenanceSql.consolidated;
import static dev.lakemill.pipeline.MaintenanceSql.listed;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Relation;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An operator whose result for one key depends on its inputs' rows of that key alone: an outer
 * join, a semi or an anti join by equal columns, a window by its partition. The operator runs twice
 * over the rows of the keys that the changes name: over those now, and over those before, which are
 * those now less the changes.
 */
final class AffectedKeys implements Maintained {
    private final Function<List<Relation>, Relation> operator;
    private final List<Input> inputs;
    private final List<Attribute> output;
    private final int driving;
    private final String keys;
    private final Relation.Scan keysStand;

    /** An input with its keys, whose rows of affected keys are kept. */
    private record Input(
            Maintained part,
            Keys keys,
            KeptChanges changes,
            String now,
            Relation nowStand,
            String before,
            Relation beforeStand) {
        static Input of(Maintained part, Keys keys, MaintenanceSql sql) {
            var columns = part.now().output();
            var now = sql.table("affected");
            var before = sql.table("affected before");
            return new Input(
                    part,
                    keys,
                    new KeptChanges(part, sql),
                    now,
                    sql.stand(now, columns),
                    before,
                    sql.stand(before, columns));
        }
    }

    /**
     * @param parts with their keys, which have the same names in all
     * @param operator makes the result of relations in the parts' places
     * @param driving the part each of whose rows makes its result alone while the other stays as it
     *     is, as the left side of a left join does; -1 for none
     */
    AffectedKeys(
            List<Maintained> parts,
            List<Keys> keys,
            Function<List<Relation>, Relation> operator,
            int driving,
            MaintenanceSql sql) {
        this.operator = operator;
        this.driving = driving;
        this.inputs = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            inputs.add(Input.of(parts.get(i), keys.get(i), sql));
        }
        this.output = now().output();
        this.keys = sql.table("keys");
        this.keysStand = sql.stand(this.keys, keys.getFirst().names());
    }

    @Override
    public Relation now() {
        return operator.apply(inputs.stream().map(i -> i.part().now()).toList());
    }

    @Override
    public Optional<Relation> changes(MaintenanceSql sql) {
        var changes = inputs.stream().map(input -> input.changes().changes(sql)).toList();
        if (changes.stream().allMatch(Optional::isEmpty)) {
            return Optional.empty();
        }
        return isDrivenAlone(changes) ? Optional.of(driven(changes)) : affected(changes, sql);
    }

    private boolean isDrivenAlone(List<Optional<Relation>> changes) {
        for (int i = 0; i < changes.size(); i++) {
            if (i != driving && changes.get(i).isPresent()) {
                return false;
            }
        }
        return driving >= 0;
    }

    private Relation driven(List<Optional<Relation>> changes) {
        var sides = new ArrayList<Relation>();
        for (int i = 0; i < inputs.size(); i++) {
            sides.add(changes.get(i).orElse(inputs.get(i).part().now()));
        }
        return weighted(operator.apply(sides), output);
    }

    private Optional<Relation> affected(List<Optional<Relation>> changes, MaintenanceSql sql) {
        var named = new ArrayList<String>();
        for (int i = 0; i < inputs.size(); i++) {
            var keysOf = inputs.get(i).keys();
            changes.get(i).ifPresent(rows -> named.add(sql.print(keysOf.of(rows))));
        }
        sql.keep(keys, "SELECT DISTINCT * FROM (%s)".formatted(String.join(" UNION ALL ", named)));
        var now = new ArrayList<Relation>();
        var before = new ArrayList<Relation>();
        for (int i = 0; i < inputs.size(); i++) {
            var input = inputs.get(i);
            sql.keep(input.now(), sql.print(input.keys().within(input.part().now(), keysStand)));
            now.add(input.nowStand());
            if (changes.get(i).isPresent()) {
                sql.keep(input.before(), before(input));
                before.add(input.beforeStand());
            } else {
                before.add(input.nowStand());
            }
        }
        return Optional.of(
                MaintenanceSql.union(
                        List.of(
                                weighted(operator.apply(now), output, 1),
                                weighted(operator.apply(before), output, -1))));
    }

    /** SQL of the rows of the affected keys before the batch. */
    private static String before(Input input) {
        var columns = input.part().now().output();
        return "SELECT %s FROM (%s)"
                .formatted(
                        columns.isEmpty() ? "1 AS nothing" : columns(columns),
                        consolidated(
                                columns,
                                "SELECT %1$s1 AS %2$s FROM %3$s UNION ALL SELECT %1$s-%2$s FROM %4$s"
                                        .formatted(
                                                listed(columns),
                                                column(WEIGHT),
                                                input.now(),
                                                input.changes().table())));
    }

    @Override
    public List<Maintained> inputs() {
        return inputs.stream().map(Input::part).toList();
    }

    @Override
    public MaintenanceKind kind() {
        return MaintenanceKind.AFFECTED_KEYS;
    }
}
