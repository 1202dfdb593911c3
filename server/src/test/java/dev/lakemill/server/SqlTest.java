package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.ingest.LogTail;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Statements over a real catalog, real Delta tables and the real compiler, by several people. */
final class SqlTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("site", Primitive.STRING),
                    Column.nullable("mail", Primitive.STRING));

    /** What is acknowledged and not in Delta. */
    private static final List<TableBatch> TAIL = new CopyOnWriteArrayList<>();

    @TempDir static Path folder;

    private static @Nullable World world;

    /** What the tests share. */
    private record World(
            Postgres postgres,
            BufferAllocator allocator,
            Catalog catalog,
            Tables tables,
            WarmCompiler compiler,
            SqlService sql,
            Vertx vertx,
            String url) {}

    @BeforeAll
    static void start() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        var postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        var allocator = new RootAllocator();
        var catalog = Catalog.open(postgres.owner());
        var tables = new Tables(folder.resolve("tables"), catalog, "test", 1 << 20, allocator);
        var config = Config.load(folder, Map.of());
        var compiler = new WarmCompiler(Duration.ofMinutes(5));
        var planner = SqlService.planner(catalog, postgres.owner(), compiler);
        var lake = new LakeSource.Parts(catalog, tables, allocator);
        var sql =
                new SqlService(
                        new SqlService.Parts(
                                config,
                                catalog,
                                tables,
                                _ -> new LogTail("test", List.copyOf(TAIL)),
                                compiler,
                                planner,
                                new SyncedTables(
                                        postgres.ownerUnpooled(),
                                        SqlService.sources(lake, planner, config),
                                        List.of(),
                                        config),
                                allocator,
                                Callable::call));
        var vertx = Vertx.vertx();
        var router = Router.router(vertx);
        var routes =
                new Routes(router, context -> caller(context.request().getHeader("x-principal")));
        SqlRoutes.mount(routes, sql.statements());
        var http =
                vertx.createHttpServer()
                        .requestHandler(router)
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get();
        world =
                new World(
                        postgres,
                        allocator,
                        catalog,
                        tables,
                        compiler,
                        sql,
                        vertx,
                        "http://127.0.0.1:" + http.actualPort());
        fill();
    }

    @AfterAll
    static void stop() {
        var w = world();
        w.vertx().close();
        w.sql().close();
        w.compiler().close();
        w.tables().close();
        w.catalog().audit().close();
        w.allocator().close();
        w.postgres().close();
    }

    private static World world() {
        return Objects.requireNonNull(world);
    }

    /** Two tables, a user and a group with a member. */
    private static void fill() {
        var system = world().catalog().system();
        for (var name : List.of("ann", "bob", "eve")) {
            world().catalog().principals().create(system, PrincipalKind.USER, name, name, "");
        }
        var group =
                world().catalog()
                        .principals()
                        .create(system, PrincipalKind.GROUP, "site-a", "", "");
        world().catalog()
                .principals()
                .addMember(system, group.principal().id(), principal("ann").id());
        for (var name : List.of("farm.gold.orders", "farm.gold.plain")) {
            append(TableName.parse(name));
        }
    }

    private static void append(TableName table) {
        world().tables().ensure(table, TableKind.STREAMING_TABLE, SCHEMA, "", Map.of());
        try (var rows = rows(0)) {
            world().tables().delta(table).append(List.of(rows), new long[0], new Txn("test", 1));
        }
    }

    /** Four rows, whose ids begin with {@code first}. */
    private static Rows rows(int first) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(SCHEMA), world().allocator());
        root.allocateNew();
        for (int i = 0; i < 4; i++) {
            SqlValues.set(root.getVector(0), i, (long) first + i);
            SqlValues.set(root.getVector(1), i, i % 2 == 0 ? "a" : "b");
            SqlValues.set(root.getVector(2), i, "m" + i + "@farm.example");
        }
        root.setRowCount(4);
        return new Rows(SCHEMA, root);
    }

    private static TableBatch batch(int first, long position) {
        var positions = new long[4];
        java.util.Arrays.fill(positions, position);
        return new TableBatch(rows(first), positions, 0);
    }

    /** Delta has position 1; the batch at 1 was committed between tail and snapshot. */
    @Test
    void acknowledgedRowsAreReadWithDeltasEachOnceAndUnderTheSamePolicies() {
        var table = TableName.parse("farm.bronze.newest");
        world().tables().ensure(table, TableKind.INGESTED, SCHEMA, "", Map.of());
        try (var rows = rows(0)) {
            world().tables().delta(table).append(List.of(rows), new long[0], new Txn("test", 1));
        }
        // A query closes what it was given.
        TAIL.addAll(List.of(batch(0, 1), batch(10, 2)));
        assertThat(run("system", "SELECT id FROM farm.bronze.newest ORDER BY id"))
                .containsExactly("0", "1", "2", "3", "10", "11", "12", "13");
        TAIL.clear();
        run("system", "CREATE SCHEMA IF NOT EXISTS farm.tails COMMENT 'policies'");
        run(
                "system",
                "CREATE FUNCTION farm.tails.only_b(site STRING) RETURNS BOOLEAN RETURN site = 'b'");
        run("system", "CREATE FUNCTION farm.tails.stars(mail STRING) RETURNS STRING RETURN '***'");
        run("system", "ALTER TABLE farm.bronze.newest SET ROW FILTER farm.tails.only_b ON (site)");
        run("system", "ALTER TABLE farm.bronze.newest ALTER COLUMN mail SET MASK farm.tails.stars");
        TAIL.addAll(List.of(batch(10, 2), batch(20, 3)));
        assertThat(run("system", "SELECT mail, id FROM farm.bronze.newest ORDER BY id"))
                .containsExactly("***|1", "***|3", "***|11", "***|13", "***|21", "***|23");
        TAIL.clear();
    }

    @Test
    void readingNeedsEveryRightAndTheRefusalSaysWhich() {
        var query = "SELECT id FROM farm.gold.plain ORDER BY id DESC LIMIT 2";
        assertThat(failure("bob", query))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.PERMISSION_DENIED))
                .hasMessageContaining("USE CATALOG");
        run("system", "GRANT USE CATALOG, USE SCHEMA ON CATALOG farm TO bob");
        assertThat(failure("bob", query)).hasMessageContaining("SELECT");
        run("system", "GRANT SELECT ON TABLE farm.gold.plain TO `bob`");
        assertThat(run("bob", query)).containsExactly("3", "2");
        assertThat(run("bob", "SELECT count(*) FROM plain p JOIN plain q USING (id)"))
                .containsExactly("4");
        run("system", "REVOKE SELECT ON TABLE farm.gold.plain FROM bob");
        assertThat(failure("bob", query)).hasMessageContaining("SELECT");
        assertThat(failure("bob", "GRANT SELECT ON farm.gold.plain TO eve").code())
                .isEqualTo(ErrorCode.PERMISSION_DENIED);
        assertThat(failure("eve", "SELECT * FROM farm.gold.orderz"))
                .hasMessageContaining("sql:1:15")
                .hasMessageNotContaining("did you mean");
        assertThat(failure("system", "SELECT * FROM farm.gold.orderz"))
                .hasMessageContaining("did you mean farm.gold.orders?");
    }

    @Test
    void filtersAndMasksAreMadeInSqlAndApplyToEverybody() {
        run("system", "CREATE SCHEMA IF NOT EXISTS farm.rules COMMENT 'policies'");
        run(
                "system",
                "CREATE OR REPLACE FUNCTION farm.rules.own_site(site STRING) RETURNS BOOLEAN"
                        + " RETURN is_account_group_member(concat('site-', site))");
        run(
                "system",
                "CREATE OR REPLACE FUNCTION farm.rules.hide(mail STRING, id BIGINT) RETURNS"
                        + " STRING RETURN CASE WHEN id = 0 THEN mail ELSE regexp_replace(mail,"
                        + " '^[^@]+', '***') END");
        run("system", "ALTER TABLE farm.gold.orders SET ROW FILTER farm.rules.own_site ON (site)");
        run(
                "system",
                "ALTER TABLE farm.gold.orders ALTER COLUMN mail SET MASK farm.rules.hide USING"
                        + " COLUMNS (id)");
        run("system", "GRANT USE CATALOG, USE SCHEMA, SELECT ON CATALOG farm TO ann");
        assertThat(run("ann", "SELECT id, mail FROM farm.gold.orders ORDER BY id"))
                .containsExactly("0|m0@farm.example", "2|***@farm.example");
        assertThat(run("ann", "SELECT count(*) FROM farm.gold.orders WHERE mail LIKE 'm2%'"))
                .containsExactly("0");
        assertThat(run("system", "SELECT * FROM farm.gold.orders")).isEmpty();
        assertThat(
                        run(
                                "ann",
                                "SELECT filter_name, target_columns FROM farm.information_schema.row_filters"))
                .containsExactly("farm.rules.own_site|site");
        assertThat(
                        run(
                                "ann",
                                "SELECT column_name, using_columns FROM system.information_schema.column_masks"))
                .containsExactly("mail|id");
        assertThat(run("ann", "DESCRIBE TABLE EXTENDED farm.gold.orders"))
                .contains("id|bigint|null", "Row Filter|farm.rules.own_site(site)|")
                .contains("Mask of mail|farm.rules.hide(mail, id)|");
        assertThat(failure("system", "DROP FUNCTION farm.rules.own_site").code())
                .isEqualTo(ErrorCode.FAILED_PRECONDITION);
        assertThat(
                        failure(
                                "system",
                                "CREATE FUNCTION farm.rules.bad(x STRING) RETURNS BOOLEAN RETURN"
                                        + " x RLIKE '(a|b)+'"))
                .hasMessageContaining("sql:1:67")
                .hasMessageContaining("regular expression");
    }

    @Test
    void theCatalogIsAskedInSqlAndTellsOnlyWhatOneMaySee() {
        run("system", "ALTER TABLE farm.gold.plain SET TAGS ('domain' = 'sales')");
        run("system", "COMMENT ON COLUMN farm.gold.plain.id IS 'number'");
        run("system", "COMMENT ON TABLE farm.gold.plain IS 'all orders'");
        assertThat(run("system", "SHOW TABLES IN farm.gold LIKE 'pl*'"))
                .containsExactly("gold|plain|false");
        assertThat(run("eve", "SHOW CATALOGS")).isEmpty();
        assertThat(failure("eve", "SHOW TABLES IN farm.gold").code())
                .isEqualTo(ErrorCode.NOT_FOUND);
        assertThat(run("eve", "SELECT * FROM system.information_schema.tables")).isEmpty();
        assertThat(
                        run(
                                "system",
                                "SELECT table_type, table_owner, comment FROM"
                                        + " farm.information_schema.tables WHERE table_name ="
                                        + " 'plain'"))
                .containsExactly("STREAMING_TABLE|system|all orders");
        assertThat(
                        run(
                                "system",
                                "SELECT column_name, ordinal_position, full_data_type, comment FROM"
                                        + " farm.information_schema.columns WHERE table_name ="
                                        + " 'plain' ORDER BY ordinal_position LIMIT 1"))
                .containsExactly("id|0|bigint|number");
        assertThat(
                        run(
                                "system",
                                "SELECT tag_name, tag_value FROM farm.information_schema.table_tags"))
                .containsExactly("domain|sales");
        run("system", "GRANT BROWSE ON CATALOG farm TO `site-a`");
        assertThat(run("system", "SHOW GRANTS `site-a` ON TABLE farm.gold.plain"))
                .containsExactly("site-a|BROWSE|CATALOG|farm");
        assertThat(
                        run(
                                "ann",
                                "SELECT grantee, privilege_type, inherited_from FROM"
                                        + " farm.information_schema.table_privileges WHERE"
                                        + " table_name = 'plain' AND grantee = 'site-a'"))
                .containsExactly("site-a|BROWSE|CATALOG");
        assertThat(run("system", "SHOW GROUPS LIKE 'site*'")).containsExactly("site-a");
    }

    @Test
    void theLocationIsToldToWhoMayHaveTheFiles() {
        var table = TableName.parse("farm.places.kept");
        world().tables().ensure(table, TableKind.STREAMING_TABLE, SCHEMA, "", Map.of());
        run("system", "CREATE SERVICE PRINCIPAL dan");
        run("system", "GRANT BROWSE ON CATALOG farm TO dan");
        var describe = "DESCRIBE TABLE EXTENDED farm.places.kept";
        var listed =
                "SELECT storage_path IS NULL FROM farm.information_schema.tables WHERE"
                        + " table_schema = 'places'";
        assertThat(run("dan", describe)).noneMatch(row -> row.startsWith("Location"));
        assertThat(run("dan", listed)).containsExactly("true");
        run("system", "GRANT USE CATALOG, USE SCHEMA, SELECT ON CATALOG farm TO dan");
        assertThat(run("dan", describe)).anyMatch(row -> row.startsWith("Location|file://"));
        assertThat(run("dan", listed)).containsExactly("false");
    }

    @Test
    void whatLiesElsewhereThanInAFolderIsNotRead() {
        var places =
                Map.of(
                        "elsewhere",
                        "s3://bucket/orders",
                        "spelled",
                        "FILE://" + folder.resolve("tables/farm/gold/plain"));
        places.forEach(
                (name, location) -> {
                    var table = new TableName("farm", "outside", name);
                    world().catalog()
                            .create(
                                    world().catalog().system(),
                                    table,
                                    TableKind.EXTERNAL,
                                    SCHEMA,
                                    location,
                                    "",
                                    Map.of());
                    assertThat(failure("system", "SELECT count(*) FROM " + table))
                            .satisfies(
                                    e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT))
                            .hasMessageContaining(table + " lies at ");
                });
    }

    @Test
    void everyStatementIsAuditedAndLineageIsATable() {
        run("system", "SELECT 'told apart' AS x");
        failure("eve", "SELECT 'refused one' FROM farm.gold.plain");
        assertThat(
                        run(
                                "system",
                                "SELECT user_identity.subject_name, response.status_code,"
                                        + " action_name FROM system.access.audit WHERE service_name"
                                        + " = 'databrickssql' AND event_date >= current_date() AND"
                                        + " request_id = 'of eve' AND response.status_code = 403"
                                        + " LIMIT 1"))
                .containsExactly(principal("eve").id() + "|403|commandFinish");
        assertThat(failure("eve", "SELECT * FROM system.access.audit").code())
                .isEqualTo(ErrorCode.PERMISSION_DENIED);

        var plain = LineageNode.table(TableName.parse("farm.gold.plain"));
        var orders = LineageNode.table(TableName.parse("farm.gold.orders"));
        var edge =
                new LineageFlow.Edge(
                        plain, orders, List.of(new LineageFlow.Columns("id", "number")), 4);
        world().catalog()
                .lineage()
                .record(
                        List.of(
                                new LineageFlow(
                                        new LineageEntity(LineageEntity.Type.PIPELINE, "p", ""),
                                        "system",
                                        Instant.EPOCH,
                                        Instant.now(),
                                        List.of(edge))));
        assertThat(
                        run(
                                "system",
                                "SELECT entity_type, source_table_name, target_table_full_name"
                                        + " FROM system.access.table_lineage"))
                .containsExactly("PIPELINE|plain|farm.gold.orders");
        assertThat(
                        run(
                                "system",
                                "SELECT source_column_name, target_column_name FROM"
                                        + " system.access.column_lineage"))
                .containsExactly("id|number");
        assertThat(run("eve", "SELECT * FROM system.access.table_lineage")).isEmpty();
    }

    @Test
    void statementsRunOverHttpAsDatabricksRunsThem() throws Exception {
        var told =
                post(
                        "/api/2.0/sql/statements",
                        "system",
                        Map.of(
                                "statement",
                                "SELECT :n + 1 AS n, :text AS t, CAST(NULL AS INT) AS u",
                                "wait_timeout",
                                "50s",
                                "parameters",
                                List.of(
                                        Map.of("name", "n", "value", "41", "type", "INT"),
                                        Map.of("name", "text", "value", "a'; \\ :n"))));
        assertThat(told.path("status").path("state").asText()).isEqualTo("SUCCEEDED");
        assertThat(told.path("result").path("data_array").toString())
                .isEqualTo("[[\"42\",\"a'; \\\\ :n\",null]]");
        assertThat(told.path("manifest").path("schema").path("columns").get(0).toString())
                .contains("\"type_name\":\"INT\"", "\"position\":0");
        var id = told.path("statement_id").asText();
        assertThat(get("/api/2.0/sql/statements/" + id, "system")).isEqualTo(told);
        assertThat(get("/api/2.0/sql/statements/" + id, "eve").path("error_code").asText())
                .isEqualTo("NOT_FOUND");

        var failed =
                post(
                        "/api/2.0/sql/statements",
                        "eve",
                        Map.of("statement", "SELEC 1", "wait_timeout", "50s"));
        assertThat(failed.path("status").path("state").asText()).isEqualTo("FAILED");
        assertThat(failed.path("status").path("error").path("message").asText())
                .contains("did you mean SELECT?");
        var unknown = post("/api/2.0/sql/statements", "eve", Map.of("statement", "SELECT :nosuch"));
        assertThat(unknown.path("message").asText()).contains("there is no parameter 'nosuch'");

        var later =
                post(
                        "/api/2.0/sql/statements",
                        "system",
                        Map.of("statement", "SHOW CATALOGS", "wait_timeout", "0s"));
        var execution =
                world().sql()
                        .statements()
                        .require(caller("system"), later.path("statement_id").asText());
        assertThat(execution.await(Duration.ofMinutes(5))).isTrue();
        assertThat(execution.state()).isEqualTo(SqlStatements.State.SUCCEEDED);
    }

    @Test
    void thePipelinesOwnerNeedsWhatItReadsAndWrites() {
        var source =
                new Dataset.IngestedTable(
                        TableName.parse("farm.gold.plain"),
                        SCHEMA,
                        "",
                        new SourcePosition("p.sql", 1, 1));
        var plan = new PipelinePlan("sales", List.of(source), List.of(), "");
        new PipelineRights(world().catalog(), "").check(plan);
        var ofEve = new PipelineRights(world().catalog(), "eve");
        assertThat(thrown(() -> ofEve.check(plan)))
                .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.PERMISSION_DENIED))
                .hasMessageContaining("pipeline 'sales' runs as eve")
                .hasMessageContaining("GRANT USE CATALOG ON CATALOG farm TO `eve`");
        assertThat(thrown(() -> new PipelineRights(world().catalog(), "nobody").check(plan)).code())
                .isEqualTo(ErrorCode.NOT_FOUND);
    }

    private interface Work {
        void run();
    }

    private static LakemillException thrown(Work work) {
        try {
            work.run();
        } catch (LakemillException e) {
            return e;
        }
        throw new AssertionError("nothing was thrown");
    }

    private static Principal principal(String name) {
        return world().catalog().principals().find(name).orElseThrow().principal();
    }

    private static Caller caller(String name) {
        return new Caller(principal(name), null, "rest", "127.0.0.1", "of " + name);
    }

    private static SqlStatements.Execution execute(String who, String statement) {
        var execution =
                world().sql()
                        .statements()
                        .start(
                                caller(who),
                                new SourceText("sql", statement),
                                new NameDefaults("farm", "gold"));
        assertThat(execution.await(Duration.ofMinutes(5))).isTrue();
        return execution;
    }

    private static List<String> run(String who, String statement) {
        var execution = execute(who, statement);
        if (execution.failure() != null) {
            throw Objects.requireNonNull(execution.failure());
        }
        var rows = new ArrayList<String>();
        for (var row : Objects.requireNonNull(execution.answer()).rows()) {
            rows.add(String.join("|", row.stream().map(String::valueOf).toList()));
        }
        return rows;
    }

    private static LakemillException failure(String who, String statement) {
        return Objects.requireNonNull(execute(who, statement).failure());
    }

    private static JsonNode post(String path, String who, Map<String, Object> body)
            throws Exception {
        var json = new ObjectMapper().writeValueAsString(body);
        return send(
                HttpRequest.newBuilder(URI.create(world().url() + path))
                        .header("x-principal", who)
                        .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    private static JsonNode get(String path, String who) throws Exception {
        return send(
                HttpRequest.newBuilder(URI.create(world().url() + path))
                        .header("x-principal", who));
    }

    private static JsonNode send(HttpRequest.Builder request) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new ObjectMapper().readTree(response.body());
        }
    }
}
