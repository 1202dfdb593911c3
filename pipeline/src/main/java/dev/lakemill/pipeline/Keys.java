package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.call;
import static dev.lakemill.pipeline.MaintenanceSql.column;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What rows are told apart by: expressions over a relation, under names of their own. NULL is a key
 * like any other. Without expressions, all rows have one key.
 */
record Keys(List<Expression> values, List<Attribute> names) {
    static Keys of(List<Expression> values, MaintenanceSql sql) {
        return new Keys(values, values.stream().map(v -> sql.fresh(v.type())).toList());
    }

    /** The same names for the keys of another relation. */
    Keys with(List<Expression> others) {
        return new Keys(others, names);
    }

    boolean isEmpty() {
        return values.isEmpty();
    }

    /** The keys of a relation's rows. */
    Relation of(Relation rows) {
        var named = new ArrayList<Named>();
        for (int i = 0; i < values.size(); i++) {
            named.add(new Named(names.get(i), values.get(i)));
        }
        return new Relation.Project(rows, named);
    }

    /** The rows whose keys are among {@code keys}, a relation with the columns of the names. */
    Relation within(Relation rows, Relation keys) {
        if (isEmpty()) {
            return rows;
        }
        var same = new ArrayList<Expression>();
        for (int i = 0; i < values.size(); i++) {
            same.add(
                    call(
                            Function.NULL_SAFE_EQUAL,
                            values.get(i),
                            new Expression.Reference(names.get(i))));
        }
        return new Relation.Join(rows, keys, Relation.JoinKind.LEFT_SEMI, MaintenanceSql.and(same));
    }

    /** SQL of a condition: the rows of two tables, both with the names' columns, share the key. */
    static String match(List<Attribute> names, String left, String right) {
        return names.isEmpty()
                ? "true"
                : names.stream()
                        .map(
                                a ->
                                        "%1$s.%3$s IS NOT DISTINCT FROM %2$s.%3$s"
                                                .formatted(left, right, column(a)))
                        .collect(Collectors.joining(" AND "));
    }
}
