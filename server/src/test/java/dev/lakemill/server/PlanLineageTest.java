package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.catalog.LineageFlow.Edge;
import dev.lakemill.plan.AggregateCall;
import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SyncedTable;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which columns a plan says that each column is made from. */
final class PlanLineageTest {
    private static final SourcePosition HERE = new SourcePosition("a.sql", 1, 1);
    private static final TableName BRONZE = TableName.parse("farm.bronze.readings");
    private static final TableName ZONES = TableName.parse("farm.bronze.zones");
    private static final TableName SILVER = TableName.parse("farm.silver.readings");
    private static final TableName GOLD = TableName.parse("farm.gold.climate");
    private static final TableName SERVED = TableName.parse("farm.serving.climate");

    private static Attribute attribute(int id, String name) {
        return new Attribute(id, name, Primitive.LONG, true);
    }

    private static Expression.Reference of(Attribute attribute) {
        return new Expression.Reference(attribute);
    }

    private static Expression sum(Expression a, Expression b) {
        return new Expression.Call(Function.ADD, List.of(a, b), Primitive.LONG, true, HERE);
    }

    private static TableSchema schema(String... names) {
        return new TableSchema(
                List.of(names).stream().map(n -> Column.nullable(n, Primitive.LONG)).toList());
    }

    private static Dataset ingested(TableName name, String... columns) {
        return new Dataset.IngestedTable(name, schema(columns), "", HERE);
    }

    /** {@code SELECT zone, celsius + offset AS kelvin FROM STREAM(readings) WHERE quality > …}. */
    private static Dataset silver() {
        var zone = attribute(1, "zone");
        var celsius = attribute(2, "celsius");
        var offset = attribute(3, "offset");
        var quality = attribute(4, "quality");
        var scan = new Relation.Scan(BRONZE, true, List.of(zone, celsius, offset, quality), HERE);
        var good =
                new Expression.Call(
                        Function.IS_NOT_NULL, List.of(of(quality)), Primitive.BOOLEAN, false, HERE);
        var query =
                new Relation.Project(
                        new Relation.Filter(scan, good),
                        List.of(
                                new Relation.Named(attribute(5, "zone"), of(zone)),
                                new Relation.Named(
                                        attribute(6, "kelvin"), sum(of(celsius), of(offset)))));
        var rule =
                new Expectation.Condition(
                        "has_zone",
                        new Expression.Call(
                                Function.IS_NOT_NULL,
                                List.of(of(attribute(5, "zone"))),
                                Primitive.BOOLEAN,
                                false,
                                HERE),
                        OnViolation.QUARANTINE,
                        "zone IS NOT NULL",
                        HERE);
        return new Dataset.StreamingTable(
                SILVER, schema("zone", "kelvin"), "", List.of(rule), query, HERE);
    }

    /** Groups silver by the zone of its join with zones; the area comes from a subquery. */
    private static Dataset gold() {
        var zone = attribute(1, "zone");
        var kelvin = attribute(2, "kelvin");
        var zoneId = attribute(3, "id");
        var area = attribute(4, "area");
        var joined =
                new Relation.Join(
                        new Relation.Scan(SILVER, false, List.of(zone, kelvin), HERE),
                        new Relation.Scan(ZONES, false, List.of(zoneId), HERE),
                        Relation.JoinKind.INNER,
                        new Expression.Call(
                                Function.EQUAL,
                                List.of(of(zone), of(zoneId)),
                                Primitive.BOOLEAN,
                                true,
                                HERE));
        var key = attribute(5, "zone");
        var warmest = attribute(6, "warmest");
        var grouped =
                new Relation.Aggregate(
                        joined,
                        List.of(new Relation.Named(key, of(zoneId))),
                        List.of(
                                new Relation.Measure(
                                        warmest,
                                        new AggregateCall(
                                                AggregateFunction.MAX,
                                                List.of(of(kelvin)),
                                                false,
                                                null,
                                                Primitive.LONG,
                                                true,
                                                HERE))));
        var areas =
                new Expression.ScalarSubquery(
                        new Relation.Scan(ZONES, false, List.of(area), HERE), HERE);
        var query =
                new Relation.Project(
                        grouped,
                        List.of(
                                new Relation.Named(attribute(7, "zone"), of(key)),
                                new Relation.Named(attribute(8, "warmest"), of(warmest)),
                                new Relation.Named(attribute(9, "area"), areas)));
        return new Dataset.MaterializedView(
                GOLD, schema("zone", "warmest", "area"), "", List.of(), query, HERE);
    }

    static PipelinePlan plan() {
        return new PipelinePlan(
                "farm",
                List.of(
                        ingested(BRONZE, "zone", "celsius", "offset", "quality"),
                        ingested(ZONES, "id", "area"),
                        silver(),
                        gold()),
                List.of(new SyncedTable(SERVED, GOLD, List.of("zone"), List.of(), HERE)),
                "hash");
    }

    @Test
    void eachColumnComesFromThoseThatItsValueIsMadeOf() {
        assertThat(PlanLineage.ofDatasets(plan()).stream().map(PlanLineageTest::text))
                .containsExactlyInAnyOrder(
                        "TABLE farm.bronze.readings > STREAMING_TABLE farm.silver.readings:"
                                + " zone>zone celsius>kelvin offset>kelvin",
                        "TABLE farm.bronze.readings > TABLE farm.silver.readings_quarantine:"
                                + " zone>zone celsius>kelvin offset>kelvin",
                        "STREAMING_TABLE farm.silver.readings > MATERIALIZED_VIEW"
                                + " farm.gold.climate: kelvin>warmest",
                        "TABLE farm.bronze.zones > MATERIALIZED_VIEW farm.gold.climate:"
                                + " id>zone area>area");
    }

    @Test
    void aSyncedTableHasTheColumnsOfItsSource() {
        assertThat(PlanLineage.ofSyncedTables(plan()).stream().map(PlanLineageTest::text))
                .containsExactly(
                        "MATERIALIZED_VIEW farm.gold.climate > TABLE farm.serving.climate:"
                                + " zone>zone warmest>warmest area>area");
    }

    @Test
    void aUnionsColumnComesFromAllItsBranches() {
        var a = attribute(1, "id");
        var b = attribute(2, "celsius");
        var out = attribute(3, "both");
        var union =
                new Relation.UnionAll(
                        List.of(
                                new Relation.Scan(ZONES, false, List.of(a), HERE),
                                new Relation.Scan(BRONZE, false, List.of(b), HERE)),
                        List.of(out));
        var plan =
                new PipelinePlan(
                        "farm",
                        List.of(
                                ingested(BRONZE, "celsius"),
                                ingested(ZONES, "id"),
                                new Dataset.MaterializedView(
                                        GOLD, schema("both"), "", List.of(), union, HERE)),
                        List.of(),
                        "hash");
        assertThat(PlanLineage.ofDatasets(plan).stream().map(PlanLineageTest::text))
                .containsExactlyInAnyOrder(
                        "TABLE farm.bronze.zones > MATERIALIZED_VIEW farm.gold.climate: id>both",
                        "TABLE farm.bronze.readings > MATERIALIZED_VIEW farm.gold.climate:"
                                + " celsius>both");
    }

    private static String text(Edge edge) {
        var columns =
                edge.columns().stream().map(c -> " " + c.source() + ">" + c.target()).toList();
        return name(edge.source()) + " > " + name(edge.target()) + ":" + String.join("", columns);
    }

    private static String name(
            dev.lakemill.catalog.@org.jspecify.annotations.Nullable LineageNode node) {
        return node == null ? "-" : node.type() + " " + node.name();
    }
}
