package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowFunction;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Chooses, by the form of a query, how each part of it follows its inputs. */
final class MaintenancePlan {
    /** Why a query can only be run anew. */
    static final class NotIncremental extends Exception {
        private static final long serialVersionUID = 1L;

        NotIncremental(String reason) {
            super(reason, null, false, false);
        }

        String reason() {
            return String.valueOf(getMessage());
        }
    }

    private final MaintenanceSql sql;
    private final boolean mayFail;

    private MaintenancePlan(Relation query, MaintenanceSql sql) {
        this.sql = sql;
        this.mayFail =
                Relations.deep(query)
                        .flatMap(Relations::expressions)
                        .anyMatch(DuckFailures::possible);
    }

    /**
     * @throws NotIncremental saying which part of the query stands in the way
     */
    static Maintained of(Relation query, MaintenanceSql sql) throws NotIncremental {
        if (Question.isAskedIn(query)) {
            throw new NotIncremental("it asks models, whose answers come in their own time");
        }
        return new MaintenancePlan(query, sql).part(query);
    }

    private Maintained part(Relation relation) throws NotIncremental {
        if (ids(relation.output()).size() < relation.output().size()) {
            throw new NotIncremental("it gives out one column twice");
        }
        return switch (relation) {
            case Relation.Scan scan -> new LinearParts.Table(scan, sql);
            case Relation.Values values -> constant(values);
            case Relation.Filter filter -> filter(filter);
            case Relation.Project project -> project(project);
            case Relation.Sort sort -> part(sort.input());
            case Relation.UnionAll union -> union(union);
            case Relation.Join join -> join(join);
            case Relation.Aggregate aggregate -> aggregate(aggregate);
            case Relation.Distinct distinct -> aggregate(grouped(distinct));
            case Relation.Window window -> window(window);
            case Relation.Limit _ -> throw new NotIncremental("it has a LIMIT");
            case Relation.Unnest unnest -> unnest(unnest);
        };
    }

    private static Maintained constant(Relation.Values values) throws NotIncremental {
        if (Relations.usesNow(values)) {
            throw new NotIncremental("it computes with now()");
        }
        return new LinearParts.Constant(values);
    }

    private Maintained filter(Relation.Filter filter) throws NotIncremental {
        var ranked = firstRows(filter);
        if (ranked.isPresent()) {
            return ranked.get();
        }
        refuseSubqueries(Stream.of(filter.condition()));
        return kept(part(filter.input()), conjuncts(filter.condition()));
    }

    /**
     * The rows that meet all conditions. One that may fail has those before it with it, for DuckDB
     * computes them in any order. Over changes it has those alone that do not ask the clock: the
     * changes by those that do are kept first, and the rows that the clock takes away pass too.
     */
    private Maintained kept(Maintained input, List<Expression> conditions) {
        var kept = input;
        for (int i = 0; i < conditions.size(); i++) {
            var condition = conditions.get(i);
            var lasting = condition;
            if (i > 0 && DuckFailures.possible(condition)) {
                var all = conditions.subList(0, i + 1);
                condition = MaintenanceSql.and(all);
                lasting =
                        MaintenanceSql.and(
                                all.stream().filter(c -> !Relations.usesNow(c)).toList());
            }
            kept =
                    Relations.usesNow(conditions.get(i))
                            ? new TemporalFilter(kept, condition, mayFail, sql)
                            : new LinearParts.Kept(kept, condition, lasting);
        }
        return kept;
    }

    private Maintained project(Relation.Project project) throws NotIncremental {
        refuse(project.columns().stream().map(Named::value));
        return new LinearParts.Computed(part(project.input()), project.columns());
    }

    private Maintained unnest(Relation.Unnest unnest) throws NotIncremental {
        refuse(Stream.of(unnest.array()));
        return new LinearParts.Unnested(part(unnest.input()), unnest);
    }

    private Maintained union(Relation.UnionAll union) throws NotIncremental {
        var inputs = new ArrayList<Maintained>();
        for (var input : union.inputs()) {
            inputs.add(part(input));
        }
        return new LinearParts.Together(inputs, union.output());
    }

    private Maintained join(Relation.Join join) throws NotIncremental {
        refuse(Stream.ofNullable(join.condition()));
        var left = part(join.left());
        var right = part(join.right());
        var driving =
                switch (join.kind()) {
                    case INNER, CROSS -> -1;
                    case LEFT_OUTER, LEFT_SEMI, LEFT_ANTI -> 0;
                    case RIGHT_OUTER -> 1;
                    case FULL_OUTER -> -1;
                };
        if (join.kind() == Relation.JoinKind.INNER || join.kind() == Relation.JoinKind.CROSS) {
            return new InnerJoin(join, left, right, sql);
        }
        var leftKeys = new ArrayList<Expression>();
        var rightKeys = new ArrayList<Expression>();
        equalColumns(join, leftKeys, rightKeys);
        if (leftKeys.isEmpty()) {
            throw new NotIncremental(
                    "it has an outer, semi or anti join that does not compare columns by =");
        }
        var keys = Keys.of(leftKeys, sql);
        return new AffectedKeys(
                List.of(left, right),
                List.of(keys, keys.with(rightKeys)),
                sides ->
                        new Relation.Join(
                                sides.get(0), sides.get(1), join.kind(), join.condition()),
                driving,
                sql);
    }

    private static void equalColumns(
            Relation.Join join, List<Expression> leftKeys, List<Expression> rightKeys) {
        if (join.condition() == null) {
            return;
        }
        var left = ids(join.left().output());
        var right = ids(join.right().output());
        for (var condition : conjuncts(join.condition())) {
            if (condition instanceof Expression.Call call
                    && (call.function() == Function.EQUAL
                            || call.function() == Function.NULL_SAFE_EQUAL)) {
                var a = call.arguments().get(0);
                var b = call.arguments().get(1);
                if (isOver(a, left) && isOver(b, right)) {
                    leftKeys.add(a);
                    rightKeys.add(b);
                } else if (isOver(b, left) && isOver(a, right)) {
                    leftKeys.add(b);
                    rightKeys.add(a);
                }
            }
        }
    }

    /** DISTINCT is GROUP BY all columns. */
    private static Relation.Aggregate grouped(Relation.Distinct distinct) {
        return new Relation.Aggregate(
                distinct.input(), MaintenanceSql.same(distinct.output()), List.of());
    }

    private Maintained aggregate(Relation.Aggregate aggregate) throws NotIncremental {
        refuse(Relations.expressions(aggregate));
        var input = part(aggregate.input());
        var floating =
                aggregate.keys().stream().anyMatch(key -> !isComparedExactly(key.value().type()));
        var measures = new ArrayList<Accumulator>();
        if (!floating) {
            aggregate.measures().forEach(m -> Accumulator.of(m, sql).ifPresent(measures::add));
        }
        if (!floating && measures.size() == aggregate.measures().size()) {
            return new Groups(aggregate, input, measures, sql);
        }
        var keys = Keys.of(aggregate.keys().stream().map(Named::value).toList(), sql);
        var resultKeys =
                keys.with(
                        aggregate.keys().stream()
                                .<Expression>map(k -> new Expression.Reference(k.attribute()))
                                .toList());
        return new KeptRows(
                input,
                keys,
                resultKeys,
                new KeptRows.Operator() {
                    @Override
                    public Relation over(Relation rows) {
                        return new Relation.Aggregate(rows, aggregate.keys(), aggregate.measures());
                    }

                    @Override
                    public boolean isSelfSufficient() {
                        return false;
                    }
                },
                sql);
    }

    private Maintained window(Relation.Window window) throws NotIncremental {
        refuse(Relations.expressions(window));
        if (window.partitionBy().isEmpty()) {
            throw new NotIncremental("it has a window without PARTITION BY");
        }
        refuseUnsettled(window);
        return new AffectedKeys(
                List.of(part(window.input())),
                List.of(Keys.of(window.partitionBy(), sql)),
                inputs -> over(window, inputs.getFirst()),
                -1,
                sql);
    }

    private static Relation.Window over(Relation.Window window, Relation rows) {
        return new Relation.Window(rows, window.partitionBy(), window.orderBy(), window.columns());
    }

    /** A condition that keeps the first rows of each partition, and what else it says. */
    private Optional<Maintained> firstRows(Relation.Filter filter) throws NotIncremental {
        var below = filter.input();
        while (below instanceof Relation.Project project && isSelection(project)) {
            below = project.input();
        }
        if (!(below instanceof Relation.Window window)
                || window.columns().size() != 1
                || !isRank(window.columns().getFirst().call())) {
            return Optional.empty();
        }
        var rank = window.columns().getFirst().attribute();
        var first = new ArrayList<Expression>();
        var others = new ArrayList<Expression>();
        for (var condition : conjuncts(filter.condition())) {
            (isFirst(condition, rank.id()) ? first : others).add(condition);
        }
        if (first.isEmpty()) {
            return Optional.empty();
        }
        refuse(Relations.expressions(window));
        refuseSubqueries(others.stream());
        refuseUnsettled(window);
        var keys = Keys.of(window.partitionBy(), sql);
        Maintained kept =
                new KeptRows(
                        part(window.input()),
                        keys,
                        keys,
                        new KeptRows.Operator() {
                            @Override
                            public Relation over(Relation rows) {
                                return new Relation.Filter(
                                        MaintenancePlan.over(window, rows),
                                        MaintenanceSql.and(first));
                            }

                            @Override
                            public boolean isSelfSufficient() {
                                return true;
                            }
                        },
                        sql);
        kept = kept(kept, others);
        return Optional.of(
                filter.input() instanceof Relation.Window
                        ? kept
                        : new LinearParts.Computed(kept, MaintenanceSql.same(filter.output())));
    }

    /** Whether it gives some of its input's columns as they are. */
    private static boolean isSelection(Relation.Project project) {
        return project.columns().stream()
                .allMatch(
                        column ->
                                column.value() instanceof Expression.Reference(var attribute)
                                        && attribute.id() == column.attribute().id());
    }

    private static boolean isRank(WindowCall call) {
        return call instanceof WindowCall.Positional positional
                && (positional.function() == WindowFunction.ROW_NUMBER
                        || positional.function() == WindowFunction.RANK
                        || positional.function() == WindowFunction.DENSE_RANK);
    }

    /** {@code rank <= n}, {@code rank < n} or {@code rank = 1}. */
    private static boolean isFirst(Expression condition, int rank) {
        if (!(condition instanceof Expression.Call call) || call.arguments().size() != 2) {
            return false;
        }
        var left = call.arguments().get(0);
        var right = call.arguments().get(1);
        return switch (call.function()) {
            case LESS, LESS_OR_EQUAL -> isColumn(left, rank) && isNumber(right);
            case GREATER, GREATER_OR_EQUAL -> isColumn(right, rank) && isNumber(left);
            case EQUAL ->
                    (isColumn(left, rank) && isOne(right))
                            || (isColumn(right, rank) && isOne(left));
            default -> false;
        };
    }

    private static boolean isColumn(Expression expression, int id) {
        return expression instanceof Expression.Reference(Attribute attribute)
                && attribute.id() == id;
    }

    private static boolean isNumber(Expression expression) {
        return expression instanceof Expression.Literal literal
                && DuckTypes.isIntegral(literal.type())
                && literal.text() != null;
    }

    private static boolean isOne(Expression expression) {
        return isNumber(expression)
                && expression instanceof Expression.Literal literal
                && "1".equals(literal.text());
    }

    private static void refuseUnsettled(Relation.Window window) throws NotIncremental {
        if (!WindowOrder.isSettled(window)) {
            throw new NotIncremental(
                    "it has a window whose result depends on the order of equal rows");
        }
    }

    /** Refuses what a part that runs over changes must not hold. */
    private static void refuse(Stream<Expression> expressions) throws NotIncremental {
        var all = expressions.toList();
        if (all.stream().anyMatch(Relations::usesNow)) {
            throw new NotIncremental("it computes with now() outside of WHERE");
        }
        refuseSubqueries(all.stream());
    }

    private static void refuseSubqueries(Stream<Expression> expressions) throws NotIncremental {
        if (expressions.flatMap(Relations::subqueries).findAny().isPresent()) {
            throw new NotIncremental("it has a subquery in an expression");
        }
    }

    /** The parts of a condition that must all hold, in their order. */
    static List<Expression> conjuncts(Expression condition) {
        return condition instanceof Expression.Call call && call.function() == Function.AND
                ? call.arguments().stream()
                        .flatMap(argument -> conjuncts(argument).stream())
                        .toList()
                : List.of(condition);
    }

    private static Set<Integer> ids(List<Attribute> columns) {
        return columns.stream().map(Attribute::id).collect(Collectors.toCollection(HashSet::new));
    }

    private static boolean isOver(Expression expression, Set<Integer> columns) {
        return Relations.deep(expression)
                .allMatch(
                        part ->
                                !(part instanceof Expression.Reference(Attribute attribute))
                                        || columns.contains(attribute.id()));
    }

    private static boolean isComparedExactly(DataType type) {
        return switch (type) {
            case Primitive primitive -> !DuckTypes.isFloating(primitive);
            case DataType.Decimal _ -> true;
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> false;
        };
    }
}
