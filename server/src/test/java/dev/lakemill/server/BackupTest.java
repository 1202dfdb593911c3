package dev.lakemill.server;

import static java.util.Comparator.naturalOrder;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.server.backup.Restore;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A node whose data folder is destroyed, and made again out of its backups. */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class BackupTest {
    private static final String PIPELINE =
            """
            CREATE TABLE c.b.t (id BIGINT NOT NULL, x BIGINT);
            CREATE STREAMING TABLE c.s.t AS SELECT id, x * 10 AS ten FROM STREAM(c.b.t);
            CREATE MATERIALIZED VIEW c.g.v AS SELECT count(*) AS n, sum(ten) AS ten FROM c.s.t;
            CREATE SYNCED TABLE c.serving.t FROM c.s.t PRIMARY KEY (id);
            """;

    @TempDir static Path folder;

    /** Between the second and the third order. */
    private static Instant between = Instant.EPOCH;

    /** A node that writes two orders and rows, is backed up, writes a third, and is destroyed. */
    @BeforeAll
    static void destroy() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                data: first
                backup:
                  folder: backups
                pipelines:
                  - name: p
                    folder: sql
                """);
        Files.createDirectories(folder.resolve("sql"));
        Files.writeString(folder.resolve("sql/p.sql"), PIPELINE);
        try (var node = start("first")) {
            execute(node, "CREATE SCHEMA app; CREATE TABLE app.orders (id int PRIMARY KEY)");
            order(node, 1);
            send(node, 1, 2);
            TestNode.await(() -> synced(node).equals("3|2"));

            assertThat(run("backup", "--project", folder.toString())).isZero();

            order(node, 2);
            send(node, 3);
            TestNode.await(() -> node.rows("* FROM c.g.v").equals(List.of("3|60")));
            awaitMark(node, now(node));
            between = now(node);

            order(node, 3);
            send(node, 4, 5);
            TestNode.await(() -> node.rows("* FROM c.g.v").equals(List.of("5|150")));
            awaitMark(node, now(node));
            node.send("c.b.t", row(6));
            awaitMark(node, now(node));
        }
        delete(folder.resolve("first"));
    }

    @Test
    @Order(1)
    void toTheEndAllStandsAndGoesOnEachRowOnce() throws Exception {
        assertThat(restore("second", null).tables()).isGreaterThan(4);
        try (var node = start("second")) {
            assertThat(orders(node)).isEqualTo("1,2,3");
            TestNode.await(() -> node.rows("* FROM c.g.v").equals(List.of("6|210")));
            assertThat(node.rows("id FROM c.b.t")).containsExactly("1", "2", "3", "4", "5", "6");

            send(node, 7);
            order(node, 4);
            TestNode.await(() -> synced(node).equals("28|7"));
            TestNode.await(() -> node.rows("* FROM c.g.v").equals(List.of("7|280")));
            awaitMark(node, now(node));
            TestNode.await(() -> node.rows("id FROM c.s.t").size() == 7);
            assertThat(node.rows("id FROM c.s.t")).hasSize(7).doesNotHaveDuplicates();
            assertThat(
                            node.rows(
                                    "count(*) FROM system.access.audit"
                                            + " WHERE action_name = 'restoreBackup'"))
                    .hasSize(1);
        }
        delete(folder.resolve("second"));
        restore("again", null);
        try (var node = start("again")) {
            assertThat(orders(node)).isEqualTo("1,2,3,4");
            TestNode.await(() -> synced(node).equals("28|7"));
            TestNode.await(() -> node.rows("id FROM c.s.t").size() == 7);
            assertThat(node.rows("id FROM c.s.t")).hasSize(7).doesNotHaveDuplicates();
        }
    }

    @Test
    @Order(2)
    void toAMomentTheOrderBeforeIsThereAndTheOneAfterIsNot() throws Exception {
        restoreWithDamageBehind("third", between);
        try (var node = start("third")) {
            assertThat(orders(node)).isEqualTo("1,2");
            TestNode.await(() -> synced(node).equals("6|3"));
            TestNode.await(() -> node.rows("* FROM c.g.v").equals(List.of("3|60")));
            assertThat(node.rows("id FROM c.b.t")).containsExactly("1", "2", "3");

            send(node, 8);
            TestNode.await(() -> synced(node).equals("14|4"));
            assertThat(node.rows("id FROM c.b.t")).containsExactly("1", "2", "3", "8");
        }
    }

    @Test
    @Order(3)
    void theBackupVerifiesAndDamageIsFound() throws Exception {
        assertThat(run("verify", "--project", folder.toString())).isZero();
        for (var file : dataFiles()) {
            var bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        }
        assertThatThrownBy(() -> restore("fourth", null))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
                            assertThat(e.problem()).contains("c/b/t/", ".parquet is damaged");
                        });
        assertThat(folder.resolve("fourth")).doesNotExist();
    }

    @Test
    @Order(4)
    void whatIsNotThereIsRefused() throws Exception {
        refused(ErrorCode.NOT_FOUND, "the backups reach to", Instant.parse("2100-01-01T00:00:00Z"));
        refused(ErrorCode.NOT_FOUND, "the oldest mark", Instant.parse("2000-01-01T00:00:00Z"));
        Files.createDirectories(folder.resolve("full"));
        Files.writeString(folder.resolve("full/mine"), "");
        assertThatThrownBy(() -> restore("full", null)).hasMessageContaining("there is data");
        assertThat(folder.resolve("full/mine")).exists();
        Files.delete(backups().resolve("wal").resolve(stopWal() + ".gz"));
        refused(ErrorCode.DATA_LOSS, "Postgres's log file", null);
    }

    private static void refused(ErrorCode code, String problem, @Nullable Instant moment) {
        assertThatThrownBy(() -> restore("fifth", moment))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(code);
                            assertThat(e.problem()).contains(problem);
                        });
    }

    private static TestNode start(String data) throws Exception {
        return new TestNode(
                folder,
                Map.of(
                        "LAKEMILL_DATA",
                        data,
                        "LAKEMILL_PIPELINE_COMMIT_MS",
                        "200",
                        "LAKEMILL_BACKUP_FOLDER",
                        data.equals("third") ? "others" : "backups",
                        "LAKEMILL_BACKUP_INTERVAL_S",
                        "1"));
    }

    private static Path backups() {
        return folder.resolve("backups");
    }

    /** What Postgres wrote after the moment is not looked at. */
    private static void restoreWithDamageBehind(String data, Instant moment) throws IOException {
        Path newest;
        try (var files = Files.list(backups().resolve("wal"))) {
            newest =
                    files.filter(f -> f.toString().endsWith(".gz"))
                            .max(naturalOrder())
                            .orElseThrow();
        }
        var whole = Files.readAllBytes(newest);
        Files.writeString(newest, "damaged");
        try {
            restore(data, moment);
        } finally {
            Files.write(newest, whole);
        }
    }

    private static Restore.Restored restore(String data, @Nullable Instant moment)
            throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        var config = Config.load(folder, Map.of());
        return new Restore(
                        new Restore.Order(backups(), folder.resolve(data), moment),
                        at -> NodeSettings.postgresIn(config, at),
                        _ -> {})
                .run();
    }

    private static int run(String... arguments) {
        var line = Main.commandLine();
        var said = new StringWriter();
        line.setOut(new PrintWriter(said));
        line.setErr(new PrintWriter(said));
        var code = line.execute(arguments);
        assertThat(code).as(said.toString()).isLessThan(2);
        if (code != CommandLine.ExitCode.OK) {
            System.err.println(said);
        }
        return code;
    }

    private static void awaitMark(TestNode node, Instant after) throws InterruptedException {
        TestNode.await(
                () -> {
                    var newest = node.admin().get("/api/2.0/backups").path("last_mark").asText();
                    return !newest.isEmpty() && Instant.parse(newest).isAfter(after);
                });
    }

    private static Instant now(TestNode node) throws SQLException {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getTimestamp(1).toInstant();
        }
    }

    private static void order(TestNode node, int id) throws SQLException {
        execute(node, "INSERT INTO app.orders VALUES (" + id + ")");
    }

    private static void execute(TestNode node, String sql) throws SQLException {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String orders(TestNode node) throws SQLException {
        return text(node, "SELECT string_agg(id::text, ',' ORDER BY id) FROM app.orders");
    }

    /** Of the synced table: the sum of its keys, and how many there are. */
    private static String synced(TestNode node) {
        try {
            return text(node, "SELECT concat(sum(id), '|', count(*)) FROM serving.t");
        } catch (SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String text(TestNode node, String query) throws SQLException {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    private static void send(TestNode node, long... ids) throws IOException {
        var rows = new ArrayList<String>();
        for (var id : ids) {
            rows.add(row(id));
        }
        node.send("c.b.t", rows.toArray(String[]::new));
    }

    private static String row(long id) {
        return "{\"id\":%1$d,\"x\":%1$d}".formatted(id);
    }

    private static List<Path> dataFiles() throws IOException {
        try (var files = Files.walk(backups().resolve("lake/tables/c/b/t"))) {
            return files.filter(file -> file.toString().endsWith(".parquet"))
                    .filter(file -> !file.toString().contains("_delta_log"))
                    .toList();
        }
    }

    /** The last file of Postgres's log that the base backup needs. */
    private static String stopWal() throws IOException {
        try (var files = Files.walk(backups().resolve("bases"), 2)) {
            var manifest = files.filter(file -> file.endsWith("manifest.json")).findFirst();
            return new ObjectMapper()
                    .readTree(manifest.orElseThrow().toFile())
                    .path("stopWal")
                    .asText();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
