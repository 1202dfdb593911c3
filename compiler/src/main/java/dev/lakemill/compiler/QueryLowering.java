package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relation.Measure;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relation.Windowed;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.TableName;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.analysis.ResolvedInlineTable;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable;
import org.apache.spark.sql.catalyst.expressions.WindowExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression;
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateFunction;
import org.apache.spark.sql.catalyst.planning.PhysicalAggregation;
import org.apache.spark.sql.catalyst.plans.logical.*;
import org.apache.spark.sql.catalyst.trees.TreePattern;

/**
 * Says Spark's analysed query in the plan's terms, or refuses it; fail-closed as {@link
 * ExpressionLowering}.
 */
final class QueryLowering {
    private final Scope scope;
    private final ExpressionLowering values;
    private final AggregateLowering aggregates;
    private final WindowLowering windows;
    private final SetLowering sets;
    private final JoinedSubqueries subqueries;
    private final GeneratorLowering generators;
    private final boolean anyOrder;

    QueryLowering(Scope scope) {
        this(scope, false);
    }

    private QueryLowering(Scope scope, boolean anyOrder) {
        this.scope = scope;
        this.anyOrder = anyOrder;
        this.values = new ExpressionLowering(scope, this::lower);
        this.aggregates = new AggregateLowering(values);
        this.windows = new WindowLowering(values, aggregates);
        this.sets = new SetLowering(scope, values, this::lower);
        this.subqueries = new JoinedSubqueries(scope);
        this.generators = new GeneratorLowering(scope, values, this::lower);
    }

    /** For queries that run once, of which a LIMIT without ORDER BY may give any rows. */
    static QueryLowering ofAnyOrder(Scope scope) {
        return new QueryLowering(scope, true);
    }

    ExpressionLowering values() {
        return values;
    }

    Relation lower(LogicalPlan plan) {
        return switch (plan) {
            case SubqueryAlias alias -> lower(alias.child());
            case View view -> lower(view.child());
            case ResolvedHint hint -> lower(hint.child());
            case LocalRelation local -> local(local);
            case ResolvedInlineTable table -> inlineTable(table);
            case OneRowRelation _ -> new Relation.Values(List.of(), List.of(List.of()));
            case Filter filter ->
                    new Relation.Filter(
                            lower(filter.child()), values.lowerCondition(filter.condition()));
            case Project project ->
                    new Relation.Project(
                            once(lower(project.child())), named(Scala.list(project.projectList())));
            case Aggregate aggregate -> aggregate(aggregate);
            case Join join -> join(join);
            case Union union -> union(union);
            case Distinct distinct -> new Relation.Distinct(lower(distinct.child()));
            case Sort sort -> sort(sort);
            case GlobalLimit limit -> limit(limit, limit.limitExpr(), limit.child());
            case Offset offset ->
                    new Relation.Limit(
                            sorted(offset, "OFFSET", offset.child()),
                            -1,
                            constant(offset, offset.offsetExpr()));
            case Window window -> window(window);
            case Expand expand -> sets.expand(expand);
            case Generate generate -> generators.lower(generate);
            case Intersect intersect -> sets.intersect(intersect);
            case Except except -> sets.except(except);
            case WithCTE with -> lower(with.plan());
            case CTERelationDef definition -> lower(definition.child());
            default -> throw refused(plan);
        };
    }

    private TextRefused refused(LogicalPlan plan) {
        var what =
                switch (plan) {
                    case Pivot _ -> "PIVOT";
                    case LateralJoin _ -> "LATERAL";
                    case Sample _ -> "TABLESAMPLE";
                    case Range _ -> "range()";
                    default -> plan.nodeName();
                };
        return new TextRefused(scope.position(plan), what + " is not supported", "");
    }

    /** Spark matches the fields of structs by their places, DuckDB by their names. */
    private Relation union(Union union) {
        var inputs = Scala.<LogicalPlan>list(union.children());
        for (var input : inputs) {
            if (!types(input).equals(types(inputs.getFirst()))) {
                scope.refuse(
                        input,
                        "UNION of structs whose fields have different names is not supported",
                        "name the fields alike");
            }
        }
        return new Relation.UnionAll(inputs.stream().map(this::lower).toList(), output(union));
    }

    private static List<String> types(LogicalPlan plan) {
        return Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(plan.output())
                .stream()
                .map(a -> a.dataType().catalogString())
                .toList();
    }

    /** A table of the pipeline, or rows written in the query. */
    private Relation local(LocalRelation local) {
        var source = SourceTables.source(local);
        if (source.isEmpty()) {
            return new Relation.Values(
                    output(local),
                    Scala.<InternalRow>list(local.data()).stream()
                            .map(row -> row(local, row))
                            .toList());
        }
        scope.noteTable();
        TableName table = source.get();
        return new Relation.Scan(table, local.isStreaming(), output(local), scope.position(local));
    }

    private List<Expression> row(LocalRelation local, InternalRow row) {
        var columns =
                Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(local.output());
        return java.util.stream.IntStream.range(0, columns.size())
                .mapToObj(
                        i ->
                                constant(
                                        local,
                                        row.get(i, columns.get(i).dataType()),
                                        columns.get(i).dataType()))
                .toList();
    }

    private Expression constant(
            LocalRelation local, Object value, org.apache.spark.sql.types.DataType type) {
        return Literals.literal(value, type, scope.position(local))
                .orElseThrow(
                        () ->
                                new TextRefused(
                                        scope.position(local),
                                        "VALUES of type %s is not supported".formatted(type.sql()),
                                        ""));
    }

    private Relation inlineTable(ResolvedInlineTable table) {
        return new Relation.Values(
                output(table),
                Scala.list(table.rows()).stream()
                        .map(
                                row ->
                                        values.lower(
                                                Scala
                                                        .<org.apache.spark.sql.catalyst.expressions
                                                                        .Expression>
                                                                list(row)))
                        .toList());
    }

    private List<Attribute> output(LogicalPlan plan) {
        return Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(plan.output())
                .stream()
                .map(scope::attribute)
                .toList();
    }

    private List<Named> named(List<NamedExpression> list) {
        return list.stream().map(this::named).toList();
    }

    private Named named(NamedExpression e) {
        var value = values.lower((org.apache.spark.sql.catalyst.expressions.Expression) e);
        return new Named(scope.attribute(e.toAttribute()), value);
    }

    /** The keys and measures, and the expressions over them in a projection above. */
    private Relation aggregate(Aggregate aggregate) {
        var parts =
                Scala.optional(PhysicalAggregation.unapply(withoutReplaceable(aggregate)))
                        .orElseThrow(() -> refused(aggregate));
        var keys = named(Scala.<NamedExpression>list(parts._1()));
        var measures = Scala.list(parts._2()).stream().map(this::measure).toList();
        var grouped = new Relation.Aggregate(lower(parts._4()), keys, measures);
        return new Relation.Project(grouped, named(Scala.<NamedExpression>list(parts._3())));
    }

    /** Spark's own name for it holds a number that differs from run to run. */
    private Measure measure(AggregateExpression e) {
        scope.rename(e.resultId(), e.aggregateFunction().prettyName());
        return new Measure(scope.attribute(e.resultAttribute()), aggregates.lower(e));
    }

    /** With aggregate functions that are only names for others said by those. */
    private static LogicalPlan withoutReplaceable(LogicalPlan plan) {
        return plan.transformExpressions(
                Scala.change(
                        e -> e instanceof AggregateFunction && e instanceof RuntimeReplaceable,
                        e -> ((RuntimeReplaceable) e).replacement()));
    }

    private Relation join(Join join) {
        var kind =
                switch (join.joinType().sql()) {
                    case "INNER" -> JoinKind.INNER;
                    case "CROSS" -> JoinKind.CROSS;
                    case "LEFT OUTER" -> JoinKind.LEFT_OUTER;
                    case "RIGHT OUTER" -> JoinKind.RIGHT_OUTER;
                    case "FULL OUTER" -> JoinKind.FULL_OUTER;
                    case "LEFT SEMI" -> JoinKind.LEFT_SEMI;
                    case "LEFT ANTI" -> JoinKind.LEFT_ANTI;
                    default -> throw refused(join);
                };
        var left = lower(join.left());
        var right = lower(join.right());
        var condition = Scala.optional(join.condition()).map(values::lowerCondition);
        if (kind == JoinKind.INNER || kind == JoinKind.CROSS) {
            return subqueries.inner(join, left, right, condition);
        }
        subqueries.check(join);
        return new Relation.Join(left, right, kind, condition.orElse(null));
    }

    /** An order alone changes no result, but a query in it could fail. */
    private Relation sort(Sort sort) {
        var keys = Scala.list(sort.order());
        if (keys.stream().anyMatch(k -> k.containsPattern(TreePattern.PLAN_EXPRESSION()))) {
            scope.refuse(
                    sort,
                    "ORDER BY a query is not supported",
                    "select it as a column, and order by that");
        }
        return new Relation.Sort(lower(sort.child()), keys.stream().map(windows::sortKey).toList());
    }

    private Relation limit(
            LogicalPlan at,
            org.apache.spark.sql.catalyst.expressions.Expression count,
            LogicalPlan child) {
        var inner = child instanceof LocalLimit local ? local.child() : child;
        var rows = constant(at, count);
        if (inner instanceof Offset offset) {
            return new Relation.Limit(
                    sorted(at, "LIMIT", offset.child()), rows, constant(at, offset.offsetExpr()));
        }
        return new Relation.Limit(sorted(at, "LIMIT", inner), rows, 0);
    }

    /**
     * A limit without an order gives any rows; a pipeline gives the same for the same input. An
     * order that does not reach the limit is refused everywhere.
     */
    private Relation sorted(LogicalPlan limit, String clause, LogicalPlan child) {
        var lowered = lower(child);
        if (!isSorted(lowered) && (!anyOrder || holdsSort(lowered))) {
            scope.refuse(
                    limit,
                    clause + " without ORDER BY gives any rows",
                    "add ORDER BY before " + clause);
        }
        return lowered;
    }

    /** Whether the rows come in an order that the limit may take over. */
    private static boolean isSorted(Relation relation) {
        return switch (relation) {
            case Relation.Sort _, Relation.Values _ -> true;
            case Relation.Project project -> isSorted(project.input());
            // What is above the condition may not know the columns of an order further below.
            case Relation.Filter filter ->
                    filter.input() instanceof Relation.Sort
                            || filter.input() instanceof Relation.Values;
            case Relation.Scan _,
                    Relation.Aggregate _,
                    Relation.Join _,
                    Relation.UnionAll _,
                    Relation.Distinct _,
                    Relation.Limit _,
                    Relation.Window _,
                    Relation.Unnest _ ->
                    false;
        };
    }

    private static boolean holdsSort(Relation relation) {
        return switch (relation) {
            case Relation.Sort _ -> true;
            case Relation.Project project -> holdsSort(project.input());
            case Relation.Filter filter -> holdsSort(filter.input());
            default -> false;
        };
    }

    private long constant(LogicalPlan at, org.apache.spark.sql.catalyst.expressions.Expression e) {
        return Optional.of(values.lower(e))
                .flatMap(Literals::constant)
                .map(Long::parseLong)
                .orElseThrow(
                        () ->
                                new TextRefused(
                                        scope.position(at),
                                        "LIMIT and OFFSET take a constant number",
                                        "write a whole number"));
    }

    private Relation window(Window window) {
        return new Relation.Window(
                once(lower(window.child())),
                values.lower(
                        Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                window.partitionSpec())),
                Scala.list(window.orderSpec()).stream().map(windows::sortKey).toList(),
                Scala.list(window.windowExpressions()).stream().map(this::windowed).toList());
    }

    /** Spark selects what a window needs, or gives, also where it is selected already. */
    private static Relation once(Relation input) {
        if (!(input instanceof Relation.Project project)) {
            return input;
        }
        var seen = new HashSet<Integer>();
        return new Relation.Project(
                project.input(),
                project.columns().stream().filter(c -> seen.add(c.attribute().id())).toList());
    }

    private Windowed windowed(NamedExpression e) {
        if (e instanceof Alias alias && alias.child() instanceof WindowExpression call) {
            return new Windowed(scope.attribute(alias.toAttribute()), windows.lower(call));
        }
        throw new IllegalStateException("an analysed window names its calls");
    }
}
