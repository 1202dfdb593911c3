package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Branch;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SortKey;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Leaves out of a query the columns that nothing needs, so that a scan names exactly the columns
 * that are read.
 */
final class Pruning {
    private Pruning() {}

    static Relation prune(Relation query) {
        return prune(query, ids(query.output()));
    }

    /** Keeps at least the wanted columns; a relation may give out more. */
    private static Relation prune(Relation relation, Set<Integer> wanted) {
        return switch (relation) {
            case Relation.Scan scan ->
                    new Relation.Scan(
                            scan.table(),
                            scan.streaming(),
                            scan.output().stream().filter(a -> wanted.contains(a.id())).toList(),
                            scan.position());
            case Relation.Values values -> values;
            case Relation.Filter filter ->
                    new Relation.Filter(
                            prune(filter.input(), with(wanted, Stream.of(filter.condition()))),
                            prune(filter.condition()));
            case Relation.Project project -> project(project, wanted);
            case Relation.Aggregate aggregate -> aggregate(aggregate, wanted);
            case Relation.Join join -> join(join, wanted);
            case Relation.UnionAll union -> union(union, wanted);
            case Relation.Distinct distinct -> new Relation.Distinct(prune(distinct.input()));
            case Relation.Sort sort ->
                    new Relation.Sort(
                            prune(
                                    sort.input(),
                                    with(wanted, sort.keys().stream().map(SortKey::value))),
                            keys(sort.keys()));
            case Relation.Limit limit ->
                    new Relation.Limit(
                            prune(limit.input(), wanted), limit.countRows(), limit.offsetRows());
            case Relation.Window window -> window(window, wanted);
            case Relation.Unnest unnest ->
                    new Relation.Unnest(
                            prune(unnest.input(), with(wanted, Stream.of(unnest.array()))),
                            prune(unnest.array()),
                            unnest.element(),
                            unnest.position(),
                            unnest.outer());
        };
    }

    private static Relation project(Relation.Project project, Set<Integer> wanted) {
        var columns =
                project.columns().stream()
                        .filter(c -> wanted.contains(c.attribute().id()))
                        .toList();
        var below = with(Set.of(), columns.stream().map(Named::value));
        return new Relation.Project(prune(project.input(), below), named(columns));
    }

    private static Relation aggregate(Relation.Aggregate aggregate, Set<Integer> wanted) {
        var measures =
                aggregate.measures().stream()
                        .filter(m -> wanted.contains(m.attribute().id()))
                        .toList();
        var kept = new Relation.Aggregate(aggregate.input(), aggregate.keys(), measures);
        return new Relation.Aggregate(
                prune(aggregate.input(), with(Set.of(), Relations.expressions(kept))),
                named(aggregate.keys()),
                measures);
    }

    private static Relation join(Relation.Join join, Set<Integer> wanted) {
        var condition = join.condition();
        var needed = condition == null ? wanted : with(wanted, Stream.of(condition));
        return new Relation.Join(
                prune(join.left(), needed),
                prune(join.right(), needed),
                join.kind(),
                condition == null ? null : prune(condition));
    }

    private static Relation union(Relation.UnionAll union, Set<Integer> wanted) {
        var places =
                IntStream.range(0, union.output().size())
                        .filter(i -> wanted.contains(union.output().get(i).id()))
                        .boxed()
                        .toList();
        return new Relation.UnionAll(
                union.inputs().stream().map(input -> only(input, places)).toList(),
                places.stream().map(union.output()::get).toList());
    }

    /** A branch of a union gives out exactly the columns at these places. */
    private static Relation only(Relation input, List<Integer> places) {
        var columns = places.stream().map(input.output()::get).toList();
        var pruned = prune(input, ids(columns));
        return pruned.output().equals(columns)
                ? pruned
                : new Relation.Project(
                        pruned,
                        columns.stream()
                                .map(c -> new Named(c, new Expression.Reference(c)))
                                .toList());
    }

    private static Relation window(Relation.Window window, Set<Integer> wanted) {
        var columns =
                window.columns().stream().filter(c -> wanted.contains(c.attribute().id())).toList();
        var kept =
                new Relation.Window(
                        window.input(), window.partitionBy(), window.orderBy(), columns);
        var input = prune(window.input(), with(wanted, Relations.expressions(kept)));
        return columns.isEmpty()
                ? input
                : new Relation.Window(input, window.partitionBy(), window.orderBy(), columns);
    }

    private static List<Named> named(List<Named> columns) {
        return columns.stream().map(c -> new Named(c.attribute(), prune(c.value()))).toList();
    }

    private static List<SortKey> keys(List<SortKey> keys) {
        return keys.stream()
                .map(k -> new SortKey(prune(k.value()), k.ascending(), k.nullsFirst()))
                .toList();
    }

    /** Prunes the queries within an expression. */
    private static Expression prune(Expression expression) {
        return switch (expression) {
            case Expression.ScalarSubquery s ->
                    new Expression.ScalarSubquery(prune(s.query()), s.position());
            case Expression.Exists e ->
                    new Expression.Exists(prune(e.query(), Set.of()), e.position());
            case Expression.InSubquery in ->
                    new Expression.InSubquery(prune(in.value()), prune(in.query()), in.position());
            case Expression.Call call ->
                    new Expression.Call(
                            call.function(),
                            call.arguments().stream().map(Pruning::prune).toList(),
                            call.type(),
                            call.nullable(),
                            call.position());
            case Expression.Cast cast ->
                    new Expression.Cast(
                            prune(cast.value()),
                            cast.type(),
                            cast.tried(),
                            cast.nullable(),
                            cast.position());
            case Expression.Case cases ->
                    new Expression.Case(
                            cases.branches().stream()
                                    .map(b -> new Branch(prune(b.condition()), prune(b.value())))
                                    .toList(),
                            prune(cases.otherwise()),
                            cases.type(),
                            cases.nullable());
            case Expression.Field field ->
                    new Expression.Field(
                            prune(field.struct()), field.name(), field.type(), field.nullable());
            case Expression.Reference reference -> reference;
            case Expression.Literal literal -> literal;
        };
    }

    private static Set<Integer> ids(List<Attribute> columns) {
        var ids = new HashSet<Integer>();
        columns.forEach(c -> ids.add(c.id()));
        return ids;
    }

    /** The wanted columns and those that the expressions use, subqueries included. */
    private static Set<Integer> with(Set<Integer> wanted, Stream<Expression> expressions) {
        var ids = new HashSet<>(wanted);
        expressions.forEach(e -> collect(e, ids));
        return ids;
    }

    private static void collect(Expression expression, Set<Integer> ids) {
        Relations.deep(expression)
                .forEach(
                        part -> {
                            if (part instanceof Expression.Reference reference) {
                                ids.add(reference.attribute().id());
                            }
                        });
        Relations.subqueries(expression)
                .flatMap(Relations::deep)
                .flatMap(Relations::expressions)
                .forEach(e -> collect(e, ids));
    }
}
