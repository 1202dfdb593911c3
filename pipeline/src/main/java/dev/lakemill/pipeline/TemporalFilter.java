package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.consolidated;
import static dev.lakemill.pipeline.MaintenanceSql.listed;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A condition on now(): rows come and go by the clock alone.
 *
 * <p>With g the condition at this batch's now() and h at the one's before, R the rows now and dR
 * their changes, the rows before are R - dR, and so the change is g R - h (R - dR) = (g - h) R + h
 * dR. The first part reads only rows whose time lies between the two bounds.
 *
 * <p>A row that comes too late for g, but not for h, is in both parts, and they cancel out.
 */
final class TemporalFilter implements Maintained {
    private final Maintained input;
    private final Expression condition;
    private final boolean cancels;
    private final String changed;
    private final Relation.Scan stand;

    /**
     * @param cancels whether what cancels out is to go, since computing with it could fail
     */
    TemporalFilter(Maintained input, Expression condition, boolean cancels, MaintenanceSql sql) {
        this.input = input;
        this.condition = condition;
        this.cancels = cancels;
        this.changed = sql.table("passed");
        this.stand = sql.stand(changed, weighted(input.now().output()));
    }

    @Override
    public Relation now() {
        return new Relation.Filter(input.now(), condition);
    }

    @Override
    public Optional<Relation> changes(MaintenanceSql sql) {
        var output = listed(input.now().output());
        var weight = column(WEIGHT);
        var sums = new ArrayList<String>();
        sums.add(
                "SELECT %1$sCASE WHEN g THEN 1 ELSE -1 END AS %2$s FROM (%3$s) WHERE g <> h"
                        .formatted(output, weight, judged(sql, input.now(), between(sql))));
        input.changes(sql)
                .ifPresent(
                        rows ->
                                sums.add(
                                        "SELECT %s%s FROM (%s) WHERE h"
                                                .formatted(
                                                        output,
                                                        weight,
                                                        judged(
                                                                sql,
                                                                weighted(
                                                                        rows, input.now().output()),
                                                                ""))));
        var all = String.join(" UNION ALL ", sums);
        return sql.keep(changed, cancels ? consolidated(input.now().output(), all) : all)
                ? Optional.of(stand)
                : Optional.empty();
    }

    private String judged(MaintenanceSql sql, Relation rows, String where) {
        return "SELECT *, coalesce(%s, false) AS g, coalesce(%s, false) AS h FROM (%s)%s"
                .formatted(
                        sql.print(condition), sql.printBefore(condition), sql.print(rows), where);
    }

    /** SQL of what a row must meet to pass at one time and not at the other; empty if unknown. */
    private String between(MaintenanceSql sql) {
        if (!(condition instanceof Expression.Call call) || !isOrder(call.function())) {
            return "";
        }
        var left = call.arguments().get(0);
        var right = call.arguments().get(1);
        var value = Relations.usesNow(left) ? right : left;
        var bound = Relations.usesNow(left) ? left : right;
        if (Relations.usesNow(value)
                || Relations.deep(bound).anyMatch(TemporalFilter::isReference)) {
            return "";
        }
        var now = sql.print(bound);
        var before = sql.printBefore(bound);
        return " WHERE %1$s >= least(%2$s, %3$s) AND %1$s <= greatest(%2$s, %3$s)"
                .formatted(sql.print(value), now, before);
    }

    private static boolean isReference(Expression expression) {
        return expression instanceof Expression.Reference;
    }

    private static boolean isOrder(Function function) {
        return switch (function) {
            case LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL -> true;
            default -> false;
        };
    }

    @Override
    public List<Maintained> inputs() {
        return List.of(input);
    }

    @Override
    public MaintenanceKind kind() {
        return MaintenanceKind.LINEAR;
    }
}
