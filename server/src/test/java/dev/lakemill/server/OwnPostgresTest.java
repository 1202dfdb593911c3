package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.capture.CaptureSetup;
import dev.lakemill.postgres.Doctor;
import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole node on a Postgres of one's own, whose user is no superuser. */
@Timeout(300)
final class OwnPostgresTest {
    private static final String MADE_BY_AN_ADMINISTRATOR =
            "CREATE ROLE mill LOGIN CREATEROLE PASSWORD 'x'";

    @TempDir Path folder;

    private OtherPostgres postgres(int version) throws Exception {
        return new OtherPostgres(version, Files.createDirectory(folder.resolve("postgres")));
    }

    private Path project() throws Exception {
        var project = Files.createDirectory(folder.resolve("project"));
        Files.createDirectory(project.resolve("counts"));
        Files.writeString(
                project.resolve("lakemill.yml"),
                """
                pipelines:
                  - {name: counts, folder: counts}
                capture: {schemas: [shop.app]}
                """);
        Files.writeString(
                project.resolve("counts").resolve("p.sql"),
                """
                CREATE TABLE shop.raw.events (id BIGINT NOT NULL, x BIGINT);
                CREATE MATERIALIZED VIEW shop.gold.totals AS
                    SELECT id, sum(x) AS total FROM shop.raw.events GROUP BY id;
                CREATE SYNCED TABLE shop.serving.totals FROM shop.gold.totals PRIMARY KEY (id);
                """);
        return project;
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 17})
    void doesAllThatTheNodeDoes(int version) throws Exception {
        open(folder);
        try (var postgres = postgres(version)) {
            postgres.execute("postgres", MADE_BY_AN_ADMINISTRATOR);
            postgres.execute("postgres", "CREATE DATABASE mill OWNER mill");
            postgres.execute("mill", CaptureSetup.sql("mill"));
            var settings = Map.of("LAKEMILL_POSTGRES_URL", postgres.url("mill", "mill"));
            var project = project();
            assertNothingIsMissing(postgres);
            try (var node = new TestNode(project, settings)) {
                assertThat(postgres.ask("mill", "SELECT current_setting('server_version_num')"))
                        .startsWith(Integer.toString(version));
                aPipelineFillsASyncedTable(node, postgres);
                anApplicationsTableIsMovedInAndCaptured(node, postgres);
                aTokenIsThePasswordAtTheFrontDoor(node);
            }
            assertNothingIsMissing(postgres);
            // What was there is found again.
            try (var node = new TestNode(project, settings)) {
                node.send("shop.raw.events", "{\"id\": 1, \"x\": 4}");
                TestNode.await(() -> total(postgres).equals("9"));
            }
        }
    }

    private static void assertNothingIsMissing(OtherPostgres postgres) {
        assertThat(Doctor.examine(postgres.url("mill", "mill")))
                .hasSizeGreaterThan(8)
                .noneMatch(finding -> finding.state() == Doctor.State.MISSING);
    }

    private static void open(Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    private static void aPipelineFillsASyncedTable(TestNode node, OtherPostgres postgres)
            throws Exception {
        node.send("shop.raw.events", "{\"id\": 1, \"x\": 2}", "{\"id\": 1, \"x\": 3}");
        TestNode.await(() -> total(postgres).equals("5"));
    }

    private static String total(OtherPostgres postgres) {
        try {
            return postgres.ask("mill", "SELECT total FROM serving.totals WHERE id = 1");
        } catch (SQLException e) {
            return "";
        }
    }

    private static void anApplicationsTableIsMovedInAndCaptured(
            TestNode node, OtherPostgres postgres) throws Exception {
        postgres.execute("postgres", "CREATE DATABASE farm OWNER mill");
        postgres.execute("farm", "CREATE SCHEMA app AUTHORIZATION mill");
        postgres.execute(
                "farm",
                "SET ROLE mill; CREATE TABLE app.trays (id serial PRIMARY KEY, crop text);"
                        + " INSERT INTO app.trays (crop) VALUES ('basil'), ('mint')");
        var source = "postgresql://mill:x@127.0.0.1:%d/farm".formatted(postgres.port());
        var moved = node.run(0, "import", "postgres", source, "--catalog", "shop");
        assertThat(moved).contains("shop.app.trays");
        node.awaitRows("id, crop FROM shop.app.trays_current", "1|basil", "2|mint");
    }

    private static void aTokenIsThePasswordAtTheFrontDoor(TestNode node) throws Exception {
        var cookie = node.logIn("bob");
        new SqlClient(node.admin())
                .run("GRANT USE CATALOG, USE SCHEMA, SELECT, MODIFY ON CATALOG shop TO bob");
        var token = node.databaseToken(cookie, "{}");
        var url =
                "jdbc:postgresql://%s/mill?sslmode=require".formatted(node.node().door().address());
        TestNode.await(() -> isSeen(url, token));
        try (var connection = DriverManager.getConnection(url, "bob", token);
                var statement = connection.createStatement()) {
            statement.executeUpdate("INSERT INTO app.trays (crop) VALUES ('dill')");
            assertThatThrownBy(() -> statement.executeUpdate("DELETE FROM serving.totals"))
                    .hasMessageContaining("permission denied");
        }
        assertThatThrownBy(() -> DriverManager.getConnection(url, "bob", "wrong"))
                .isInstanceOf(SQLException.class);
        node.awaitRows("crop FROM shop.app.trays_current", "basil", "dill", "mint");
    }

    /** As soon as the rights have come to Postgres. */
    private static boolean isSeen(String url, String token) {
        try (Connection connection = DriverManager.getConnection(url, "bob", token);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT total FROM serving.totals")) {
            return rows.next() && rows.getInt(1) == 5;
        } catch (SQLException e) {
            return false;
        }
    }

    @Test
    void backupsOfItAreItsOwn() throws Exception {
        open(folder);
        try (var postgres = postgres(16)) {
            postgres.execute("postgres", MADE_BY_AN_ADMINISTRATOR);
            postgres.execute("postgres", "CREATE DATABASE mill OWNER mill");
            var project = Files.createDirectory(folder.resolve("project"));
            var settings =
                    Map.of(
                            "LAKEMILL_POSTGRES_URL",
                            postgres.url("mill", "mill"),
                            "LAKEMILL_BACKUP_FOLDER",
                            folder.resolve("backups").toString());
            assertThatThrownBy(() -> new TestNode(project, settings).close())
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("Postgres is one of your own")
                    .hasMessageContaining("leave backup.folder out");
        }
    }

    @Test
    void anOlderOneIsRefusedWithWhatToDo() throws Exception {
        open(folder);
        try (var postgres = postgres(15)) {
            postgres.execute("postgres", MADE_BY_AN_ADMINISTRATOR);
            postgres.execute("postgres", "CREATE DATABASE mill OWNER mill");
            var project = Files.createDirectory(folder.resolve("project"));
            var settings = Map.of("LAKEMILL_POSTGRES_URL", postgres.url("mill", "mill"));
            assertThatThrownBy(() -> new TestNode(project, settings).close())
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("is version 15; Lakemill needs 16 or newer");
            assertThat(
                            postgres.ask(
                                    "mill",
                                    "SELECT count(*) FROM pg_namespace WHERE nspname = 'lakemill'"))
                    .isEqualTo("0");
        }
    }
}
