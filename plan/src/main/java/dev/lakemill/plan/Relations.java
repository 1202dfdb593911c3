package dev.lakemill.plan;

import dev.lakemill.types.TableName;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Questions about a query: what it reads, and whether it depends on the clock. */
public final class Relations {
    private Relations() {}

    /** The tables read, subqueries included, in the order of the text. */
    public static Set<TableName> sources(Relation relation) {
        var found = new LinkedHashSet<TableName>();
        scans(relation).forEach(scan -> found.add(scan.table()));
        return found;
    }

    /** The names of a table's columns that the query reads. */
    public static Set<String> columnsRead(Relation relation, TableName table) {
        var found = new LinkedHashSet<String>();
        scans(relation)
                .filter(scan -> scan.table().equals(table))
                .forEach(scan -> scan.output().forEach(column -> found.add(column.name())));
        return found;
    }

    /** Whether the result changes with the time of the batch. */
    public static boolean usesNow(Relation relation) {
        return deep(relation).flatMap(Relations::expressions).anyMatch(Relations::usesNow);
    }

    /** Whether the value changes with the time of the batch. */
    public static boolean usesNow(Expression expression) {
        return deep(expression).anyMatch(Relations::isNow)
                || subqueries(expression).anyMatch(Relations::usesNow);
    }

    /** The models that a pipeline scores with. */
    public static Set<ModelUse> models(PipelinePlan plan) {
        var found = new LinkedHashSet<ModelUse>();
        for (var dataset : plan.datasets()) {
            switch (dataset) {
                case Dataset.IngestedTable _, Dataset.FileTable _ -> {}
                case Dataset.StreamingTable table -> {
                    found.addAll(models(table.query()));
                    table.once().forEach(flow -> found.addAll(models(flow.query())));
                }
                case Dataset.MaterializedView view -> found.addAll(models(view.query()));
            }
        }
        return found;
    }

    /** The models that the query scores with, subqueries included, in the order of the text. */
    public static Set<ModelUse> models(Relation relation) {
        var found = new LinkedHashSet<ModelUse>();
        deep(relation)
                .flatMap(Relations::expressions)
                .forEach(
                        expression -> {
                            models(expression).forEach(found::add);
                            subqueries(expression).map(Relations::models).forEach(found::addAll);
                        });
        return found;
    }

    /** The models that the expression scores with; subqueries are not entered. */
    public static Stream<ModelUse> models(Expression expression) {
        return deep(expression)
                .filter(Expression.Call.class::isInstance)
                .map(Expression.Call.class::cast)
                .filter(call -> call.function() == Function.PREDICT)
                .map(ModelUse::of);
    }

    /** Whether the expression calls the function; subqueries are not entered. */
    public static boolean calls(Expression expression, Function function) {
        return deep(expression)
                .anyMatch(e -> e instanceof Expression.Call call && call.function() == function);
    }

    /** Whether the query calls the function, subqueries included. */
    public static boolean calls(Relation relation, Function function) {
        return deep(relation)
                .flatMap(Relations::expressions)
                .anyMatch(
                        e -> calls(e, function) || subqueries(e).anyMatch(q -> calls(q, function)));
    }

    /** Every reading of a table, subqueries included. */
    public static Stream<Relation.Scan> scans(Relation relation) {
        return deep(relation)
                .flatMap(
                        part ->
                                part instanceof Relation.Scan scan
                                        ? Stream.of(scan)
                                        : expressions(part)
                                                .flatMap(Relations::subqueries)
                                                .flatMap(Relations::scans));
    }

    /** The expression and all below it; subqueries are not entered. */
    public static Stream<Expression> deep(Expression expression) {
        return Stream.concat(
                Stream.of(expression), children(expression).stream().flatMap(Relations::deep));
    }

    /** The relation and all its inputs; subqueries in expressions are not entered. */
    public static Stream<Relation> deep(Relation relation) {
        return Stream.concat(
                Stream.of(relation), relation.inputs().stream().flatMap(Relations::deep));
    }

    /** The queries in an expression. */
    public static Stream<Relation> subqueries(Expression expression) {
        return deep(expression).flatMap(part -> Stream.ofNullable(subquery(part)));
    }

    /** The expressions that a relation itself holds, not its inputs. */
    public static Stream<Expression> expressions(Relation relation) {
        return switch (relation) {
            case Relation.Filter filter -> Stream.of(filter.condition());
            case Relation.Project project -> project.columns().stream().map(Relation.Named::value);
            case Relation.Aggregate aggregate ->
                    Stream.concat(
                            aggregate.keys().stream().map(Relation.Named::value),
                            aggregate.measures().stream().flatMap(m -> expressions(m.call())));
            case Relation.Join join -> Stream.ofNullable(join.condition());
            case Relation.Sort sort -> sort.keys().stream().map(SortKey::value);
            case Relation.Window window -> expressions(window);
            case Relation.Unnest unnest -> Stream.of(unnest.array());
            case Relation.Values values -> values.rows().stream().flatMap(List::stream);
            case Relation.Scan _, Relation.UnionAll _, Relation.Distinct _, Relation.Limit _ ->
                    Stream.of();
        };
    }

    /** The direct parts of an expression; subqueries are none. */
    public static List<Expression> children(Expression expression) {
        return switch (expression) {
            case Expression.Call call -> call.arguments();
            case Expression.Cast cast -> List.of(cast.value());
            case Expression.Field field -> List.of(field.struct());
            case Expression.InSubquery in -> List.of(in.value());
            case Expression.Case cases ->
                    Stream.concat(
                                    cases.branches().stream()
                                            .flatMap(b -> Stream.of(b.condition(), b.value())),
                                    Stream.of(cases.otherwise()))
                            .toList();
            case Expression.Reference _,
                    Expression.Literal _,
                    Expression.ScalarSubquery _,
                    Expression.Exists _ ->
                    List.of();
        };
    }

    private static @Nullable Relation subquery(Expression expression) {
        return switch (expression) {
            case Expression.ScalarSubquery scalar -> scalar.query();
            case Expression.Exists exists -> exists.query();
            case Expression.InSubquery in -> in.query();
            case Expression.Call _,
                    Expression.Cast _,
                    Expression.Case _,
                    Expression.Field _,
                    Expression.Reference _,
                    Expression.Literal _ ->
                    null;
        };
    }

    private static Stream<Expression> expressions(Relation.Window window) {
        return Stream.of(
                        window.partitionBy().stream(),
                        window.orderBy().stream().map(SortKey::value),
                        window.columns().stream().flatMap(c -> expressions(c.call())))
                .flatMap(s -> s);
    }

    private static Stream<Expression> expressions(WindowCall call) {
        return switch (call) {
            case WindowCall.Positional positional -> positional.arguments().stream();
            case WindowCall.Framed framed -> expressions(framed.call());
        };
    }

    private static Stream<Expression> expressions(AggregateCall call) {
        return Stream.concat(
                call.arguments().stream(),
                Stream.ofNullable(call.filter()).map(Objects::requireNonNull));
    }

    private static boolean isNow(Expression expression) {
        return expression instanceof Expression.Call call
                && (call.function() == Function.NOW || call.function() == Function.CURRENT_DATE);
    }
}
