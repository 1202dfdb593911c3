package dev.lakemill.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Synced tables of the catalog on a whole node: by SQL, by REST, and over a restart. */
final class SyncedTablesTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING));
    private static final TableSchema NUMBERS = TableSchema.of(Column.required("n", Primitive.LONG));

    @TempDir static Path folder;

    private static @Nullable TestNode started;

    @BeforeAll
    static void start() throws Exception {
        Files.createDirectories(folder.resolve("counts"));
        Files.writeString(
                folder.resolve("counts").resolve("p.sql"),
                """
                CREATE TABLE shop.raw.events (id BIGINT NOT NULL, x BIGINT);
                CREATE MATERIALIZED VIEW shop.gold.totals AS
                    SELECT id, CAST(count(*) AS STRING) AS name FROM shop.raw.events GROUP BY id;
                """);
        project("CONTINUOUS");
        started = new TestNode(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        node().close();
    }

    private static void project(String mode) throws IOException {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                pipelines:
                  - name: counts
                    folder: counts
                synced_tables:
                  - name: shop.serving.totals
                    source_table_full_name: shop.gold.totals
                    primary_key_columns: [id]
                    freshness_slo_ms: 60000
                    scheduling_policy: %s
                sync: {groups_max: 6}
                """
                        .formatted(mode));
    }

    private static List<SyncedTableProject.Step> apply() {
        var steps = SyncedTableProject.plan(SyncedTableProject.read(folder), node().admin());
        steps.forEach(step -> SyncedTableProject.apply(step, node().admin()));
        return steps;
    }

    private static void theFirstLoadOfAPipelinesOutputTellsHowFarItIs() throws Exception {
        var path = "/api/2.0/database/synced_tables/shop.serving.loading";
        try (var holder = node().node().postgres().owner().getConnection();
                var lock = holder.createStatement()) {
            holder.setAutoCommit(false);
            // The load's transaction waits for it behind the last of its own work.
            lock.execute("LOCK TABLE lakemill.sync_skipped IN EXCLUSIVE MODE");
            sql(
                    "CREATE SYNCED TABLE shop.serving.loading FROM shop.gold.totals PRIMARY KEY"
                            + " (id) WITH (mode = 'continuous')");
            var at =
                    "/data_synchronization_status/provisioning_status"
                            + "/initial_pipeline_sync_progress";
            TestNode.await(
                    () -> {
                        var told = node().admin().get(path).at(at);
                        return told.path("synced_row_count").asLong() == 1
                                && told.path("total_row_count").asLong() == 1
                                && told.has("estimated_completion_time_seconds");
                    });
            TestNode.await(
                    () -> sql("SHOW SYNCED TABLES").rows().toString().contains("1 of 1 rows, "));
            TestNode.await(
                    () ->
                            node()
                                    .admin()
                                    .get("/api/status")
                                    .path("tables")
                                    .findValues("load")
                                    .stream()
                                    .anyMatch(load -> load.path("total_row_count").asLong() == 1));
            holder.rollback();
        }
        TestNode.await(
                () ->
                        node().admin()
                                .get(path)
                                .at("/data_synchronization_status/detailed_state")
                                .asText()
                                .equals("SYNCED_TABLE_ONLINE_CONTINUOUS_UPDATE"));
        sql("DROP SYNCED TABLE shop.serving.loading");
    }

    @Test
    void followsAPipelinesOutputWithThePipelineAndOnDemand() throws Exception {
        assertInstanceOf(SyncedTableProject.Step.Create.class, apply().getFirst());
        assertInstanceOf(SyncedTableProject.Step.Nothing.class, apply().getFirst());
        node().send("shop.raw.events", "{\"id\": 7, \"x\": 1}", "{\"id\": 7, \"x\": 2}");
        await("72", "serving.totals");
        node().awaitRows("* FROM shop.gold.totals", "7|2");
        theFirstLoadOfAPipelinesOutputTellsHowFarItIs();
        assertEquals(
                "counts",
                ask(
                        "SELECT pipeline FROM lakemill.synced_tables"
                                + " WHERE name = 'shop.serving.totals'"));
        TestNode.await(() -> "MET".equals(describe("shop.serving.totals").getLast()));
        var oid = ask("SELECT 'serving.totals'::regclass::oid");

        project("TRIGGERED");
        assertInstanceOf(SyncedTableProject.Step.Change.class, apply().getFirst());
        node().send("shop.raw.events", "{\"id\": 8, \"x\": 1}");
        TestNode.await(
                () -> {
                    sql("REFRESH SYNCED TABLE shop.serving.totals");
                    return shown("serving.totals").equals("72 81");
                });
        assertEquals(oid, ask("SELECT 'serving.totals'::regclass::oid"));
        var metrics = node().get("/metrics").body();
        assertTrue(
                metrics.contains(
                        "lakemill_synced_table_freshness_missed{table=\"shop.serving.totals\"}"),
                metrics);
        sql("DROP SYNCED TABLE shop.serving.totals");
    }

    private static TestNode node() {
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started;
    }

    @Test
    void followsATableThatProducersWriteAndGoesOnAfterARestart() throws Exception {
        node().register(TableName.parse("shop.raw.orders"), SCHEMA);
        node().send("shop.raw.orders", "{\"id\": 1, \"name\": \"a\"}");
        sql(
                "CREATE SYNCED TABLE shop.serving.orders FROM shop.raw.orders PRIMARY KEY (id)"
                        + " TIMESERIES KEY (id) INDEX (name) WITH (mode = 'continuous')");
        await("1a", "serving.orders");
        node().send(
                        "shop.raw.orders",
                        "{\"id\": 1, \"name\": \"A\"}",
                        "{\"id\": 2, \"name\": \"b\"}");
        await("1A 2b", "serving.orders");
        assertEquals("ONLINE_CONTINUOUS_UPDATE", describe("shop.serving.orders").get(4));
        var links =
                node().admin()
                        .get(
                                "/api/2.0/lineage-tracking/table-lineage?table_name=shop.serving.orders");
        assertTrue(links.toString().contains("orders"), links.toString());

        node().close();
        started = new TestNode(folder, Map.of());
        node().send("shop.raw.orders", "{\"id\": 3, \"name\": \"c\"}");
        await("1A 2b 3c", "serving.orders");

        sql("ALTER SYNCED TABLE shop.serving.orders SET (mode = 'triggered')");
        var indexes = ask("SELECT count(*) FROM pg_indexes WHERE schemaname = 'serving'");
        sql("ALTER SYNCED TABLE shop.serving.orders ADD INDEX (name, id)");
        TestNode.await(
                () ->
                        Integer.parseInt(
                                        ask(
                                                "SELECT count(*) FROM pg_indexes WHERE schemaname"
                                                        + " = 'serving'"))
                                == Integer.parseInt(indexes) + 1);
        node().send("shop.raw.orders", "{\"id\": 4, \"name\": \"d\"}");
        // A refresh takes what Delta has; the row is in Delta a second later.
        TestNode.await(
                () -> {
                    sql("REFRESH SYNCED TABLE shop.serving.orders");
                    return shown("serving.orders").equals("1A 2b 3c 4d");
                });
        sql("DROP SYNCED TABLE shop.serving.orders");
        assertEquals("", ask("SELECT to_regclass('serving.orders')"));
        assertTrue(node().node().catalog().find(TableName.parse("shop.serving.orders")).isEmpty());
        sql("DROP SYNCED TABLE IF EXISTS shop.serving.orders");
    }

    @Test
    void copiesATableThatOthersWriteByRest() throws Exception {
        var at = folder.resolve("elsewhere");
        var name = TableName.parse("other.lake.numbers");
        var month = Duration.ofDays(30);
        var config = new DeltaConfig(1L << 20, 10, month, month);
        try (var allocator = new RootAllocator();
                var delta = DeltaTable.create(at, NUMBERS, config, allocator, Clock.systemUTC())) {
            append(delta, allocator, 1);
            node().node()
                    .catalog()
                    .create(name, TableKind.EXTERNAL, NUMBERS, at.toUri().toString(), "", Map.of());
            sql("GRANT ALL PRIVILEGES ON CATALOG other TO `admin`");
            var path = "/api/2.0/database/synced_tables";
            var made =
                    node().admin()
                            .post(
                                    path,
                                    Map.of(
                                            "name",
                                            "other.copies.numbers",
                                            "spec",
                                            Map.of(
                                                    "source_table_full_name",
                                                    name.toString(),
                                                    "primary_key_columns",
                                                    List.of("n"),
                                                    "scheduling_policy",
                                                    "SNAPSHOT")));
            assertEquals("SNAPSHOT", made.path("spec").path("scheduling_policy").asText());
            TestNode.await(() -> state().equals("SYNCED_TABLE_ONLINE_NO_PENDING_UPDATE"));
            assertEquals("1", ask("SELECT count(*) FROM copies.numbers"));
            append(delta, allocator, 2);
            node().admin().post(path + "/other.copies.numbers/refresh", Map.of());
            TestNode.await(() -> ask("SELECT count(*) FROM copies.numbers").equals("2"));
            assertTrue(node().admin().get(path).toString().contains("other.copies.numbers"));
            sql("SELECT n FROM other.lake.numbers");
            assertEquals(
                    2,
                    DeltaTable.read(at, allocator).version(),
                    "who reads a table of others commits nothing to it");
        }
    }

    @Test
    void computedColumnsAndIndexesAreDeclaredInSqlAndInTheFile() throws Exception {
        node().register(TableName.parse("shop.raw.texts"), SCHEMA);
        node().send("shop.raw.texts", "{\"id\": 1, \"name\": \"green towers\"}");
        sql(
                "CREATE SYNCED TABLE shop.serving.texts FROM shop.raw.texts PRIMARY KEY (id)"
                        + " COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('english', name))"
                        + " STORED COLUMN came_at timestamptz DEFAULT (now())"
                        + " INDEX (name) INDEX by_words USING gin (words) WITH (fastupdate = off)"
                        + " INDEX by_lower (lower(name)) WHERE id > 0"
                        + " WITH (mode = 'continuous')");
        var found =
                "SELECT count(*) FROM serving.texts WHERE words @@ 'tower' AND came_at <= now()";
        TestNode.await(
                () -> shown("serving.texts").equals("1green towers") && ask(found).equals("1"));
        var spec = spec("shop.serving.texts");
        assertEquals("tsvector", spec.path("extra_columns").path(0).path("column_type").asText());
        assertEquals(
                "USING gin (words) WITH (fastupdate = off)",
                spec.path("extra_index_definitions").path(0).path("definition").asText());
        assertEquals(
                "(lower(name)) WHERE id > 0",
                spec.path("extra_index_definitions").path(1).path("definition").asText());

        sql("ALTER SYNCED TABLE shop.serving.texts DROP INDEX by_lower");
        sql("ALTER SYNCED TABLE shop.serving.texts DROP COLUMN came_at");
        sql("ALTER SYNCED TABLE shop.serving.texts ADD INDEX by_id (id) WHERE id > 9");
        sql("ALTER SYNCED TABLE shop.serving.texts ADD COLUMN size int DEFAULT (7)");
        TestNode.await(
                () ->
                        ask("SELECT string_agg(indexname, ' ' ORDER BY 1) FROM pg_indexes WHERE"
                                        + " tablename = 'texts' AND indexname LIKE 'by_%'")
                                .equals("by_id by_words"));
        TestNode.await(() -> columns("texts").equals("id name words size"));
        var wrong =
                assertThrows(
                        LakemillException.class,
                        () ->
                                sql(
                                        "ALTER SYNCED TABLE shop.serving.texts ADD COLUMN bad text"
                                                + " GENERATED ALWAYS AS (nope || 'x') STORED"));
        assertTrue(String.valueOf(wrong.getMessage()).contains("nope"), wrong.getMessage());
        assertEquals("id name words size", columns("texts"));
        sql("DROP SYNCED TABLE shop.serving.texts");
    }

    @Test
    void theFileDeclaresComputedColumnsAndIndexesByDatabricksNames() throws Exception {
        node().register(TableName.parse("shop.raw.filed"), SCHEMA);
        node().send("shop.raw.filed", "{\"id\": 1, \"name\": \"green towers\"}");
        var filed = folder.resolve("filed");
        Files.createDirectories(filed);
        Files.writeString(
                filed.resolve("lakemill.yml"),
                """
                synced_tables:
                  - name: shop.serving.filed
                    source_table_full_name: shop.raw.filed
                    primary_key_columns: [id]
                    scheduling_policy: CONTINUOUS
                    extra_columns:
                      - column_name: words
                        column_type: tsvector
                        compute: to_tsvector('english', name)
                        maintenance: STORED_GENERATED
                    extra_index_definitions:
                      - name: filed_by_words
                        definition: USING gin (words)
                """);
        for (var expected :
                List.of(
                        SyncedTableProject.Step.Create.class,
                        SyncedTableProject.Step.Nothing.class)) {
            var step =
                    SyncedTableProject.plan(SyncedTableProject.read(filed), node().admin())
                            .getFirst();
            assertInstanceOf(expected, step);
            SyncedTableProject.apply(step, node().admin());
        }
        TestNode.await(
                () ->
                        !ask("SELECT to_regclass('serving.filed_by_words')").isEmpty()
                                && ask("SELECT count(*) FROM serving.filed WHERE words @@ 'tower'")
                                        .equals("1"));
        sql("DROP SYNCED TABLE shop.serving.filed");
    }

    private static JsonNode spec(String table) {
        return node().admin().get("/api/2.0/database/synced_tables/" + table).path("spec");
    }

    private static String columns(String table) {
        return ask(
                "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM"
                        + " information_schema.columns WHERE table_schema = 'serving' AND"
                        + " table_name = '%s'".formatted(table));
    }

    @Test
    void whoMayNotReadTheSourceMayNotCopyIt() {
        node().register(TableName.parse("shop.raw.secret"), SCHEMA);
        var cookie = node().logIn("eve@example.com");
        var answer =
                node().json(
                                "POST",
                                "/api/2.0/database/synced_tables",
                                "{\"name\": \"shop.serving.secret\", \"spec\":"
                                        + " {\"source_table_full_name\": \"shop.raw.secret\","
                                        + " \"primary_key_columns\": [\"id\"]}}",
                                "cookie",
                                cookie,
                                TestNode.OWN_PAGE[0],
                                TestNode.OWN_PAGE[1]);
        assertEquals(404, answer.statusCode(), answer.body());
        sql("GRANT BROWSE ON TABLE shop.raw.secret TO `eve@example.com`");
    }

    /** A copy is its owner's: who loses the source gets no more of it. */
    @Test
    void whoLosesTheSourceGetsNoMoreOfIt() throws Exception {
        node().register(TableName.parse("shop.raw.lent"), SCHEMA);
        node().send("shop.raw.lent", "{\"id\": 1, \"name\": \"a\"}");
        sql("CREATE USER IF NOT EXISTS `bob@example.com`");
        sql("GRANT USE CATALOG, USE SCHEMA ON CATALOG shop TO `bob@example.com`");
        sql("GRANT SELECT ON TABLE shop.raw.lent TO `bob@example.com`");
        sql(
                "CREATE SYNCED TABLE shop.serving.lent FROM shop.raw.lent PRIMARY KEY (id)"
                        + " WITH (mode = 'continuous')");
        await("1a", "serving.lent");
        sql("ALTER TABLE shop.serving.lent OWNER TO `bob@example.com`");
        node().send("shop.raw.lent", "{\"id\": 2, \"name\": \"b\"}");
        await("1a 2b", "serving.lent");

        sql("REVOKE SELECT ON TABLE shop.raw.lent FROM `bob@example.com`");
        TestNode.await(
                () ->
                        describe("shop.serving.lent")
                                .toString()
                                .contains("may not read shop.raw.lent"));
        node().send("shop.raw.lent", "{\"id\": 3, \"name\": \"c\"}");
        assertThrows(LakemillException.class, () -> sql("REFRESH SYNCED TABLE shop.serving.lent"));
        assertEquals("1a 2b", shown("serving.lent"));

        sql("GRANT SELECT ON TABLE shop.raw.lent TO `bob@example.com`");
        await("1a 2b 3c", "serving.lent");
        sql("DROP SYNCED TABLE shop.serving.lent");
    }

    @Test
    void thereAreAsManyGroupsAsThereIsRoomFor() {
        node().register(TableName.parse("shop.raw.many"), SCHEMA);
        var create = "CREATE SYNCED TABLE shop.many.t%d FROM shop.raw.many PRIMARY KEY (id)";
        var made = new ArrayList<Integer>();
        LakemillException refusal = null;
        for (int i = 0; i < 7 && refusal == null; i++) {
            try {
                sql(create.formatted(i));
                made.add(i);
            } catch (LakemillException e) {
                refusal = e;
            }
        }
        assertTrue(
                refusal != null && refusal.problem().contains("at most 6"),
                String.valueOf(refusal));
        sql("ALTER SYNCED TABLE shop.many.t0 SET (group = 'many')");
        sql(create.formatted(7) + " WITH (group = 'many')");
        made.add(7);
        made.forEach(i -> sql("DROP SYNCED TABLE shop.many.t" + i));
    }

    @Test
    void whatIsWrongIsToldAtOnce() {
        node().register(TableName.parse("shop.raw.wrong"), SCHEMA);
        refused("no column nope", "FROM shop.raw.wrong PRIMARY KEY (nope)");
        refused("there is no table shop.raw.absent", "FROM shop.raw.absent PRIMARY KEY (id)");
        refused(
                "there is no option 'speed'",
                "FROM shop.raw.wrong PRIMARY KEY (id) WITH (speed = 1)");
        refused(
                "the mode is 'often'",
                "FROM shop.raw.wrong PRIMARY KEY (id) WITH (mode = 'often')");
    }

    private static void refused(String why, String text) {
        var e =
                assertThrows(
                        LakemillException.class,
                        () -> sql("CREATE SYNCED TABLE shop.serving.wrong " + text));
        assertTrue(String.valueOf(e.getMessage()).contains(why), e.getMessage());
    }

    private static String state() {
        return node().admin()
                .get("/api/2.0/database/synced_tables/other.copies.numbers")
                .path("data_synchronization_status")
                .path("detailed_state")
                .asText();
    }

    private static void append(DeltaTable delta, RootAllocator allocator, long number) {
        var vector = new BigIntVector("n", allocator);
        vector.allocateNew(1);
        vector.set(0, number);
        vector.setValueCount(1);
        var root = new VectorSchemaRoot(List.of(vector));
        root.setRowCount(1);
        try (var rows = new Rows(NUMBERS, root)) {
            delta.append(List.of(rows), new long[0], new Txn("test", number));
        }
    }

    private static SqlClient.Answer sql(String statement) {
        return new SqlClient(node().admin()).run(statement);
    }

    private static List<@Nullable String> describe(String table) {
        return sql("DESCRIBE SYNCED TABLE " + table).rows().getFirst();
    }

    private static void await(String rows, String table) throws InterruptedException {
        TestNode.await(() -> shown(table).equals(rows));
    }

    private static String shown(String table) {
        return ask("SELECT to_regclass('%s')".formatted(table)).isEmpty()
                ? ""
                : ask("SELECT string_agg(id || name, ' ' ORDER BY id) FROM " + table);
    }

    private static String ask(String query) {
        try (var connection = node().node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            var text = rows.getString(1);
            return text == null ? "" : text;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
