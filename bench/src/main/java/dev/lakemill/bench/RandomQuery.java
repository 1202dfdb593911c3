package dev.lakemill.bench;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relation.Measure;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relation.Windowed;
import dev.lakemill.plan.SortKey;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowFunction;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Makes queries over given tables at random: every kind of relation that a plan has but LIMIT. */
final class RandomQuery {
    static final SourcePosition PLACE = new SourcePosition("case.sql", 1, 1);
    private static final int DEPTH_MAX = 4;

    private final Random random;
    private final List<Map.Entry<TableName, TableSchema>> tables;
    private final RandomAggregates aggregates;
    private final RandomWindows windows;
    private final RandomSets sets;
    private int lastId;

    /** The newest tables are read most. */
    RandomQuery(Random random, List<Map.Entry<TableName, TableSchema>> tables) {
        this.random = random;
        this.tables = tables;
        this.aggregates = new RandomAggregates(random, this);
        this.windows = new RandomWindows(random, this, aggregates);
        this.sets = new RandomSets(random, this, aggregates);
    }

    /** A query whose columns have different names. */
    Relation make() {
        var made = relation(1 + random.nextInt(DEPTH_MAX));
        var columns = new ArrayList<Named>();
        for (var column : some(made.output(), 1)) {
            columns.add(new Named(fresh("v" + columns.size(), column.type()), reference(column)));
        }
        return new Relation.Project(made, columns);
    }

    private Relation relation(int depth) {
        if (depth == 0) {
            return scan();
        }
        return switch (random.nextInt(22)) {
            case 0, 1 -> filtered(relation(depth - 1));
            case 2 -> temporal(relation(depth - 1));
            case 3 -> projected(relation(depth - 1));
            case 4 -> union(relation(depth - 1), relation(random.nextInt(depth)));
            case 5, 6, 7, 8, 9 -> joined(relation(depth - 1), relation(random.nextInt(depth)));
            case 10, 11, 12 -> grouped(relation(depth - 1));
            case 13 -> new Relation.Distinct(narrowed(relation(depth - 1)));
            case 14, 15 -> windows.over(relation(depth - 1));
            case 16 -> sets.joined(relation(depth - 1), relation(random.nextInt(depth)));
            case 17 -> sets.grouped(relation(depth - 1));
            case 18 -> sets.unnested(relation(depth - 1));
            case 19 -> crossed(relation(depth - 1), relation(random.nextInt(depth)));
            default -> firstRows(relation(depth - 1));
        };
    }

    private Relation scan() {
        var table =
                tables.get(
                        random.nextInt(3) == 0 ? tables.size() - 1 : random.nextInt(tables.size()));
        var columns = new ArrayList<Attribute>();
        for (var column : table.getValue().columns()) {
            if (columns.isEmpty() || random.nextInt(8) > 0) {
                columns.add(fresh(column.name(), column.type()));
            }
        }
        return new Relation.Scan(table.getKey(), false, columns, PLACE);
    }

    private Relation filtered(Relation input) {
        var column = any(input.output(), null);
        if (column == null) {
            return input;
        }
        var condition =
                switch (random.nextInt(4)) {
                    case 0 -> call(Function.IS_NOT_NULL, reference(column));
                    case 1 ->
                            call(
                                    Function.NOT,
                                    call(Function.EQUAL, reference(column), constant(column)));
                    case 2 -> call(Function.LESS_OR_EQUAL, reference(column), constant(column));
                    default -> call(Function.GREATER, reference(column), constant(column));
                };
        return new Relation.Filter(
                input,
                random.nextInt(4) == 0
                        ? call(Function.OR, condition, call(Function.IS_NULL, reference(column)))
                        : condition);
    }

    private Relation temporal(Relation input) {
        var column = any(input.output(), Primitive.TIMESTAMP);
        if (column == null) {
            return filtered(input);
        }
        var bound =
                new Expression.Call(
                        Function.TIMESTAMP_ADD_MICROS,
                        List.of(now(), number(random.nextLong(-6_000_000, 3_000_000))),
                        Primitive.TIMESTAMP,
                        false,
                        PLACE);
        var functions =
                List.of(
                        Function.GREATER,
                        Function.GREATER_OR_EQUAL,
                        Function.LESS,
                        Function.LESS_OR_EQUAL);
        var condition = call(functions.get(random.nextInt(4)), reference(column), bound);
        return new Relation.Filter(
                input,
                switch (random.nextInt(4)) {
                    case 0 -> call(Function.NOT, condition);
                    case 1 ->
                            call(
                                    Function.AND,
                                    condition,
                                    call(Function.LESS_OR_EQUAL, reference(column), now()));
                    default -> condition;
                });
    }

    private static Expression now() {
        return new Expression.Call(Function.NOW, List.of(), Primitive.TIMESTAMP, false, PLACE);
    }

    private Relation projected(Relation input) {
        var columns = new ArrayList<Named>();
        for (var column : some(input.output(), 1)) {
            columns.add(
                    random.nextInt(3) == 0
                            ? new Named(
                                    fresh("e", column.type()),
                                    new Expression.Call(
                                            Function.COALESCE,
                                            List.of(reference(column), constant(column)),
                                            column.type(),
                                            true,
                                            PLACE))
                            : new Named(column, reference(column)));
        }
        var tested = any(input.output(), null);
        if (tested != null) {
            columns.add(
                    new Named(
                            fresh("p", Primitive.BOOLEAN),
                            call(Function.EQUAL, reference(tested), constant(tested))));
        }
        return new Relation.Project(input, columns);
    }

    /** Few columns, so that rows are often equal. */
    Relation narrowed(Relation input) {
        var columns = new ArrayList<Named>();
        for (var column : some(input.output(), 1)) {
            if (columns.size() < 2) {
                columns.add(new Named(fresh(column.name(), column.type()), reference(column)));
            }
        }
        return new Relation.Project(input, columns);
    }

    /** Columns of the same types of both sides. */
    private Relation union(Relation left, Relation right) {
        var fromLeft = new ArrayList<Named>();
        var fromRight = new ArrayList<Named>();
        var output = new ArrayList<Attribute>();
        for (var column : left.output()) {
            var other = any(right.output(), column.type());
            if (other != null) {
                fromLeft.add(new Named(fresh("l", column.type()), reference(column)));
                fromRight.add(new Named(fresh("r", column.type()), reference(other)));
                output.add(fresh(column.name(), column.type()));
            }
        }
        return output.isEmpty()
                ? left
                : new Relation.UnionAll(
                        List.of(
                                new Relation.Project(left, fromLeft),
                                new Relation.Project(right, fromRight)),
                        output);
    }

    private Relation joined(Relation left, Relation right) {
        var conditions = new ArrayList<Expression>();
        for (int i = 1 + random.nextInt(2); i > 0; i--) {
            var one = any(left.output(), null);
            var other = one == null ? null : any(right.output(), one.type());
            if (one != null && other != null) {
                var function = random.nextInt(6) == 0 ? Function.NULL_SAFE_EQUAL : Function.EQUAL;
                conditions.add(call(function, reference(one), reference(other)));
            }
        }
        if (conditions.isEmpty()) {
            return left;
        }
        var one = any(left.output(), Primitive.LONG);
        var other = any(right.output(), Primitive.LONG);
        if (one != null && other != null && random.nextInt(4) == 0) {
            conditions.add(call(Function.LESS, reference(one), reference(other)));
        }
        var kinds =
                List.of(
                        JoinKind.INNER,
                        JoinKind.INNER,
                        JoinKind.LEFT_OUTER,
                        JoinKind.RIGHT_OUTER,
                        JoinKind.FULL_OUTER,
                        JoinKind.LEFT_SEMI,
                        JoinKind.LEFT_ANTI);
        return new Relation.Join(
                left,
                right,
                kinds.get(random.nextInt(kinds.size())),
                conditions.stream().reduce((a, b) -> call(Function.AND, a, b)).orElseThrow());
    }

    /** Of few rows on the right, since every row meets every other. */
    private Relation crossed(Relation left, Relation right) {
        var few = new Relation.Distinct(narrowed(right));
        var one = any(left.output(), null);
        var other = one == null ? null : any(few.output(), one.type());
        return one == null || other == null || random.nextBoolean()
                ? new Relation.Join(left, few, JoinKind.CROSS, null)
                : new Relation.Join(
                        left,
                        few,
                        JoinKind.INNER,
                        call(Function.LESS, reference(one), reference(other)));
    }

    private Relation grouped(Relation input) {
        var keys = new ArrayList<Named>();
        for (int i = random.nextInt(3); i > 0; i--) {
            var key = any(input.output(), null);
            if (key != null && (!isFloating(key) || random.nextInt(4) == 0)) {
                keys.add(new Named(fresh(key.name(), key.type()), reference(key)));
            }
        }
        var measures = new ArrayList<Measure>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            var column = any(input.output(), null);
            var call =
                    column == null
                            ? RandomAggregates.count()
                            : aggregates.any(column, input.output());
            measures.add(new Measure(fresh("m", call.type()), call));
        }
        return new Relation.Aggregate(input, keys, measures);
    }

    Relation.Window ranked(Relation input, @Nullable Attribute partition) {
        var functions =
                List.of(WindowFunction.ROW_NUMBER, WindowFunction.RANK, WindowFunction.DENSE_RANK);
        return new Relation.Window(
                input,
                partition == null ? List.of() : List.of(reference(partition)),
                order(input.output()),
                List.of(
                        new Windowed(
                                fresh("n", Primitive.INTEGER),
                                new WindowCall.Positional(
                                        functions.get(random.nextInt(functions.size())),
                                        List.of(),
                                        false,
                                        null,
                                        Primitive.INTEGER,
                                        false,
                                        PLACE))));
    }

    private Relation firstRows(Relation input) {
        if (input.output().isEmpty()) {
            return input;
        }
        var window = ranked(input, random.nextInt(6) == 0 ? null : any(input.output(), null));
        var rank = window.columns().getFirst().attribute();
        var isFirst =
                random.nextBoolean()
                        ? call(Function.EQUAL, reference(rank), integer(1))
                        : call(
                                Function.LESS_OR_EQUAL,
                                reference(rank),
                                integer(1 + random.nextInt(3)));
        return new Relation.Filter(window, isFirst);
    }

    List<SortKey> order(List<Attribute> columns) {
        var keys = new ArrayList<SortKey>();
        for (int i = 1 + random.nextInt(2); i > 0; i--) {
            var column = any(columns, null);
            if (column != null
                    && keys.stream().noneMatch(k -> k.value().equals(reference(column)))) {
                keys.add(
                        new SortKey(reference(column), random.nextBoolean(), random.nextBoolean()));
            }
        }
        return keys;
    }

    List<Attribute> some(List<Attribute> columns, int least) {
        var shuffled = new ArrayList<>(columns);
        Collections.shuffle(shuffled, random);
        var count = Math.min(shuffled.size(), least + random.nextInt(shuffled.size() + 1));
        return shuffled.subList(0, count);
    }

    /** A column of the type, of any if null; null when there is none. */
    @Nullable Attribute any(List<Attribute> columns, @Nullable DataType type) {
        var found = columns.stream().filter(c -> type == null || c.type().equals(type)).toList();
        return found.isEmpty() ? null : found.get(random.nextInt(found.size()));
    }

    private static boolean isFloating(Attribute column) {
        return column.type() == Primitive.DOUBLE;
    }

    Attribute fresh(String name, DataType type) {
        lastId++;
        return new Attribute(lastId, name, type, true);
    }

    static Expression reference(Attribute column) {
        return new Expression.Reference(column);
    }

    Expression constant(Attribute column) {
        return new Expression.Literal(column.type(), RandomRows.text(random, column.type()));
    }

    static Expression number(long value) {
        return new Expression.Literal(Primitive.LONG, Long.toString(value));
    }

    static Expression integer(int value) {
        return new Expression.Literal(Primitive.INTEGER, Integer.toString(value));
    }

    static Expression call(Function function, Expression... arguments) {
        return new Expression.Call(function, List.of(arguments), Primitive.BOOLEAN, true, PLACE);
    }
}
