package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Measure;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SortKey;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Prints plans as DuckDB SQL that gives what Spark gives, or refuses.
 *
 * <p>Every relation becomes a SELECT whose columns are named by their numbers in the plan, so that
 * no two names clash and a subquery finds the columns of the query round it. What Spark and DuckDB
 * do differently is written out in the expressions: see {@link DuckFunctions}, {@link DuckCasts}
 * and {@link DuckAggregates}. Nothing is printed that is not on their lists.
 *
 * <p>Both kinds of TIMESTAMP are DuckDB's TIMESTAMP, in UTC; the session's TimeZone must be UTC. A
 * table read by a scan has at least the scan's columns, under the names of the plan. An error of a
 * row (an overflow, a division by zero, a cast that fails) is an error of the statement.
 */
public final class DuckPrinter {
    private final Function<Relation.Scan, String> tables;
    private final DuckExpressions values;
    private final DuckExpressions conditions;
    private final DuckAggregates aggregates;

    /**
     * @param tables gives for a scan the SQL to stand after FROM: a quoted name, or a query in
     *     parentheses. A caller maps a streaming scan to the rows new in the batch and another to
     *     the table's or view's whole state; both are told apart by {@link
     *     Relation.Scan#streaming()}
     * @param now SQL of a TIMESTAMP that stands wherever the text says now(): a literal, {@code
     *     getvariable('now')} or a scalar subquery; it must not change within a batch
     */
    public DuckPrinter(Function<Relation.Scan, String> tables, String now) {
        this(tables, now, null);
    }

    /**
     * @param caller null where nobody asks
     */
    DuckPrinter(Function<Relation.Scan, String> tables, String now, @Nullable DuckCaller caller) {
        this.tables = tables;
        this.values = new DuckExpressions(DuckPrinter::column, now, caller, this::columns);
        this.conditions = new DuckExpressions(a -> quoted(a.name()), now, caller, this::columns);
        this.aggregates = new DuckAggregates(values);
    }

    /**
     * A SELECT that gives the relation's columns, in order, under their names.
     *
     * @throws dev.lakemill.types.LakemillException UNIMPLEMENTED, with the position in the user's
     *     file, if something in the query has no DuckDB form that is sure to equal Spark's
     */
    public String query(Relation relation) {
        try {
            if (relation.output().stream().anyMatch(a -> a.name().isEmpty())) {
                throw new LakemillException(
                        ErrorCode.UNIMPLEMENTED,
                        "a column without a name is not supported",
                        "give it a name by AS");
            }
            var columns =
                    relation.output().stream()
                            .map(a -> column(a) + " AS " + quoted(a.name()))
                            .collect(Collectors.joining(", "));
            return "SELECT " + columns + from(relation);
        } catch (DuckRefusal e) {
            throw e.toException();
        }
    }

    /**
     * A scalar expression over one row; columns are told by their quoted names alone, so it stands
     * in any SELECT over the rows. A condition may be NULL: wrap it in coalesce(…, false).
     *
     * @throws dev.lakemill.types.LakemillException as {@link #query}
     */
    public String condition(Expression expression) {
        try {
            return conditions.print(expression);
        } catch (DuckRefusal e) {
            throw e.toException();
        }
    }

    /**
     * The body of a function, over its parameters as {@code $1}, {@code $2}, …, the caller's name
     * as {@code $user} and the caller's groups as {@code $groups}.
     *
     * @throws dev.lakemill.types.LakemillException as {@link #query}; also for what depends on the
     *     time, since a policy is to say the same at any time
     */
    public static String function(List<String> parameters, Expression body) {
        if (Relations.usesNow(body)) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "a function of the catalog cannot depend on the time",
                    "compare with a column that the table keeps");
        }
        var printer =
                new DuckExpressions(
                        a -> "$" + (1 + parameters.indexOf(a.name())),
                        "now()",
                        new DuckCaller("$user", "$groups"),
                        _ -> {
                            throw new IllegalArgumentException("a function holds no query");
                        });
        try {
            return printer.print(body);
        } catch (DuckRefusal e) {
            throw e.toException();
        }
    }

    /** As {@link #query}, with the columns named by their numbers, as {@code c7}. */
    String numbered(Relation relation) {
        try {
            return columns(relation);
        } catch (DuckRefusal e) {
            throw e.toException();
        }
    }

    /** An expression over columns that are named by their numbers. */
    String value(Expression expression) {
        try {
            return values.print(expression);
        } catch (DuckRefusal e) {
            throw e.toException();
        }
    }

    /** What of a plan cannot be printed: of each query and each condition the first. */
    static List<TextError> refusals(PipelinePlan plan) {
        var printer = new DuckPrinter(_ -> "t", "now()");
        return plan.datasets().stream().flatMap(printer::refusals).toList();
    }

    private Stream<TextError> refusals(Dataset dataset) {
        return switch (dataset) {
            case Dataset.IngestedTable _, Dataset.FileTable _ -> Stream.of();
            case Dataset.StreamingTable table ->
                    Stream.concat(
                            refusals(table.query(), table.expectations()),
                            table.once().stream().flatMap(f -> refusals(f.query(), List.of())));
            case Dataset.MaterializedView view -> refusals(view.query(), view.expectations());
        };
    }

    private Stream<TextError> refusals(Relation query, List<Expectation> rules) {
        var conditions =
                rules.stream()
                        .filter(Expectation.Condition.class::isInstance)
                        .map(Expectation.Condition.class::cast)
                        .map(rule -> (Runnable) () -> this.conditions.print(rule.condition()));
        return Stream.concat(Stream.<Runnable>of(() -> print(query)), conditions)
                .flatMap(DuckPrinter::refusal);
    }

    private static Stream<TextError> refusal(Runnable printing) {
        try {
            printing.run();
            return Stream.of();
        } catch (DuckRefusal e) {
            return Stream.of(e.error());
        }
    }

    /** DuckDB's name of a type: that of the columns a scan reads and a query gives. */
    public static String type(DataType type) {
        return DuckTypes.name(type);
    }

    /** A name in double quotes. */
    public static String quoted(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }

    private static String column(Attribute attribute) {
        return "c" + attribute.id();
    }

    /** A SELECT of the relation's columns, and no others, under their numbers. */
    private String columns(Relation relation) {
        return select(relation.output().stream().map(DuckPrinter::column)) + from(relation);
    }

    private String from(Relation relation) {
        return " FROM (" + print(relation) + ")";
    }

    /** A SELECT list that stays one where there are no columns. */
    private static String select(Stream<String> columns) {
        var list = columns.collect(Collectors.joining(", "));
        return "SELECT " + (list.isEmpty() ? "1 AS nothing" : list);
    }

    private static String as(String value, Attribute attribute) {
        return value + " AS " + column(attribute);
    }

    /** A SELECT that gives at least the relation's columns. */
    private String print(Relation relation) {
        return switch (relation) {
            case Relation.Scan scan ->
                    select(scan.output().stream().map(a -> as(quoted(a.name()), a)))
                            + " FROM "
                            + tables.apply(scan);
            case Relation.Values rows -> values(rows);
            case Relation.Filter filter ->
                    "SELECT *"
                            + from(filter.input())
                            + " WHERE "
                            + values.print(filter.condition());
            case Relation.Project project -> project(project);
            case Relation.Aggregate aggregate -> aggregate(aggregate);
            case Relation.Join join -> join(join);
            case Relation.UnionAll union ->
                    union.inputs().stream()
                            .map(input -> branch(input, union.output()))
                            .collect(Collectors.joining(" UNION ALL "));
            case Relation.Distinct distinct ->
                    "SELECT DISTINCT "
                            + distinct.output().stream()
                                    .map(a -> as(grouped(column(a), a.type()), a))
                                    .collect(Collectors.joining(", "))
                            + from(distinct.input());
            case Relation.Sort sort -> print(sort.input());
            case Relation.Limit limit -> limit(limit);
            case Relation.Window window -> window(window);
            case Relation.Unnest unnest -> unnest(unnest);
        };
    }

    /** In a SELECT list DuckDB takes the elements one by one, and their places in step. */
    private String unnest(Relation.Unnest unnest) {
        var type = DuckTypes.name(unnest.array().type());
        var array = values.print(unnest.array());
        var list =
                unnest.outer()
                        ? "(CASE WHEN coalesce(len(%1$s), 0) = 0 THEN CAST([NULL] AS %2$s) ELSE %1$s END)"
                                .formatted(array, type)
                        : array;
        var place =
                unnest.outer()
                        ? "(CASE WHEN coalesce(len(%1$s), 0) = 0 THEN CAST([NULL] AS INTEGER[]) ELSE CAST(range(len(%1$s)) AS INTEGER[]) END)"
                                .formatted(array)
                        : "CAST(range(len(%s)) AS INTEGER[])".formatted(array);
        var position = unnest.position();
        return "SELECT *, "
                + as("unnest(" + list + ")", unnest.element())
                + (position == null ? "" : ", " + as("unnest(" + place + ")", position))
                + from(unnest.input());
    }

    private String project(Relation.Project project) {
        var known =
                project.input().output().stream().map(Attribute::id).collect(Collectors.toSet());
        var isHidden =
                project.columns().stream()
                        .anyMatch(
                                c ->
                                        c.value() instanceof Expression.Reference r
                                                && r.attribute().id() == c.attribute().id()
                                                && !known.contains(c.attribute().id()));
        if (!isHidden) {
            return project(project.columns(), from(project.input()));
        }
        // A column of the query round this, given out under its own name, would name itself.
        var list = project.columns();
        var inner =
                IntStream.range(0, list.size())
                        .mapToObj(i -> values.print(list.get(i).value()) + " AS p" + i);
        var outer =
                IntStream.range(0, list.size()).mapToObj(i -> as("p" + i, list.get(i).attribute()));
        return select(outer) + " FROM (" + select(inner) + from(project.input()) + ")";
    }

    private String project(List<Named> columns, String from) {
        return select(columns.stream().map(c -> as(values.print(c.value()), c.attribute()))) + from;
    }

    private String values(Relation.Values rows) {
        if (rows.output().isEmpty()) {
            return rows.rows().stream()
                    .map(_ -> "SELECT 1 AS nothing")
                    .collect(Collectors.joining(" UNION ALL "));
        }
        if (rows.rows().isEmpty()) {
            return select(rows.output().stream().map(a -> as(cast("NULL", a), a))) + " WHERE false";
        }
        return rows.rows().stream()
                .map(
                        row ->
                                select(
                                        IntStream.range(0, row.size())
                                                .mapToObj(
                                                        i ->
                                                                as(
                                                                        values.print(row.get(i)),
                                                                        rows.output().get(i)))))
                .collect(Collectors.joining(" UNION ALL "));
    }

    private static String cast(String value, Attribute attribute) {
        return DuckTypes.cast(value, attribute.type());
    }

    private String aggregate(Relation.Aggregate aggregate) {
        var keys =
                aggregate.keys().stream()
                        .map(k -> as(grouped(values.print(k.value()), k.value().type()), k));
        var measures = aggregate.measures().stream().map(this::measure);
        var nothing =
                aggregate.output().isEmpty()
                        ? Stream.of("count(*) AS nothing")
                        : Stream.<String>of();
        var list = Stream.of(keys, measures, nothing).flatMap(s -> s);
        var groups =
                IntStream.rangeClosed(1, aggregate.keys().size())
                        .mapToObj(Integer::toString)
                        .collect(Collectors.joining(", "));
        return select(list)
                + from(aggregate.input())
                + (groups.isEmpty() ? "" : " GROUP BY " + groups);
    }

    private static String as(String value, Named named) {
        return as(value, named.attribute());
    }

    private String measure(Measure measure) {
        return as(aggregates.print(measure.call()), measure.attribute());
    }

    /** As Spark groups: zero has no sign. */
    private static String grouped(String value, DataType type) {
        return DuckTypes.isFloating(type) ? DuckTypes.cast(value + " + 0", type) : value;
    }

    private String join(Relation.Join join) {
        var kind =
                switch (join.kind()) {
                    case INNER -> " JOIN ";
                    case CROSS -> " CROSS JOIN ";
                    case LEFT_OUTER -> " LEFT JOIN ";
                    case RIGHT_OUTER -> " RIGHT JOIN ";
                    case FULL_OUTER -> " FULL JOIN ";
                    case LEFT_SEMI -> " SEMI JOIN ";
                    case LEFT_ANTI -> " ANTI JOIN ";
                };
        var condition =
                Optional.ofNullable(join.condition())
                        .map(values::filter)
                        .or(() -> join.kind() == Relation.JoinKind.CROSS ? none() : always())
                        .orElse("");
        return select(join.output().stream().map(DuckPrinter::column))
                + " FROM ("
                + print(join.left())
                + ")"
                + kind
                + "("
                + print(join.right())
                + ")"
                + (condition.isEmpty() ? "" : " ON " + condition);
    }

    private static Optional<String> none() {
        return Optional.empty();
    }

    private static Optional<String> always() {
        return Optional.of("true");
    }

    private String branch(Relation input, List<Attribute> output) {
        return select(
                        IntStream.range(0, output.size())
                                .mapToObj(i -> as(column(input.output().get(i)), output.get(i))))
                + from(input);
    }

    /**
     * The order stands in the SELECT of the limit, since that of a subquery promises nothing: a
     * projection or a condition between the two changes places with one of them.
     */
    private String limit(Relation.Limit limit) {
        return switch (limit.input()) {
            case Relation.Project project ->
                    project(
                            project.columns(),
                            " FROM (" + limit(over(limit, project.input())) + ")");
            case Relation.Filter filter when filter.input() instanceof Relation.Sort sort ->
                    limit(
                            over(
                                    limit,
                                    new Relation.Sort(
                                            new Relation.Filter(sort.input(), filter.condition()),
                                            sort.keys())));
            case Relation.Sort sort ->
                    "SELECT *" + from(sort.input()) + orderBy(sort.keys()) + count(limit);
            case Relation other -> "SELECT *" + from(other) + count(limit);
        };
    }

    private static Relation.Limit over(Relation.Limit limit, Relation input) {
        return new Relation.Limit(input, limit.countRows(), limit.offsetRows());
    }

    private static String count(Relation.Limit limit) {
        return (limit.countRows() < 0 ? "" : " LIMIT " + limit.countRows())
                + (limit.offsetRows() == 0 ? "" : " OFFSET " + limit.offsetRows());
    }

    private String orderBy(List<SortKey> keys) {
        return keys.stream().map(this::key).collect(Collectors.joining(", ", " ORDER BY ", ""));
    }

    private String key(SortKey key) {
        return values.print(key.value())
                + (key.ascending() ? " ASC" : " DESC")
                + (key.nullsFirst() ? " NULLS FIRST" : " NULLS LAST");
    }

    private String window(Relation.Window window) {
        var partition =
                window.partitionBy().stream()
                        .map(e -> grouped(values.print(e), e.type()))
                        .collect(Collectors.joining(", "));
        var over =
                (partition.isEmpty() ? "" : " PARTITION BY " + partition)
                        + (window.orderBy().isEmpty() ? "" : orderBy(window.orderBy()));
        var windows = new DuckWindows(values, aggregates, window.orderBy(), over);
        var columns =
                window.columns().stream()
                        .map(c -> as(windows.print(c.call()), c.attribute()))
                        .collect(Collectors.joining(", "));
        return "SELECT *, " + columns + from(window.input());
    }
}
