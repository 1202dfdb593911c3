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
 * Which rows of its tables a query may still read: those with a column above a bound that never
 * falls, as in {@code occurred_at > now() - INTERVAL 24 HOURS}. A row that is not above it any more
 * never will be again.
 */
final class Retention {
    /** Of one reading of a table, in any order; none where all rows are read. */
    private final Map<TableName, List<List<Above>>> readings = new HashMap<>();

    private Retention() {}

    /**
     * A column, and what it is compared with.
     *
     * @param comparison {@code >} or {@code >=}
     * @param bound of no column; it never falls as now() goes on
     */
    record Above(Attribute column, Function comparison, Expression bound) {
        String sql(String now) {
            return "%s %s %s"
                    .formatted(
                            DuckPrinter.quoted(column.name()),
                            comparison == Function.GREATER ? ">" : ">=",
                            printed(bound, now));
        }
    }

    /**
     * What a row must meet to be read, by table: the conditions of at least one reading, all of
     * them. Tables of which any row may be read, for ever, are not there.
     */
    static Map<TableName, List<List<Above>>> of(Relation query) {
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
    static String readable(List<List<Above>> readings, String now) {
        return readings.stream()
                .map(
                        all ->
                                all.stream()
                                        .map(above -> above.sql(now))
                                        .collect(Collectors.joining(" AND ", "(", ")")))
                .distinct()
                .collect(Collectors.joining(" OR ", "coalesce(", ", false)"));
    }

    /**
     * @param above what rows must meet, of any columns, for what stands above the relation not to
     *     drop them
     */
    private void read(Relation relation, List<Above> above) {
        Relations.expressions(relation)
                .flatMap(Relations::subqueries)
                .forEach(query -> read(query, List.of()));
        switch (relation) {
            case Relation.Scan scan -> read(scan, above);
            case Relation.Filter filter -> read(filter.input(), and(above, filter.condition()));
            case Relation.Join join -> readSides(join, above);
            case Relation.Project project -> read(project.input(), below(project, above));
            case Relation.Sort sort -> read(sort.input(), above);
            case Relation.Distinct distinct -> read(distinct.input(), above);
            case Relation.Unnest unnest -> read(unnest.input(), above);
            case Relation.Aggregate _,
                    Relation.Window _,
                    Relation.Limit _,
                    Relation.UnionAll _,
                    Relation.Values _ ->
                    relation.inputs().forEach(input -> read(input, List.of()));
        }
    }

    private void read(Relation.Scan scan, List<Above> above) {
        if (!scan.streaming()) {
            var ids = scan.output().stream().map(Attribute::id).collect(Collectors.toSet());
            var its =
                    above.stream()
                            .filter(a -> ids.contains(a.column().id()))
                            .map(a -> new Above(named(scan, a.column()), a.comparison(), a.bound()))
                            .toList();
            readings.computeIfAbsent(scan.table(), _ -> new ArrayList<>()).add(its);
        }
    }

    private static Attribute named(Relation.Scan scan, Attribute column) {
        return scan.output().stream().filter(a -> a.id() == column.id()).findFirst().orElseThrow();
    }

    private void readSides(Relation.Join join, List<Above> above) {
        var on = join.condition() == null ? List.<Above>of() : and(List.of(), join.condition());
        var both = Stream.concat(above.stream(), on.stream()).toList();
        read(
                join.left(),
                switch (join.kind()) {
                    case INNER, CROSS, LEFT_SEMI -> both;
                    case LEFT_OUTER, LEFT_ANTI -> above;
                    case RIGHT_OUTER -> on;
                    case FULL_OUTER -> List.of();
                });
        read(
                join.right(),
                switch (join.kind()) {
                    case INNER, CROSS -> both;
                    case RIGHT_OUTER -> above;
                    case LEFT_OUTER, LEFT_SEMI, LEFT_ANTI -> on;
                    case FULL_OUTER -> List.of();
                });
    }

    private static List<Above> and(List<Above> above, Expression condition) {
        return Stream.concat(
                        above.stream(),
                        MaintenancePlan.conjuncts(condition).stream()
                                .flatMap(part -> above(part).stream()))
                .toList();
    }

    private static Optional<Above> above(Expression condition) {
        if (!(condition instanceof Expression.Call call) || call.arguments().size() != 2) {
            return Optional.empty();
        }
        var left = call.arguments().get(0);
        var right = call.arguments().get(1);
        return switch (call.function()) {
            case GREATER, GREATER_OR_EQUAL -> above(left, call.function(), right);
            case LESS -> above(right, Function.GREATER, left);
            case LESS_OR_EQUAL -> above(right, Function.GREATER_OR_EQUAL, left);
            default -> Optional.empty();
        };
    }

    private static Optional<Above> above(Expression column, Function comparison, Expression bound) {
        return column instanceof Expression.Reference(Attribute attribute)
                        && Relations.usesNow(bound)
                        && isRising(bound)
                ? Optional.of(new Above(attribute, comparison, bound))
                : Optional.empty();
    }

    /** Those that are of columns of the projection's input, which it only passes on. */
    private static List<Above> below(Relation.Project project, List<Above> above) {
        var below = new ArrayList<Above>();
        for (var column : project.columns()) {
            if (column.value() instanceof Expression.Reference(Attribute input)) {
                above.stream()
                        .filter(a -> a.column().id() == column.attribute().id())
                        .map(a -> new Above(input, a.comparison(), a.bound()))
                        .forEach(below::add);
            }
        }
        return below;
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
