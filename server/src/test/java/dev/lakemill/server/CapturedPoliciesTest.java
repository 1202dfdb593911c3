package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What hides rows and columns of a state table hides them in the lake, on every way to them. */
@Timeout(300)
final class CapturedPoliciesTest {
    private static final TableSchema PEOPLE =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("region", Primitive.STRING),
                    Column.nullable("mail", Primitive.STRING));

    private static final String CREDENTIALS = "/api/2.1/unity-catalog/temporary-table-credentials";

    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        Files.createDirectories(folder.resolve("copying"));
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                pipelines:
                  - {name: copying, folder: copying, owner: ann}
                capture: {schemas: [shop.app]}
                """);
        Files.writeString(
                folder.resolve("copying").resolve("p.sql"),
                """
                CREATE STREAMING TABLE shop.gold.copied AS
                    SELECT id, mail FROM STREAM shop.app.piped_history;
                """);
        node = new TestNode(folder, Map.of());
        TestNode.await(
                () ->
                        node.admin()
                                .get("/api/status")
                                .at("/capture/state")
                                .asText()
                                .equals("STREAMING"));
        execute("CREATE SCHEMA app");
        sql("CREATE CATALOG IF NOT EXISTS shop");
        sql("CREATE SCHEMA IF NOT EXISTS shop.app");
        sql("GRANT ALL PRIVILEGES ON CATALOG shop TO `account users`");
        sql(
                "CREATE FUNCTION shop.app.european(region STRING) RETURNS BOOLEAN"
                        + " RETURN coalesce(region, 'eu') = 'eu'");
        sql("CREATE FUNCTION shop.app.stars(mail STRING) RETURNS STRING RETURN '***'");
        sql(
                "CREATE FUNCTION shop.app.unless_eu(mail STRING, region STRING) RETURNS STRING"
                        + " RETURN CASE WHEN region = 'us' THEN '***' ELSE mail END");
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    /** A state table with a European, an American, and an American who is gone again. */
    private static void people(String name) throws Exception {
        execute(
                "CREATE TABLE app.%s (id bigint PRIMARY KEY, region text, email text)"
                        .formatted(name));
        execute(
                "INSERT INTO app.%s VALUES (1, 'eu', 'a@x'), (2, 'us', 'b@x'), (3, 'us', 'c@x')"
                        .formatted(name));
        node.awaitRows("id FROM shop.app.%s_current".formatted(name), "1", "2", "3");
        execute("ALTER TABLE app.%s RENAME email TO mail".formatted(name));
        execute("DELETE FROM app.%s WHERE id = 3".formatted(name));
        execute("UPDATE app.%s SET mail = mail WHERE id = 2".formatted(name));
        var table = TableName.parse("shop.app." + name);
        var location = "postgres:app." + name;
        var catalog = catalog();
        catalog.create(catalog.system(), table, TableKind.STATE, PEOPLE, location, "", Map.of());
        node.awaitRows("id, mail FROM shop.app.%s_current".formatted(name), "1|a@x", "2|b@x");
        TestNode.await(
                () -> rows("_pg_change_type FROM shop.app.%s_history".formatted(name)).size() == 5);
    }

    private static Catalog catalog() {
        return node.node().catalog();
    }

    private static List<String> rows(String query) {
        return node.rows(query);
    }

    private static void sql(String statement) {
        new SqlClient(node.admin()).run(statement);
    }

    private static void execute(String sql) throws SQLException {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Test
    void aRowFilterHoldsOnBothCopiesAsItIsNow() throws Exception {
        people("filtered");
        sql("ALTER TABLE shop.app.filtered SET ROW FILTER shop.app.european ON (region)");
        assertThat(rows("id FROM shop.app.filtered_current")).containsExactly("1");
        // Of a deleted row the history has the key alone: it is hidden with the rest of it.
        assertThat(rows("id, _pg_change_type FROM shop.app.filtered_history"))
                .containsExactly("1|insert");
        assertThat(rows("count(*) FROM shop.app.filtered_history WHERE region = 'us'"))
                .containsExactly("0");
        // One of the copy's own holds beside it.
        sql("CREATE FUNCTION shop.app.small(id BIGINT) RETURNS BOOLEAN RETURN id < 1");
        sql("ALTER TABLE shop.app.filtered_current SET ROW FILTER shop.app.small ON (id)");
        assertThat(rows("id FROM shop.app.filtered_current")).isEmpty();
        sql("ALTER TABLE shop.app.filtered_current DROP ROW FILTER");
        // A state table that is called otherwise is the same one.
        catalog()
                .securables()
                .rename(
                        catalog().system(),
                        Securable.table(TableName.parse("shop.app.filtered")),
                        "called");
        assertThat(rows("id FROM shop.app.filtered_current")).containsExactly("1");
        assertThat(
                        new SqlClient(node.admin())
                                .run("DESCRIBE TABLE EXTENDED shop.app.filtered_current")
                                .rows())
                .contains(List.of("Row Filter", "shop.app.european(region)", "of shop.app.called"));
        sql("ALTER TABLE shop.app.called DROP ROW FILTER");
        assertThat(rows("id FROM shop.app.filtered_current")).containsExactly("1", "2");
        assertThat(rows("id FROM shop.app.filtered_history")).hasSize(5);
    }

    @Test
    void aMaskHoldsOnBothCopiesAndHidesWhatTheColumnWasCalledBefore() throws Exception {
        people("masked");
        sql("ALTER TABLE shop.app.masked ALTER COLUMN mail SET MASK shop.app.stars");
        assertThat(rows("id, mail FROM shop.app.masked_current")).containsExactly("1|***", "2|***");
        assertThat(rows("id, email, mail FROM shop.app.masked_history WHERE id < 3"))
                .containsOnly("1|null|***", "2|null|***");
        assertThat(rows("count(*) FROM shop.app.masked_history WHERE mail LIKE '%@x'"))
                .containsExactly("0");
        assertThat(rows("max(_pg_lsn) > 0 FROM shop.app.masked_history")).containsExactly("true");
        sql(
                "ALTER TABLE shop.app.masked ALTER COLUMN mail SET MASK shop.app.unless_eu"
                        + " USING COLUMNS (region)");
        assertThat(rows("id, mail FROM shop.app.masked_current")).containsExactly("1|a@x", "2|***");
        assertThat(rows("DISTINCT id, mail FROM shop.app.masked_history WHERE mail IS NOT NULL"))
                .containsExactly("2|***", "3|***");
        // Two masks of one column would have to hold both.
        sql("ALTER TABLE shop.app.masked_current ALTER COLUMN mail SET MASK shop.app.stars");
        assertThat(rows("id, mail FROM shop.app.masked_current"))
                .containsExactly("1|null", "2|null");
    }

    @Test
    void copiesAreClosedWhenTheirTableGoesWithItsPolicies() throws Exception {
        people("left");
        sql("ALTER TABLE shop.app.left ALTER COLUMN mail SET MASK shop.app.stars");
        catalog().drop(TableName.parse("shop.app.left"));
        assertThat(rows("id FROM shop.app.left_current").toString())
                .contains("shop.app.left_current is closed: shop.app.left")
                .contains("opens it by a row filter or mask");
        assertThat(rows("id FROM shop.app.left_history").toString()).contains("is closed");
        assertThat(withheld("left_history")).isTrue();
        // A table that is made again under the name does not open them.
        catalog()
                .create(
                        catalog().system(),
                        TableName.parse("shop.app.left"),
                        TableKind.STATE,
                        PEOPLE,
                        "postgres:app.left",
                        "",
                        Map.of());
        assertThat(rows("id FROM shop.app.left_history").toString()).contains("is closed");
        sql("ALTER TABLE shop.app.left_history ALTER COLUMN email SET MASK shop.app.stars");
        assertThat(rows("DISTINCT email FROM shop.app.left_history WHERE email IS NOT NULL"))
                .containsExactly("***");
    }

    private static boolean withheld(String table) {
        var info = node.admin().get("/api/2.1/unity-catalog/tables/shop.app." + table);
        return info.path("storage_location").asText().startsWith("lakemill://withheld/");
    }

    @Test
    void filesOfTheCopiesAreGivenToNobody() throws Exception {
        people("vended");
        assertThat(withheld("vended_current")).isFalse();
        sql("GRANT EXTERNAL USE SCHEMA ON SCHEMA shop.app TO `account users`");
        sql("ALTER TABLE shop.app.vended SET ROW FILTER shop.app.european ON (region)");
        for (var copy : List.of("vended_current", "vended_history")) {
            assertThat(withheld(copy)).isTrue();
            var info = node.admin().get("/api/2.1/unity-catalog/tables/shop.app." + copy);
            assertThat(info.at("/row_filter/function_name").asText())
                    .isEqualTo("shop.app.european");
            assertThatThrownBy(
                            () ->
                                    node.admin()
                                            .post(
                                                    CREDENTIALS,
                                                    Map.of(
                                                            "table_id",
                                                            info.path("table_id").asText(),
                                                            "operation",
                                                            "READ")))
                    .hasMessageContaining("the row filter shop.app.european of shop.app.vended");
            var raw =
                    node.get(
                            "/api/2.1/unity-catalog/delta/v1/catalogs/shop/schemas/app/tables/"
                                    + copy,
                            "authorization",
                            "Bearer " + node.adminToken());
            assertThat(raw.statusCode()).isEqualTo(403);
            assertThat(raw.body()).contains("the row filter shop.app.european of shop.app.vended");
        }
    }

    @Test
    void noSyncedTableIsMadeOfWhatHidesRowsNorThePolicyOfWhatIsCopied() throws Exception {
        people("synced");
        var create =
                "CREATE SYNCED TABLE shop.serving.synced FROM shop.app.synced_current"
                        + " PRIMARY KEY (id)";
        sql("ALTER TABLE shop.app.synced SET ROW FILTER shop.app.european ON (region)");
        assertThatThrownBy(() -> sql(create))
                .hasMessageContaining("the row filter shop.app.european of shop.app.synced");
        sql("ALTER TABLE shop.app.synced DROP ROW FILTER");
        sql(create);
        assertThatThrownBy(
                        () ->
                                sql(
                                        "ALTER TABLE shop.app.synced ALTER COLUMN mail SET MASK"
                                                + " shop.app.stars"))
                .hasMessageContaining("by way of shop.app.synced_current into shop.serving.synced");
        assertThatThrownBy(
                        () ->
                                sql(
                                        "ALTER TABLE shop.app.synced_current SET ROW FILTER"
                                                + " shop.app.small ON (id)"))
                .hasMessageContaining("shop.app.synced_current is copied into shop.serving.synced");
        sql("DROP SYNCED TABLE shop.serving.synced");
        sql("ALTER TABLE shop.app.synced ALTER COLUMN mail SET MASK shop.app.stars");
    }

    @Test
    void aPipelineThatReadsACopyIsRefusedWhereItsOwnerIsUnderThePolicy() throws Exception {
        people("piped");
        node.logIn("ann");
        sql("ALTER TABLE shop.app.piped SET ROW FILTER shop.app.european ON (region)");
        assertThatThrownBy(() -> node.admin().post("/api/pipelines/copying/refresh", Map.of()))
                .hasMessageContaining("the row filter shop.app.european of shop.app.piped");
        sql("ALTER TABLE shop.app.piped DROP ROW FILTER");
        node.admin().post("/api/pipelines/copying/refresh", Map.of());
    }

    @Test
    void thePropertyThatLeadsToTheStateTableIsNotForAnybodyToChange() throws Exception {
        people("kept");
        var admin = catalog().principals().find("admin").orElseThrow().principal();
        var caller = new Caller(admin, null, "test", "", "");
        var copy = Securable.table(TableName.parse("shop.app.kept_history"));
        var other = Map.of(CatalogTable.CAPTURED_FROM, "app.other");
        assertThatThrownBy(() -> catalog().securables().update(caller, copy, "", other))
                .hasMessageContaining("captured_from is the node's own");
    }
}
