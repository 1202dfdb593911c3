package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which rows of its tables a query may still read: those that a column's value lets through its
 * conditions. Of conditions on a constant that is for ever; of those on a bound that never falls,
 * as in {@code occurred_at > now() - INTERVAL 24 HOURS}, a row that is not above it any more never
 * will be again.
 */
final class Retention {
    /** Of one reading of a table, in any order; none where all rows are read. */
    private final Map<TableName, List<List<Condition>>> readings = new HashMap<>();

    private Retention() {}

    /**
     * A comparison that, once it is not true of a row, never is again.
     *
     * @param comparison of the column, on its left
     */
    record Condition(Attribute column, Expression.Call comparison) {
        /** The comparison, or one like it, of this column with what is of no column. */
        static Condition of(
                Attribute column, Function function, Expression bound, Expression.Call like) {
            return new Condition(
                    column,
                    new Expression.Call(
                            function,
                            List.of(new Expression.Reference(column), bound),
                            like.type(),
                            like.nullable(),
                            like.position()));
        }

        /** The same of the column under another name. */
        Condition of(Attribute other) {
            return of(other, comparison.function(), comparison.arguments().get(1), comparison);
        }

        String sql(String now) {
            return printed(comparison, now);
        }
    }

    /**
     * What a row must meet to be read, by table: the conditions of at least one reading, all of
     * them. Tables of which any row may be read, for ever, are not there.
     */
    static Map<TableName, List<List<Condition>>> of(Relation query) {
        var found = new Retention();
        found.read(query, List.of());
        found.readings.values().removeIf(each -> each.stream().anyMatch(List::isEmpty));
        return found.readings;
    }

    /**
     * SQL of a condition over a table's columns: whether some of the readings may still get the
     * row.
     *
     * @param now SQL of the time from which on they read
     */
    static String readable(List<List<Condition>> readings, String now) {
        return readings.stream()
                .map(
                        all ->
                                all.stream()
                                        .map(condition -> condition.sql(now))
                                        .collect(Collectors.joining(" AND ", "(", ")")))
                .distinct()
                .collect(Collectors.joining(" OR ", "coalesce(", ", false)"));
    }

    /**
     * @param met what rows must meet, of any columns, for what stands above the relation not to
     *     drop them
     */
    private void read(Relation relation, List<Condition> met) {
        Relations.expressions(relation)
                .flatMap(Relations::subqueries)
                .forEach(query -> read(query, List.of()));
        switch (relation) {
            case Relation.Scan scan -> read(scan, met);
            case Relation.Filter filter -> read(filter.input(), and(met, filter.condition()));
            case Relation.Join join -> readSides(join, met);
            case Relation.Project project -> read(project.input(), below(project, met));
            case Relation.Sort sort -> read(sort.input(), met);
            case Relation.Distinct distinct -> read(distinct.input(), met);
            case Relation.Unnest unnest -> read(unnest.input(), met);
            case Relation.Aggregate _,
                    Relation.Window _,
                    Relation.Limit _,
                    Relation.UnionAll _,
                    Relation.Values _ ->
                    relation.inputs().forEach(input -> read(input, List.of()));
        }
    }

    private void read(Relation.Scan scan, List<Condition> met) {
        if (!scan.streaming()) {
            var its = scan.output().stream().flatMap(column -> of(met, column, column)).toList();
            readings.computeIfAbsent(scan.table(), _ -> new ArrayList<>()).add(its);
        }
    }

    /** The conditions of one column, as those of what it is called below. */
    private static Stream<Condition> of(List<Condition> met, Attribute column, Attribute below) {
        return met.stream().filter(c -> c.column().id() == column.id()).map(c -> c.of(below));
    }

    private void readSides(Relation.Join join, List<Condition> met) {
        var on = join.condition() == null ? List.<Condition>of() : and(List.of(), join.condition());
        var both = Stream.concat(met.stream(), on.stream()).toList();
        read(
                join.left(),
                switch (join.kind()) {
                    case INNER, CROSS, LEFT_SEMI -> both;
                    case LEFT_OUTER, LEFT_ANTI -> met;
                    case RIGHT_OUTER -> on;
                    case FULL_OUTER -> List.of();
                });
        read(
                join.right(),
                switch (join.kind()) {
                    case INNER, CROSS -> both;
                    case RIGHT_OUTER -> met;
                    case LEFT_OUTER, LEFT_SEMI, LEFT_ANTI -> on;
                    case FULL_OUTER -> List.of();
                });
    }

    private static List<Condition> and(List<Condition> met, Expression condition) {
        return Stream.concat(
                        met.stream(),
                        MaintenancePlan.conjuncts(condition).stream()
                                .flatMap(part -> lasting(part).stream()))
                .toList();
    }

    private static Optional<Condition> lasting(Expression condition) {
        if (!(condition instanceof Expression.Call call) || call.arguments().size() != 2) {
            return Optional.empty();
        }
        var left = call.arguments().get(0);
        var right = call.arguments().get(1);
        return left instanceof Expression.Reference(Attribute column)
                ? lasting(column, call.function(), call, right)
                : right instanceof Expression.Reference(Attribute column)
                        ? lasting(column, turned(call.function()), call, left)
                        : Optional.empty();
    }

    /** The comparison that says the same with its sides changed. */
    private static Function turned(Function comparison) {
        return switch (comparison) {
            case LESS -> Function.GREATER;
            case LESS_OR_EQUAL -> Function.GREATER_OR_EQUAL;
            case GREATER -> Function.LESS;
            case GREATER_OR_EQUAL -> Function.LESS_OR_EQUAL;
            default -> comparison;
        };
    }

    private static Optional<Condition> lasting(
            Attribute column, Function comparison, Expression.Call from, Expression bound) {
        var lasts =
                switch (comparison) {
                    case GREATER, GREATER_OR_EQUAL -> isRising(bound);
                    case LESS, LESS_OR_EQUAL, EQUAL -> isConstant(bound);
                    default -> false;
                };
        return lasts
                ? Optional.of(Condition.of(column, comparison, bound, from))
                : Optional.empty();
    }

    /** Those that are of columns of the projection's input, which it only passes on. */
    private static List<Condition> below(Relation.Project project, List<Condition> met) {
        return project.columns().stream()
                .flatMap(
                        column ->
                                column.value() instanceof Expression.Reference(Attribute input)
                                        ? of(met, column.attribute(), input)
                                        : Stream.of())
                .toList();
    }

    /** Whether the value is sure never to fall as now() goes on. */
    private static boolean isRising(Expression value) {
        return switch (value) {
            case Expression.Literal literal -> literal.text() != null;
            case Expression.Cast cast -> isOrdered(cast.type()) && isRising(cast.value());
            case Expression.Call call -> isRising(call);
            default -> false;
        };
    }

    /** Of numbers and times: a cast from one to another does not turn their order round. */
    private static boolean isOrdered(DataType type) {
        return type != Primitive.STRING
                && type != Primitive.BINARY
                && type != Primitive.BOOLEAN
                && (type instanceof Primitive || type instanceof DataType.Decimal);
    }

    private static boolean isRising(Expression.Call call) {
        var arguments = call.arguments();
        return switch (call.function()) {
            case NOW, CURRENT_DATE -> true;
            case UNIX_DATE,
                    DATE_FROM_UNIX_DATE,
                    UNIX_SECONDS,
                    UNIX_MILLIS,
                    UNIX_MICROS,
                    TIMESTAMP_SECONDS,
                    TIMESTAMP_MILLIS,
                    TIMESTAMP_MICROS,
                    DATE_TRUNC,
                    TRUNC,
                    ADD,
                    DATE_ADD,
                    ADD_MONTHS,
                    TIMESTAMP_ADD_MICROS,
                    TIMESTAMP_ADD_MONTHS ->
                    arguments.stream().allMatch(Retention::isRising);
            case SUBTRACT, DATE_SUB ->
                    isRising(arguments.get(0))
                            && (isConstant(arguments.get(1))
                                    || isRemainder(arguments.get(1), arguments.get(0)));
            default -> false;
        };
    }

    private static boolean isConstant(Expression value) {
        return isRising(value) && !Relations.usesNow(value);
    }

    /** Whether the rest is that of dividing the whole number: without it, it rises by steps. */
    private static boolean isRemainder(Expression rest, Expression value) {
        return value.type() == Primitive.LONG
                && rest instanceof Expression.Call call
                && call.function() == Function.REMAINDER
                && isConstant(call.arguments().get(1))
                && printed(call.arguments().get(0), "now").equals(printed(value, "now"));
    }

    private static String printed(Expression expression, String now) {
        return new DuckPrinter(Relation.Scan::toString, now).condition(expression);
    }
}
