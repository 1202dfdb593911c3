package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.RefreshPolicy;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TableOptions;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Flows, clauses and parameters: what stands round the queries. */
final class FlowsTest {
    private static final Catalyst CATALYST = new Catalyst();
    private static final String TABLES =
            """
            CREATE TABLE a.b.t (k STRING NOT NULL, x INT, ts TIMESTAMP);
            CREATE TABLE a.b.u (k STRING NOT NULL, y DOUBLE, x INT NOT NULL);
            CREATE TABLE a.b.e (id BIGINT NOT NULL, op STRING, n BIGINT, name STRING);
            """;

    @Test
    void severalFlowsWriteOneTableByName() {
        var plan =
                plan(
                        TABLES,
                        "CREATE OR REFRESH STREAMING TABLE a.b.both;",
                        "CREATE FLOW one AS INSERT INTO a.b.both BY NAME SELECT k, x FROM"
                                + " STREAM(a.b.t);",
                        "CREATE FLOW two COMMENT 'c' AS INSERT INTO a.b.both BY NAME SELECT y, x, k"
                                + " FROM STREAM(a.b.u);",
                        "CREATE FLOW past AS INSERT INTO ONCE a.b.both BY NAME SELECT k FROM a.b.u;",
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT count(*) AS n FROM a.b.both;");
        var table = (Dataset.StreamingTable) plan.datasets().get(3);
        assertThat(table.schema().columns())
                .containsExactly(
                        Column.required("k", Primitive.STRING),
                        Column.nullable("x", Primitive.INTEGER),
                        Column.nullable("y", Primitive.DOUBLE));
        assertThat(table.query()).isInstanceOf(Relation.UnionAll.class);
        assertThat(Relations.scans(table.query()).map(s -> s.table().table()))
                .containsExactly("t", "u");
        assertThat(table.once()).extracting(Dataset.OnceFlow::name).containsExactly("past");
        assertThat(table.options().flows()).containsExactly("one", "two", "past");
    }

    @Test
    void flowsOfOtherTypesAreRefusedUnlessTheColumnIsDeclared() {
        var flows =
                "CREATE STREAMING TABLE a.b.both%s;\n"
                        + "CREATE FLOW one AS INSERT INTO a.b.both BY NAME SELECT k, x AS v FROM"
                        + " STREAM(a.b.t);\n"
                        + "CREATE FLOW two AS INSERT INTO a.b.both BY NAME SELECT k, y AS v FROM"
                        + " STREAM(a.b.u);\n";
        assertMistake(
                flows.formatted(""),
                "6:49: flows give 'v' as INT and as DOUBLE; hint: declare the column, or CAST in"
                        + " the query");
        var plan = plan(TABLES, flows.formatted(" (k STRING, v DOUBLE)"));
        assertThat(plan.datasets().getLast().schema().columns())
                .containsExactly(
                        Column.nullable("k", Primitive.STRING),
                        Column.nullable("v", Primitive.DOUBLE));
        plan(
                TABLES,
                "CREATE STREAMING TABLE a.b.both;",
                "CREATE FLOW one AS INSERT INTO a.b.both BY NAME SELECT array(k) AS v FROM"
                        + " STREAM(a.b.t);",
                "CREATE FLOW two AS INSERT INTO a.b.both BY NAME SELECT array(k, NULL) AS v FROM"
                        + " STREAM(a.b.u);");
    }

    @Test
    void aFlowStandsInItsTableToo() {
        var plan =
                plan(
                        TABLES,
                        "CREATE STREAMING TABLE a.b.s (k STRING, x INT) FLOW INSERT BY NAME SELECT"
                                + " x, k FROM STREAM a.b.t;");
        assertThat(plan.datasets().getLast().schema().columns())
                .extracting(Column::name)
                .containsExactly("k", "x");
    }

    @Test
    void clausesAreKept() {
        var plan =
                plan(
                        TABLES,
                        "CREATE OR REFRESH PRIVATE MATERIALIZED VIEW a.b.v COMMENT 'c' TBLPROPERTIES"
                                + " ('quality' = 'gold', pipelines.reset.allowed = 'false') REFRESH"
                                + " POLICY INCREMENTAL STRICT AS SELECT k FROM a.b.t;");
        var options = ((Dataset.MaterializedView) plan.datasets().getLast()).options();
        assertThat(options.isPrivate()).isTrue();
        assertThat(options.refreshPolicy()).isEqualTo(RefreshPolicy.INCREMENTAL_STRICT);
        assertThat(options.properties())
                .isEqualTo(Map.of("quality", "gold", "pipelines.reset.allowed", "false"));
    }

    @Test
    void aTriggerIntervalIsOneOfAView() {
        var view = "CREATE MATERIALIZED VIEW a.b.v%s AS SELECT k FROM a.b.t;";
        var plan = plan(TABLES, view.formatted(interval("500 milliseconds")));
        var options = ((Dataset.MaterializedView) plan.datasets().getLast()).options();
        assertThat(options.triggerInterval()).isEqualTo(Duration.ofMillis(500));
        assertThat(TableOptions.interval("1 Second")).contains(Duration.ofSeconds(1));
        for (var wrong : List.of("soon", "0 seconds", "-1 second", "25 hours", "1 day", "")) {
            assertThat(errors(TABLES, view.formatted(interval(wrong))))
                    .extracting(TextError::message)
                    .containsExactly(
                            "'%s' is no interval from 1 millisecond to 24 hours".formatted(wrong));
        }
        var others =
                List.of(
                        "CREATE TABLE a.b.x (k STRING)%s;",
                        "CREATE STREAMING TABLE a.b.s%s AS SELECT * FROM STREAM(a.b.t);",
                        "CREATE TEMPORARY VIEW x%s AS SELECT k FROM a.b.t;");
        for (var other : others) {
            assertThat(errors(TABLES, other.formatted(interval("1 second"))))
                    .extracting(TextError::message)
                    .containsExactly("pipelines.trigger.interval stands on materialized views");
        }
    }

    private static String interval(String value) {
        return " TBLPROPERTIES ('pipelines.trigger.interval' = '%s')".formatted(value);
    }

    @Test
    void generatedColumnsAreComputedFromTheQuerys() {
        var plan =
                plan(
                        TABLES,
                        "CREATE STREAMING TABLE a.b.s (k STRING NOT NULL COMMENT 'key', ts TIMESTAMP,"
                                + " day DATE GENERATED ALWAYS AS (CAST(ts AS DATE)) COMMENT 'UTC') AS"
                                + " SELECT k, ts FROM STREAM(a.b.t);");
        assertThat(plan.datasets().getLast().schema().columns())
                .extracting(Column::name)
                .containsExactly("k", "ts", "day");
        assertThat(plan.datasets().getLast().schema().column(2).comment()).isEqualTo("UTC");
    }

    @Test
    void viewsNameTheirColumns() {
        var plan =
                plan(
                        TABLES,
                        "CREATE TEMPORARY VIEW w (key COMMENT 'c', n) COMMENT 'd' AS SELECT k, x FROM"
                                + " a.b.t;",
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT w.key, n FROM w;");
        assertThat(plan.datasets().getLast().schema().columns())
                .extracting(Column::name)
                .containsExactly("key", "n");
    }

    @Test
    void parametersAreTextAndPlacesStayTheUsers() {
        var request =
                new CompileRequest(
                        "p",
                        List.of(
                                new SourceText(
                                        "f.sql",
                                        TABLES
                                                + "SET least = 10; SET quoted = '${name} x';\n"
                                                + "-- ${unknown in a comment}\n"
                                                + "CREATE MATERIALIZED VIEW a.b.v AS SELECT k, ${quoted}"
                                                + " AS q FROM ${schema}.t WHERE x > ${least};")),
                        Map.of("schema", "a.b", "name", "it"),
                        "hash");
        var plan = PipelineCompiler.compile(CATALYST, request).orThrow();
        assertThat(plan.datasets()).hasSize(4);
        var wrong =
                errors(
                        TABLES + "SET long_name = a.b.t;",
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT ${long_name}.k, kk FROM"
                                + " ${long_nam};");
        assertThat(wrong)
                .extracting(TextError::toString)
                .contains(
                        "f.sql:5:66: there is no parameter 'long_nam'; hint: did you mean"
                                + " long_name?");
        assertThat(
                        errors(
                                TABLES + "SET t = a.b.t;",
                                "CREATE MATERIALIZED VIEW a.b.v AS SELECT ${t}.k, kk FROM ${t};"))
                .extracting(e -> e.position().line() + ":" + e.position().column())
                .containsExactly("5:50");
    }

    @Test
    void eventsBecomeAViewOfTheirTarget() {
        var plan =
                plan(
                        TABLES,
                        "CREATE OR REFRESH STREAMING TABLE a.b.one;",
                        "CREATE FLOW f AS AUTO CDC INTO a.b.one FROM STREAM(a.b.e) KEYS (id) APPLY AS"
                                + " DELETE WHEN op = 'D' APPLY AS TRUNCATE WHEN op = 'T' SEQUENCE BY n"
                                + " COLUMNS * EXCEPT (op, n) STORED AS SCD TYPE 1;",
                        "CREATE STREAMING TABLE a.b.two FLOW AUTO CDC FROM STREAM a.b.e KEYS (id) IGNORE"
                                + " NULL UPDATES SEQUENCE BY n COLUMNS (id, name) STORED AS SCD TYPE 2 TRACK"
                                + " HISTORY ON * EXCEPT (op);");
        assertThat(plan.datasets().get(3)).isInstanceOf(Dataset.MaterializedView.class);
        assertThat(plan.datasets().get(3).schema().columns())
                .extracting(Column::name)
                .containsExactly("id", "name");
        assertThat(plan.datasets().get(4).schema().columns())
                .containsExactly(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("name", Primitive.STRING),
                        Column.nullable("__START_AT", Primitive.LONG),
                        Column.nullable("__END_AT", Primitive.LONG));
    }

    @Test
    void eachMistakeHasItsPlaceAndAHint() {
        assertMistake(
                "CREATE FLOW f AS INSERT INTO a.b.both BY NAME SELECT * FROM STREAM(a.b.t);",
                "4:30: this pipeline has no streaming table 'a.b.both'; hint: declare it: CREATE OR"
                        + " REFRESH STREAMING TABLE a.b.both");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s;",
                "4:1: nothing writes the streaming table a.b.s; hint: write AS query, or CREATE FLOW"
                        + " name AS INSERT INTO a.b.s BY NAME query");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s FLOW INSERT ONCE BY NAME SELECT * FROM a.b.t;",
                "4:30: a.b.s has only flows that run ONCE; hint: add a flow that reads a STREAM, or"
                        + " make it a MATERIALIZED VIEW");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s FLOW AUTO CDC FROM STREAM(a.b.e) KEYS (idd) SEQUENCE BY"
                        + " n;",
                "4:69: a.b.e has no column 'idd'; hint: did you mean id?");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s FLOW AUTO CDC FROM STREAM(a.b.ee) KEYS (id) SEQUENCE BY"
                        + " n;",
                "4:56: this pipeline has no table or view 'a.b.ee'; hint: did you mean a.b.e?");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s (g BIGINT GENERATED ALWAYS AS IDENTITY) AS SELECT 1;",
                "4:60: expected GENERATED ALWAYS AS (…), found 'IDENTITY'; hint: there are no identity"
                        + " columns, since a replay could number rows anew; use a key of the data");
        assertMistake(
                "CREATE STREAMING TABLE a.b.s FLOW AUTO CDC FROM STREAM(a.b.e) KEYS (id) SEQUENCE BY"
                        + " n; CREATE STREAMING TABLE a.b.r AS SELECT * FROM STREAM(a.b.s);",
                "4:134: a.b.s is written by AUTO CDC, its rows change; it cannot be read as a stream;"
                        + " hint: leave STREAM out, or read the stream of its events");
    }

    @Test
    void columnsOfFilesAreThoseOfTheTable() {
        var plan =
                plan(
                        TABLES,
                        "CREATE STREAMING TABLE a.b.s PARTITIONED BY (K, x) COMMENT 'c' AS SELECT *"
                                + " FROM STREAM(a.b.t);",
                        "CREATE MATERIALIZED VIEW a.b.v CLUSTER BY (k) AS SELECT * FROM a.b.t;",
                        "CREATE MATERIALIZED VIEW a.b.w CLUSTER BY NONE AS SELECT * FROM a.b.t;");
        assertThat(((Dataset.StreamingTable) plan.datasets().get(3)).options().partitionedBy())
                .containsExactly("k", "x");
        assertThat(((Dataset.MaterializedView) plan.datasets().get(4)).options().clusteredBy())
                .containsExactly("k");
        assertThat(((Dataset.MaterializedView) plan.datasets().get(5)).options().clusteredBy())
                .isEmpty();
        assertLayout(
                "PARTITIONED BY (k) CLUSTER BY (x)",
                "49: expected AS, found 'CLUSTER'; hint: a table is partitioned or clustered, once");
        assertLayout("PARTITIONED BY (kk)", "46: a.b.s has no column 'kk'; hint: did you mean k?");
        assertLayout(
                "PARTITIONED BY (ts)",
                "46: a.b.s is not partitioned by 'ts', of type TIMESTAMP; hint: partition by its"
                        + " day: CAST(ts AS DATE)");
        assertLayout("PARTITIONED BY (k, K)", "49: 'K' stands twice; hint: name it once");
        assertLayout(
                "CLUSTER BY AUTO",
                "41: expected '(', found 'AUTO'; hint: name the columns: CLUSTER BY (a, b); nothing"
                        + " chooses them here");
        assertLayout(
                "PARTITIONED BY (days(ts))",
                "50: expected ')', found '('; hint: list columns of the table: PARTITIONED BY"
                        + " (a, b); to partition by a value that is computed, make it a column");
    }

    private static void assertLayout(String clause, String error) {
        assertMistake(
                "CREATE STREAMING TABLE a.b.s %s AS SELECT * FROM STREAM(a.b.t);".formatted(clause),
                "4:" + error);
    }

    private static void assertMistake(String text, String error) {
        assertThat(errors(TABLES + text))
                .extracting(TextError::toString)
                .containsExactly("f.sql:" + error);
    }

    private static PipelinePlan plan(String... texts) {
        var plan = compile(texts).orThrow();
        assertThat(PlanJson.read(PlanJson.write(plan))).isEqualTo(plan);
        return plan;
    }

    private static List<TextError> errors(String... texts) {
        return ((Compilation.Rejected) compile(texts)).errors();
    }

    private static Compilation compile(String... texts) {
        var file = new SourceText("f.sql", String.join("\n", texts));
        return PipelineCompiler.compile(CATALYST, new CompileRequest("p", List.of(file), "hash"));
    }
}
