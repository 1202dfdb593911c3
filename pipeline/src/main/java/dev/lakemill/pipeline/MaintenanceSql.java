package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The SQL of one view's incremental maintenance. Relations of the plan and tables of our own are
 * put together as a plan and printed by {@link DuckPrinter}, so that a change is computed by the
 * same expressions as the whole. Columns of our own tables are called by their numbers.
 */
final class MaintenanceSql {
    /** Of a change: 1 or -1. */
    static final Attribute WEIGHT =
            new Attribute(2_000_000_000, ViewMaintenance.WEIGHT, Primitive.LONG, false);

    static final SourcePosition NOWHERE = new SourcePosition("", 1, 1);
    private static final int FIRST_ID = 1_500_000_000;

    private final TableName view;
    private final IdentityHashMap<Relation.Scan, String> stands = new IdentityHashMap<>();
    private int lastId = FIRST_ID;
    private int lastTable;
    private ViewMaintenance.@Nullable Refresh refresh;

    MaintenanceSql(TableName view) {
        this.view = view;
    }

    /** What follows belongs to this batch. */
    void begin(ViewMaintenance.Refresh batch) {
        refresh = batch;
    }

    DuckSession duck() {
        return refresh().duck();
    }

    /** SQL of the changed rows of a table: its columns by name, and the weight. */
    Optional<String> changes(TableName table) {
        return refresh().changes(table);
    }

    /** A column that is in no plan. */
    Attribute fresh(DataType type) {
        lastId++;
        return new Attribute(lastId, column(lastId), type, true);
    }

    /** The quoted name of a table that only this view uses. */
    String table(String what) {
        lastTable++;
        return quoted("%s %d %s".formatted(view, lastTable, what));
    }

    /**
     * A table of our own, as a relation.
     *
     * @param from what stands after FROM: a quoted name, or a query in parentheses
     */
    Relation.Scan stand(String from, List<Attribute> columns) {
        var named =
                columns.stream()
                        .map(a -> new Attribute(a.id(), column(a.id()), a.type(), a.nullable()))
                        .toList();
        var scan = new Relation.Scan(view, false, named, NOWHERE);
        stands.put(scan, from);
        return scan;
    }

    /** Puts other SQL in the place of a stand. */
    void move(Relation.Scan stand, String from) {
        stands.put(stand, from);
    }

    /** A SELECT of the relation's columns under their numbers. */
    String print(Relation relation) {
        return printer(DuckSession.NOW).numbered(relation);
    }

    /** An expression over columns called by their numbers. */
    String print(Expression expression) {
        return printer(DuckSession.NOW).value(expression);
    }

    /** As {@link #print}, with the now() of the batch before. */
    String printBefore(Expression expression) {
        return printer(DuckSession.NOW_BEFORE).value(expression);
    }

    /** Keeps a result until the batch's next; true when it has rows. */
    boolean keep(String table, String select) {
        return written(table, select) > 0;
    }

    /** As {@link #keep}; the number of the rows. */
    long written(String table, String select) {
        return duck().written("CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(table, select));
    }

    long count(String table) {
        return duck().count("SELECT count(*) FROM " + table);
    }

    static String column(int id) {
        return "c" + id;
    }

    static String column(Attribute attribute) {
        return column(attribute.id());
    }

    static String columns(List<Attribute> attributes) {
        return attributes.stream().map(MaintenanceSql::column).collect(Collectors.joining(", "));
    }

    /** The columns with a comma behind each. */
    static String listed(List<Attribute> attributes) {
        return attributes.isEmpty() ? "" : columns(attributes) + ", ";
    }

    static List<Attribute> weighted(List<Attribute> attributes) {
        return Stream.concat(attributes.stream(), Stream.of(WEIGHT)).toList();
    }

    /** Exactly these columns and, behind them, the weight. */
    static Relation.Project weighted(Relation changes, List<Attribute> columns) {
        var named = new ArrayList<>(same(columns));
        named.add(new Named(WEIGHT, new Expression.Reference(WEIGHT)));
        return new Relation.Project(changes, named);
    }

    /** Exactly these columns, all with one weight. */
    static Relation.Project weighted(Relation rows, List<Attribute> columns, int weight) {
        var named = new ArrayList<>(same(columns));
        named.add(new Named(WEIGHT, number(weight)));
        return new Relation.Project(rows, named);
    }

    static List<Named> same(List<Attribute> columns) {
        return columns.stream().map(a -> new Named(a, new Expression.Reference(a))).toList();
    }

    static Expression number(long value) {
        return new Expression.Literal(Primitive.LONG, Long.toString(value));
    }

    static Expression call(Function function, Expression... arguments) {
        return new Expression.Call(function, List.of(arguments), Primitive.BOOLEAN, true, NOWHERE);
    }

    /** All of them; there is at least one. */
    static Expression and(List<Expression> conditions) {
        return conditions.stream()
                .reduce((left, right) -> call(Function.AND, left, right))
                .orElseThrow();
    }

    static Relation union(List<Relation> branches) {
        return branches.size() == 1
                ? branches.getFirst()
                : new Relation.UnionAll(branches, branches.getFirst().output());
    }

    /**
     * SQL of the changes between two sets of rows; zeros of both signs are different here, since an
     * expression may tell them apart.
     */
    static String difference(List<Attribute> columns, String before, String after) {
        return consolidated(
                columns,
                "SELECT %1$s-1 AS %2$s FROM %3$s UNION ALL SELECT %1$s1 FROM %4$s"
                        .formatted(listed(columns), column(WEIGHT), before, after));
    }

    /** SQL of the changes that remain when those that cancel out are gone. */
    static String consolidated(List<Attribute> columns, String changes) {
        return """
        SELECT %1$ssign(w)::BIGINT AS %2$s FROM (
          SELECT %1$sw, unnest(range(abs(w)::BIGINT)) FROM (
            SELECT %1$s%5$s AS w FROM (%3$s) GROUP BY %4$s HAVING %5$s <> 0))"""
                .formatted(
                        listed(columns),
                        column(WEIGHT),
                        changes,
                        exactly(columns),
                        DuckAggregates.unbounded("sum(" + column(WEIGHT) + ")"));
    }

    private static String exactly(List<Attribute> columns) {
        return columns.isEmpty()
                ? "()"
                : columns.stream()
                        .flatMap(attribute -> exactly(column(attribute), attribute.type()).stream())
                        .collect(Collectors.joining(", "));
    }

    /** SQL of what two rows must share in a column to be the same to every expression. */
    static List<String> exactly(String column, DataType type) {
        return DuckTypes.isFloating(type)
                ? List.of(column, "signbit(%s)".formatted(column))
                : DuckTypes.holdsFloating(type)
                        ? List.of(column, "CAST(%s AS VARCHAR)".formatted(column))
                        : List.of(column);
    }

    private DuckPrinter printer(String now) {
        return new DuckPrinter(this::from, now);
    }

    private String from(Relation.Scan scan) {
        var stand = stands.get(scan);
        return stand == null ? refresh().inputs().whole(scan.table()) : stand;
    }

    private ViewMaintenance.Refresh refresh() {
        if (refresh == null) {
            throw new IllegalStateException("no batch runs");
        }
        return refresh;
    }
}
