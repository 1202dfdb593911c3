package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Views of the lake on a whole node: made, read, governed and copied into Postgres. */
final class ViewsInNodeTest {
    private static final TableSchema ORDERS =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("cents", Primitive.INTEGER));
    private static final TableSchema NAMES =
            TableSchema.of(
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("city", Primitive.STRING));
    private static final Duration ANSWER_MAX = Duration.ofMinutes(2);

    @TempDir static Path folder;

    private static @Nullable TestNode started;

    @BeforeAll
    static void start() throws Exception {
        Files.createDirectories(folder.resolve("reads"));
        pipeline("piped.raw.seen");
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                pipelines:
                  - name: reads
                    folder: reads
                sync: {groups_max: 12}
                """);
        started = new TestNode(folder, Map.of());
        for (var name : List.of("ann", "bob")) {
            admin("CREATE SERVICE PRINCIPAL " + name);
        }
    }

    private static void pipeline(String source) throws Exception {
        Files.writeString(
                folder.resolve("reads").resolve("p.sql"),
                """
                CREATE TABLE piped.raw.seen (id BIGINT NOT NULL);
                CREATE MATERIALIZED VIEW piped.gold.all_seen AS SELECT id FROM %s;
                """
                        .formatted(source));
    }

    @AfterAll
    static void stop() {
        node().close();
    }

    private static TestNode node() {
        return Objects.requireNonNull(started, "not started");
    }

    /** A schema of its own, with a table of orders that ann may read. */
    private static void orders(String catalog) throws Exception {
        var orders = TableName.parse(catalog + ".raw.orders");
        node().register(orders, ORDERS);
        admin("GRANT ALL PRIVILEGES ON CATALOG %s TO `admin`".formatted(catalog));
        admin("CREATE SCHEMA %s.v".formatted(catalog));
        admin("GRANT USE CATALOG ON CATALOG %s TO ann".formatted(catalog));
        admin("GRANT USE SCHEMA ON CATALOG %s TO ann".formatted(catalog));
        admin("GRANT USE CATALOG ON CATALOG %s TO bob".formatted(catalog));
        admin("GRANT USE SCHEMA ON SCHEMA %s.v TO bob".formatted(catalog));
        admin("GRANT CREATE VIEW ON SCHEMA %s.v TO ann".formatted(catalog));
        admin("GRANT SELECT ON TABLE %s TO ann".formatted(orders));
        node().send(
                        orders.toString(),
                        "{\"id\": 1, \"name\": \"a\", \"cents\": 100}",
                        "{\"id\": 2, \"name\": \"b\", \"cents\": 250}",
                        "{\"id\": 3, \"name\": null, \"cents\": 50}");
        TestNode.await(() -> node().node().tables().delta(orders).snapshot().rowCount() == 3);
    }

    private static List<String> admin(String text) {
        return as("admin", text);
    }

    /** The rows of the answer, values joined by bars. */
    private static List<String> as(String who, String text) {
        var principal = node().node().catalog().principals().find(who).orElseThrow().principal();
        var caller = new Caller(principal, null, "rest", "", "");
        var statements = node().node().sql().statements();
        var execution = statements.start(caller, new SourceText("sql", text), NameDefaults.NONE);
        assertThat(execution.await(ANSWER_MAX)).as(text).isTrue();
        var failure = execution.failure();
        if (failure != null) {
            throw failure;
        }
        return Objects.requireNonNull(execution.answer()).rows().stream()
                .map(row -> String.join("|", row.stream().map(String::valueOf).toList()))
                .toList();
    }

    private static void refused(String who, String text, String... words) {
        assertThatThrownBy(() -> as(who, text))
                .as(text)
                .isInstanceOf(LakemillException.class)
                .message()
                .contains(words);
    }

    private static String ask(String query) {
        try (var connection = node().node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        } catch (java.sql.SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static void await(String wanted, String query) throws InterruptedException {
        try {
            TestNode.await(() -> ask(query).equals(wanted));
        } catch (AssertionError e) {
            throw new AssertionError(
                    "%s gives %s; %s".formatted(query, ask(query), admin("SHOW SYNCED TABLES")), e);
        }
    }

    @Test
    void aViewIsReadWithTheRightsOfItsOwner() throws Exception {
        orders("own");
        refused(
                "bob",
                "CREATE VIEW own.v.big AS SELECT 1 AS x",
                "`bob` lacks CREATE TABLE on SCHEMA own.v");
        refused("bob", "CREATE VIEW own.v.big AS SELECT * FROM own.raw.orders", "`bob` lacks");
        as(
                "ann",
                """
                CREATE VIEW own.v.big (id COMMENT 'the order', euros) COMMENT 'dear ones' AS
                SELECT id, cents / 100 FROM own.raw.orders -- all of them
                WHERE cents >= 100;""");
        refused("bob", "SELECT * FROM own.v.big", "`bob` lacks SELECT on TABLE own.v.big");
        as("ann", "GRANT SELECT ON VIEW own.v.big TO bob");
        assertThat(as("bob", "SELECT * FROM own.v.big ORDER BY id"))
                .containsExactly("1|1.0", "2|2.5");
        assertThat(as("bob", "SELECT count(*) FROM own.v.big b JOIN own.v.big c USING (id)"))
                .containsExactly("2");
        refused("bob", "SELECT * FROM own.raw.orders", "`bob` lacks");

        admin("REVOKE SELECT ON TABLE own.raw.orders FROM ann");
        refused(
                "bob",
                "SELECT * FROM own.v.big",
                "the view own.v.big reads own.raw.orders",
                "owner `ann` lacks SELECT");
        refused("ann", "ALTER VIEW own.v.big OWNER TO admin", "may not give the view own.v.big");
        refused("ann", "ALTER VIEW own.v.big OWNER TO bob", "may not give the view own.v.big");
        admin("CREATE GROUP keepers");
        refused("ann", "ALTER VIEW own.v.big OWNER TO keepers", "may not give the view own.v.big");
        admin("ALTER GROUP keepers ADD SERVICE PRINCIPAL ann");
        as("ann", "ALTER VIEW own.v.big OWNER TO keepers");
        admin("ALTER VIEW own.v.big OWNER TO admin");
        assertThat(as("bob", "SELECT id FROM own.v.big ORDER BY id")).containsExactly("1", "2");
        refused("ann", "ALTER VIEW own.v.big AS SELECT 1 AS x", "own.v.big");
        refused("ann", "DROP VIEW own.v.big", "own.v.big");
    }

    @Test
    void whatAViewIsIsToldAndItsTextToThoseWhoMayChangeIt() throws Exception {
        orders("told");
        as(
                "ann",
                "CREATE VIEW told.v.names (n COMMENT 'who') COMMENT 'all' AS SELECT name FROM"
                        + " told.raw.orders");
        as("ann", "GRANT SELECT ON VIEW told.v.names TO bob");
        assertThat(as("bob", "DESCRIBE told.v.names")).containsExactly("n|string|who");
        assertThat(as("bob", "DESCRIBE TABLE EXTENDED told.v.names"))
                .contains("Type|VIEW|", "Owner|ann|", "Comment|all|")
                .noneMatch(row -> row.startsWith("View Text"));
        assertThat(as("ann", "DESCRIBE TABLE EXTENDED told.v.names"))
                .contains("View Text|SELECT name FROM told.raw.orders|");
        assertThat(as("bob", "SHOW VIEWS IN told.v LIKE 'n*'"))
                .containsExactly("told.v|names|false");
        assertThat(as("bob", "SHOW TABLES IN told.v")).containsExactly("v|names|false");
        var views = "SELECT view_definition FROM told.information_schema.views";
        assertThat(as("bob", views)).containsExactly("null");
        assertThat(as("ann", views)).containsExactly("SELECT name FROM told.raw.orders");
        assertThat(
                        as(
                                "ann",
                                "SELECT table_type, data_source_format, storage_path FROM"
                                        + " told.information_schema.tables WHERE table_name ="
                                        + " 'names'"))
                .containsExactly("VIEW|UNKNOWN_DATA_SOURCE_FORMAT|null");
        var info = rest("/api/2.1/unity-catalog/tables/told.v.names");
        assertThat(info.path("table_type").asText()).isEqualTo("VIEW");
        assertThat(info.path("view_definition").asText())
                .isEqualTo("SELECT name FROM told.raw.orders");
        assertThat(info.at("/view_dependencies/dependencies/0/table/table_full_name").asText())
                .isEqualTo("told.raw.orders");
        assertThat(info.path("columns").path(0).path("name").asText()).isEqualTo("n");
        var lineage =
                rest("/api/2.0/lineage-tracking/table-lineage?table_name=told.v.names").toString();
        assertThat(lineage).contains("orders");
        assertThat(
                        rest("/api/2.0/lineage-tracking/column-lineage?table_name=told.v.names"
                                        + "&column_name=n")
                                .toString())
                .contains("orders", "name");
        as("ann", "COMMENT ON VIEW told.v.names IS 'fewer'");
        assertThat(as("bob", "DESCRIBE TABLE EXTENDED told.v.names")).contains("Comment|fewer|");
    }

    private static JsonNode rest(String path) {
        return node().admin().get(path);
    }

    @Test
    void rowFiltersAndMasksOfTheTablesHoldForWhoReadsTheView() throws Exception {
        orders("held");
        admin(
                "CREATE FUNCTION held.raw.mine (name STRING) RETURNS BOOLEAN RETURN"
                        + " current_user() = 'ann' OR name = 'a'");
        admin(
                "CREATE FUNCTION held.raw.hidden (cents INT) RETURNS INT RETURN"
                        + " CASE WHEN current_user() = 'ann' THEN cents ELSE -1 END");
        admin("ALTER TABLE held.raw.orders SET ROW FILTER held.raw.mine ON (name)");
        admin("ALTER TABLE held.raw.orders ALTER COLUMN cents SET MASK held.raw.hidden");
        as("ann", "CREATE VIEW held.v.all_orders AS SELECT id, cents FROM held.raw.orders");
        as("ann", "CREATE VIEW held.v.who AS SELECT current_user() AS me");
        admin("GRANT SELECT ON SCHEMA held.v TO bob");
        assertThat(as("ann", "SELECT * FROM held.v.all_orders ORDER BY id"))
                .containsExactly("1|100", "2|250", "3|50");
        assertThat(as("bob", "SELECT * FROM held.v.all_orders")).containsExactly("1|-1");
        assertThat(as("bob", "SELECT * FROM held.v.who")).containsExactly("bob");
        refused(
                "admin",
                "ALTER VIEW held.v.who SET ROW FILTER held.raw.mine ON (me)",
                "is a view, and those have no row filter");
        var create = "CREATE SYNCED TABLE held.copies.%s FROM held.v.%s PRIMARY KEY (%s)";
        refused(
                "admin",
                create.formatted("o", "all_orders", "id"),
                "the view held.v.all_orders cannot be copied",
                "row filter held.raw.mine of held.raw.orders");
        refused("admin", create.formatted("w", "who", "me"), "it asks current_user()");
    }

    @Test
    void aTextIsCheckedWhereItIsWritten() throws Exception {
        orders("text");
        refused(
                "ann",
                "CREATE VIEW text.v.x AS\nSELECT nome FROM text.raw.orders",
                "sql:2:8",
                "nome",
                "name");
        refused("ann", "CREATE VIEW text.v.x AS SELECT * FROM text.raw.nothing", "sql:1:39");
        refused("ann", "CREATE VIEW text.v.x (a, b) AS SELECT 1 AS a", "sql:1:22", "2 columns");
        refused("ann", "CREATE VIEW text.v.x AS SELECT 1 AS a, 2 AS A", "two columns 'A'");
        refused("ann", "CREATE VIEW text.v.x AS", "expected a query");
        refused("ann", "CREATE VIEW text.v.x AS SELECT * FROM text.v.x", "sql:1:39");
        refused(
                "ann",
                "CREATE VIEW text.v.x AS SELECT * FROM log_tail('text.raw.orders')",
                "a view reads no log");
        as("ann", "CREATE VIEW text.v.a AS SELECT id, cents FROM text.raw.orders");
        refused("ann", "CREATE VIEW text.v.a AS SELECT 1 AS x", "text.v.a exists already");
        as("ann", "CREATE VIEW IF NOT EXISTS text.v.a AS SELECT 1 AS x");
        as("ann", "CREATE VIEW text.v.b AS SELECT sum(cents) AS total FROM text.v.a");
        assertThat(as("ann", "SELECT * FROM text.v.b")).containsExactly("400");
        refused(
                "ann",
                "ALTER VIEW text.v.a AS SELECT total AS id FROM text.v.b",
                "sql:1:48",
                "text.v.a would read itself, by way of text.v.a, text.v.b");
        as("ann", "GRANT SELECT ON VIEW text.v.a TO bob");
        as(
                "ann",
                "CREATE OR REPLACE VIEW text.v.a AS SELECT id, 2 * cents AS cents FROM text.raw.orders");
        assertThat(as("bob", "SELECT * FROM text.v.a ORDER BY id"))
                .containsExactly("1|200", "2|500", "3|100");
        assertThat(as("ann", "SELECT * FROM text.v.b")).containsExactly("800");
        as("ann", "ALTER VIEW text.v.a AS SELECT id FROM text.raw.orders");
        refused("ann", "SELECT * FROM text.v.b", "the view text.v.b", "cents", "text.v.b:1:12");
        refused(
                "ann",
                "CREATE OR REPLACE VIEW text.raw.orders AS SELECT 1 AS x",
                "is a INGESTED and no view");
        refused("ann", "DROP VIEW text.raw.orders", "is a INGESTED and no view");
        as("ann", "DROP VIEW text.v.a");
        as("ann", "DROP VIEW IF EXISTS text.v.a");
        refused("ann", "DROP VIEW text.v.a", "there is no view text.v.a");
        refused("ann", "SELECT * FROM text.v.b", "the view text.v.b", "there is no table text.v.a");
        var deep = "SELECT 1 AS x";
        for (int i = 0; i < LakePlanner.VIEWS_DEEP_MAX; i++) {
            as("ann", "CREATE VIEW text.v.deep%d AS %s".formatted(i, deep));
            deep = "SELECT x FROM text.v.deep%d".formatted(i);
        }
        refused("ann", "CREATE VIEW text.v.deeper AS " + deep, "more than 16 deep");
    }

    @Test
    void aViewKeepsItsColumnsWhenATableGetsMoreOrWiderOnes() throws Exception {
        var before = TableSchema.of(Column.nullable("a", Primitive.INTEGER));
        var after =
                TableSchema.of(
                        Column.nullable("a", Primitive.LONG),
                        Column.nullable("b", Primitive.STRING));
        var at = folder.resolve("widening");
        var name = TableName.parse("wide.raw.t");
        try (var allocator = new RootAllocator();
                var delta =
                        DeltaTable.create(
                                at, before, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            assertThat(delta.snapshot().version()).isZero();
            var catalog = node().node().catalog();
            catalog.create(name, TableKind.EXTERNAL, before, at.toUri().toString(), "", Map.of());
            admin("GRANT ALL PRIVILEGES ON CATALOG wide TO `admin`");
            admin("CREATE VIEW wide.raw.v AS SELECT * FROM wide.raw.t");
            delta.widen(after);
            catalog.update(name, after, "", Map.of());
            assertThat(admin("SELECT count(*) FROM (SELECT * FROM wide.raw.v)"))
                    .containsExactly("0");
            assertThat(admin("DESCRIBE wide.raw.v")).containsExactly("a|bigint|null");
            catalog.update(
                    name, TableSchema.of(Column.nullable("a", Primitive.STRING)), "", Map.of());
            refused(
                    "admin",
                    "SELECT * FROM wide.raw.v",
                    "the view wide.raw.v",
                    "wide.raw.t",
                    "'a' as STRING now, not as BIGINT");
            catalog.drop(name);
            refused("admin", "SELECT * FROM wide.raw.v", "wide.raw.v", "no table wide.raw.t");
        }
    }

    @Test
    void aPipelineSaysThatItReadsNoView() throws Exception {
        orders("piped2");
        admin("CREATE VIEW piped2.v.some AS SELECT id FROM piped2.raw.orders");
        pipeline("piped2.v.some");
        var node = node().node();
        var entry = node.config().pipelines().getFirst();
        assertThatThrownBy(() -> node.pipelines().deploy(entry, false))
                .hasMessageContaining("reads/p.sql:2:")
                .hasMessageContaining(
                        "piped2.v.some is a view of the catalog, which pipelines do not read");
        pipeline("piped.raw.seen");
    }

    @Test
    void aContinuousCopyFollowsTheTablesBelowAViewTheViewAndARestart() throws Exception {
        orders("live");
        node().register(TableName.parse("live.raw.names"), NAMES);
        node().send("live.raw.names", "{\"name\": \"a\", \"city\": \"Oslo\"}");
        admin("CREATE VIEW live.v.cheap AS SELECT id, name, cents FROM live.raw.orders");
        admin(
                "CREATE VIEW live.v.cities AS SELECT name, min(city) AS city, sum(cents) AS cents"
                        + " FROM live.v.cheap LEFT JOIN live.raw.names USING (name) GROUP BY name");
        admin(
                "CREATE SYNCED TABLE live.copies.cities FROM live.v.cities PRIMARY KEY (name)"
                        + " INDEX (city) WITH (mode = 'continuous')");
        var copy =
                "SELECT string_agg(concat_ws(' ', name, city, cents), ', ' ORDER BY name)"
                        + " FROM copies.cities";
        await("a Oslo 100, b 250", copy);
        var oid = ask("SELECT 'copies.cities'::regclass::oid");
        await(
                "a column of the primary key is NULL: 1",
                "SELECT reason || ': ' || rows FROM lakemill.sync_skipped"
                        + " WHERE name = 'live.copies.cities'");
        node().send("live.raw.names", "{\"name\": \"b\", \"city\": \"Rome\"}");
        await("a Oslo 100, b Rome 250", copy);
        node().send("live.raw.orders", "{\"id\": 4, \"name\": \"b\", \"cents\": 1}");
        await("a Oslo 100, b Rome 251", copy);
        assertThat(state("live.copies.cities")).isEqualTo("ONLINE_CONTINUOUS_UPDATE");
        assertThat(
                        rest("/api/2.0/lineage-tracking/table-lineage?table_name=live.copies.cities")
                                .toString())
                .contains("cities");

        admin(
                "ALTER VIEW live.v.cheap AS SELECT id, name, cents FROM live.raw.orders WHERE cents < 200");
        await("a Oslo 100, b Rome 1", copy);

        node().close();
        started = new TestNode(folder, Map.of());
        TestNode.await(() -> state("live.copies.cities").equals("ONLINE_CONTINUOUS_UPDATE"));
        assertThat(ask(copy)).isEqualTo("a Oslo 100, b Rome 1");
        var batch = "SELECT batch FROM lakemill.sync_state WHERE pipeline = 'live.copies.cities'";
        var shown = ask(batch);
        Thread.sleep(1_500);
        assertThat(ask(batch)).as("nothing is new after a restart").isEqualTo(shown);
        node().send("live.raw.orders", "{\"id\": 5, \"name\": \"c\", \"cents\": 7}");
        await("a Oslo 100, b Rome 1, c 7", copy);
        assertThat(ask("SELECT 'copies.cities'::regclass::oid")).isEqualTo(oid);

        admin("DROP VIEW live.v.cheap");
        TestNode.await(() -> state("live.copies.cities").equals("ONLINE_PIPELINE_FAILED"));
        TestNode.await(
                () ->
                        admin("DESCRIBE SYNCED TABLE live.copies.cities")
                                .toString()
                                .contains("the view live.v.cities cannot be read any more"));
        assertThat(ask(copy)).isEqualTo("a Oslo 100, b Rome 1, c 7");
        admin(
                "CREATE VIEW live.v.cheap AS SELECT id, name, cents FROM live.raw.orders WHERE id = 5");
        await("c 7", copy);
        admin("DROP SYNCED TABLE live.copies.cities");
        assertThat(ask("SELECT to_regclass('copies.cities')")).isEqualTo("null");
    }

    private static String state(String synced) {
        return admin("DESCRIBE SYNCED TABLE " + synced).getFirst().split("\\|")[4];
    }

    @Test
    void triggeredAndSnapshotCopiesAreEvaluatedWhenAsked() throws Exception {
        orders("asked");
        admin("CREATE VIEW asked.v.ids AS SELECT id, name FROM asked.raw.orders");
        admin("CREATE VIEW asked.v.now AS SELECT 1 AS one, current_timestamp() AS at");
        var create = "CREATE SYNCED TABLE asked.copies.%s FROM asked.v.%s PRIMARY KEY (%s)";
        refused(
                "admin",
                create.formatted("now", "now", "one") + " WITH (mode = 'triggered')",
                "changes with the time");
        admin(create.formatted("now", "now", "one") + " WITH (mode = 'snapshot')");
        admin(create.formatted("ids", "ids", "id"));
        var ids = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM copies.ids";
        var at = "SELECT at FROM copies.now";
        await("1 2 3", ids);
        TestNode.await(() -> ask(at).startsWith("20"));
        var first = ask(at);
        admin("REFRESH SYNCED TABLE asked.copies.now");
        TestNode.await(() -> !ask(at).equals(first));
        node().send("asked.raw.orders", "{\"id\": 9}");
        TestNode.await(
                () -> {
                    admin("REFRESH SYNCED TABLE asked.copies.ids");
                    return ask(ids).equals("1 2 3 9");
                });
        admin("ALTER SYNCED TABLE asked.copies.ids SET (mode = 'continuous')");
        node().send("asked.raw.orders", "{\"id\": 10}");
        await("1 2 3 9 10", ids);

        admin("CREATE FUNCTION asked.raw.odd (id BIGINT) RETURNS BOOLEAN RETURN id % 2 = 1");
        admin("ALTER TABLE asked.raw.orders SET ROW FILTER asked.raw.odd ON (id)");
        node().send("asked.raw.orders", "{\"id\": 12}");
        TestNode.await(
                () ->
                        admin("DESCRIBE SYNCED TABLE asked.copies.ids")
                                .toString()
                                .contains("row filter asked.raw.odd of asked.raw.orders"));
        assertThat(ask(ids)).isEqualTo("1 2 3 9 10");
    }

    @Test
    void aCopyOfAViewIsDeclaredInTheFileAndByRest() throws Exception {
        orders("filed");
        admin("CREATE VIEW filed.v.ids AS SELECT id FROM filed.raw.orders");
        var project = folder.resolve("filed");
        Files.createDirectories(project);
        Files.writeString(
                project.resolve("lakemill.yml"),
                """
                synced_tables:
                  - name: filed.copies.filed
                    source_table_full_name: filed.v.ids
                    primary_key_columns: [id]
                    scheduling_policy: SNAPSHOT
                """);
        var steps = SyncedTableProject.plan(SyncedTableProject.read(project), node().admin());
        assertThat(steps.getFirst()).isInstanceOf(SyncedTableProject.Step.Create.class);
        SyncedTableProject.apply(steps.getFirst(), node().admin());
        await("3", "SELECT count(*) FROM copies.filed");
        assertThat(SyncedTableProject.plan(SyncedTableProject.read(project), node().admin()))
                .first()
                .isInstanceOf(SyncedTableProject.Step.Nothing.class);
        var made =
                node().admin()
                        .post(
                                "/api/2.0/database/synced_tables",
                                Map.of(
                                        "name",
                                        "filed.copies.rest",
                                        "spec",
                                        Map.of(
                                                "source_table_full_name",
                                                "filed.v.ids",
                                                "primary_key_columns",
                                                List.of("id"),
                                                "scheduling_policy",
                                                "TRIGGERED")));
        assertThat(made.path("spec").path("source_table_full_name").asText())
                .isEqualTo("filed.v.ids");
        await("3", "SELECT count(*) FROM copies.rest");
    }
}
