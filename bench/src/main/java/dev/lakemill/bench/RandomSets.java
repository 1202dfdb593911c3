package dev.lakemill.bench;

import static dev.lakemill.bench.RandomQuery.call;
import static dev.lakemill.bench.RandomQuery.reference;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relation.Measure;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relation.Windowed;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowFunction;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Makes what a compiler makes of INTERSECT and EXCEPT, with ALL and without, of grouping sets and
 * of explode.
 */
final class RandomSets {
    private final Random random;
    private final RandomQuery query;
    private final RandomAggregates aggregates;

    RandomSets(Random random, RandomQuery query, RandomAggregates aggregates) {
        this.random = random;
        this.query = query;
        this.aggregates = aggregates;
    }

    /** INTERSECT or EXCEPT of columns of the same types. */
    Relation joined(Relation left, Relation right) {
        var fromLeft = new ArrayList<Named>();
        var fromRight = new ArrayList<Named>();
        for (var column : left.output()) {
            var other = query.any(right.output(), column.type());
            if (other != null && fromLeft.size() < 2) {
                fromLeft.add(new Named(query.fresh("l", column.type()), reference(column)));
                fromRight.add(new Named(query.fresh("r", column.type()), reference(other)));
            }
        }
        if (fromLeft.isEmpty()) {
            return left;
        }
        var isAll = random.nextBoolean();
        Relation a = new Relation.Project(left, fromLeft);
        Relation b = new Relation.Project(right, fromRight);
        var columns = a.output();
        var one = isAll ? numbered(a) : a;
        var other = isAll ? numbered(b) : b;
        var same =
                IntStream.range(0, one.output().size())
                        .mapToObj(
                                i ->
                                        call(
                                                Function.NULL_SAFE_EQUAL,
                                                reference(one.output().get(i)),
                                                reference(other.output().get(i))))
                        .reduce((x, y) -> call(Function.AND, x, y))
                        .orElseThrow();
        var kind = random.nextBoolean() ? JoinKind.LEFT_SEMI : JoinKind.LEFT_ANTI;
        var projected =
                new Relation.Project(
                        new Relation.Join(one, other, kind, same),
                        columns.stream()
                                .map(c -> new Named(query.fresh(c.name(), c.type()), reference(c)))
                                .toList());
        return isAll ? projected : new Relation.Distinct(projected);
    }

    private Relation numbered(Relation relation) {
        var call =
                new WindowCall.Positional(
                        WindowFunction.ROW_NUMBER,
                        List.of(),
                        false,
                        null,
                        Primitive.INTEGER,
                        false,
                        RandomQuery.PLACE);
        return new Relation.Window(
                relation,
                relation.output().stream().map(RandomQuery::reference).toList(),
                List.of(),
                List.of(new Windowed(query.fresh("n", Primitive.INTEGER), call)));
    }

    /** GROUP BY ROLLUP of two columns: a copy of the input for every grouping. */
    Relation grouped(Relation input) {
        var first = query.any(input.output(), null);
        var second = query.any(input.output(), null);
        var value = query.any(input.output(), null);
        if (first == null || second == null || value == null) {
            return input;
        }
        var keys = List.of(first, second);
        var output =
                new ArrayList<>(
                        List.of(
                                query.fresh("k", first.type()),
                                query.fresh("k", second.type()),
                                query.fresh("grouping", Primitive.LONG)));
        output.addAll(input.output());
        var copies = new ArrayList<Relation>();
        for (int kept = 2; kept >= 0; kept--) {
            copies.add(copy(input, keys, kept));
        }
        var rows = new Relation.UnionAll(copies, output);
        var call = aggregates.any(value, input.output());
        return new Relation.Aggregate(
                rows,
                output.subList(0, 3).stream()
                        .map(c -> new Named(query.fresh(c.name(), c.type()), reference(c)))
                        .toList(),
                List.of(new Measure(query.fresh("m", call.type()), call)));
    }

    private Relation copy(Relation input, List<Attribute> keys, int kept) {
        var columns = new ArrayList<Named>();
        for (int i = 0; i < keys.size(); i++) {
            var key = keys.get(i);
            columns.add(
                    new Named(
                            query.fresh("k", key.type()),
                            i < kept ? reference(key) : new Expression.Literal(key.type(), null)));
        }
        columns.add(
                new Named(query.fresh("grouping", Primitive.LONG), RandomQuery.number(3L >> kept)));
        input.output()
                .forEach(
                        c -> columns.add(new Named(query.fresh(c.name(), c.type()), reference(c))));
        return new Relation.Project(input, columns);
    }

    /** The elements of an array of two columns, which may be NULL. */
    Relation unnested(Relation input) {
        var first = query.any(input.output(), null);
        var second = first == null ? null : query.any(input.output(), first.type());
        if (first == null || second == null) {
            return input;
        }
        var type = new DataType.Array(first.type(), true);
        var array =
                new Expression.Call(
                        Function.ARRAY,
                        List.of(reference(first), reference(second)),
                        type,
                        false,
                        RandomQuery.PLACE);
        var some =
                new Expression.Case(
                        List.of(
                                new Expression.Branch(
                                        call(Function.IS_NOT_NULL, reference(second)), array)),
                        new Expression.Literal(type, null),
                        type,
                        true);
        return new Relation.Unnest(
                input,
                some,
                query.fresh("element", first.type()),
                random.nextBoolean() ? query.fresh("place", Primitive.INTEGER) : null,
                random.nextBoolean());
    }
}
