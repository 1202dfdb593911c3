package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.AuditChain.Verdict;
import dev.lakemill.catalog.AuditSealer;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Old and new rows of state tables, by an application that may do nothing but write them. */
final class RowAuditTest {
    private static final Caller ANNA =
            new Caller(
                    new Principal(UUID.randomUUID(), PrincipalKind.USER, "anna"),
                    null,
                    "rest",
                    "192.0.2.7",
                    "request-1");

    @TempDir static Path folder;
    private static Postgres postgres;
    private static Catalog catalog;
    private static RowAudit audit;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
        audit = RowAudit.open(postgres.owner(), catalog.audit());
        RowAudit.open(postgres.owner(), catalog.audit());
        run("CREATE SCHEMA state; GRANT USAGE ON SCHEMA state TO lakemill_reader");
    }

    @AfterAll
    static void stop() {
        catalog.audit().close();
        postgres.close();
    }

    @BeforeEach
    void table() throws SQLException {
        run(
                "DROP TABLE IF EXISTS state.tasks;"
                        + " CREATE TABLE state.tasks (id int PRIMARY KEY, title text);"
                        + " GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON state.tasks TO lakemill_reader");
        inTransaction(connection -> audit.attach(connection, ANNA, "state", "tasks"));
    }

    @Test
    void everyChangeLeavesTheOldAndTheNewRowAndWhoDidIt() throws Exception {
        try (var app = app();
                var statement = app.createStatement()) {
            statement.execute("SET lakemill.on_behalf_of = 'grower@farm.example'");
            statement.execute("INSERT INTO state.tasks VALUES (1, 'sow')");
            statement.execute("UPDATE state.tasks SET title = 'water'");
            statement.execute("DELETE FROM state.tasks");
            statement.execute("TRUNCATE state.tasks");
        }
        assertThat(records())
                .containsExactly(
                        "INSERT lakemill_reader grower@farm.example farm-app null {\"id\": 1, \"title\":"
                                + " \"sow\"}",
                        "UPDATE lakemill_reader grower@farm.example farm-app {\"id\": 1, \"title\": \"sow\"}"
                                + " {\"id\": 1, \"title\": \"water\"}",
                        "DELETE lakemill_reader grower@farm.example farm-app {\"id\": 1, \"title\":"
                                + " \"water\"} null",
                        "TRUNCATE lakemill_reader grower@farm.example farm-app null null");
    }

    @Test
    void theRecordComesAndGoesWithTheTransaction() throws Exception {
        try (var app = app();
                var statement = app.createStatement()) {
            app.setAutoCommit(false);
            statement.execute("INSERT INTO state.tasks VALUES (1, 'sow')");
            app.rollback();
            statement.execute("INSERT INTO state.tasks VALUES (2, 'reap')");
            app.commit();
        }
        assertThat(records()).singleElement().asString().contains("reap");
    }

    @Test
    void aWriterCannotReachTheRecordsNorTakeAnotherName() throws Exception {
        try (var app = app();
                var statement = app.createStatement()) {
            for (var attempt :
                    List.of(
                            "SELECT * FROM lakemill.row_audit",
                            "DELETE FROM lakemill.row_audit",
                            "INSERT INTO lakemill.row_audit DEFAULT VALUES",
                            "SELECT lakemill.record_row()",
                            "SET session_replication_role = replica",
                            "ALTER TABLE state.tasks DISABLE TRIGGER ALL",
                            "SET SESSION AUTHORIZATION lakemill")) {
                assertThatThrownBy(() -> statement.execute(attempt))
                        .as(attempt)
                        .isInstanceOf(SQLException.class);
            }
            statement.execute("SET search_path = pg_temp, state");
            statement.execute("INSERT INTO tasks VALUES (3, 'sow')");
        }
        assertThat(records()).singleElement().asString().startsWith("INSERT lakemill_reader ");
    }

    @Test
    void aReplicaSessionDoesNotSkipTheTrigger() throws Exception {
        run("SET session_replication_role = replica; INSERT INTO state.tasks VALUES (4, 'sow')");
        assertThat(records()).hasSize(1);
    }

    @Test
    void attachingTwiceRecordsOnce() throws Exception {
        inTransaction(connection -> audit.attach(connection, ANNA, "state", "tasks"));
        run("INSERT INTO state.tasks VALUES (5, 'sow')");
        assertThat(records()).hasSize(1);
    }

    @Test
    void whatIsNoTableIsNotFound() {
        assertThatThrownBy(() -> inTransaction(c -> audit.attach(c, ANNA, "state", "absent")))
                .hasMessageContaining("absent");
    }

    @Test
    void theRowsAreSealedAndAChangedOneIsFound() throws Exception {
        try (var _ = AuditSealer.start(postgres.owner(), List.of(RowAudit.CHAIN))) {
            run("INSERT INTO state.tasks SELECT i, 'task ' || i FROM generate_series(1, 6000) i");
        }
        assertThat(RowAudit.CHAIN.verify(postgres.owner(), null))
                .isInstanceOfSatisfying(
                        Verdict.Whole.class, w -> assertThat(w.unsealed()).isZero());
        run(
                """
                ALTER TABLE lakemill.row_audit DISABLE TRIGGER append_only;
                UPDATE lakemill.row_audit SET new_row = '{}' WHERE new_row->>'id' = '4000';
                ALTER TABLE lakemill.row_audit ENABLE ALWAYS TRIGGER append_only
                """);
        assertThat(RowAudit.CHAIN.verify(postgres.owner(), null))
                .isInstanceOfSatisfying(
                        Verdict.Broken.class,
                        broken ->
                                assertThat(broken.number())
                                        .isEqualTo(
                                                Long.parseLong(
                                                        text(
                                                                "SELECT max(number) FROM"
                                                                        + " lakemill.row_audit WHERE"
                                                                        + " new_row = '{}'"))));
    }

    @Test
    void aFollowerSeesEachSealedRowOnceAndSummedUp() throws Exception {
        RowAudit.CHAIN.seal(postgres.owner(), 100_000);
        var follower = "test";
        inTransaction(c -> RowAudit.follow(c, follower, 100_000));
        run("INSERT INTO state.tasks SELECT i, 'task' FROM generate_series(1, 250) i");
        inTransaction(
                c ->
                        assertThat(RowAudit.follow(c, follower, 100).rows())
                                .as("nothing is sealed")
                                .isZero());
        RowAudit.CHAIN.seal(postgres.owner(), 100_000);
        var seen = new java.util.ArrayList<RowAudit.Followed>();
        for (var i = 0; i < 4; i++) {
            inTransaction(c -> seen.add(RowAudit.follow(c, follower, 100)));
        }
        assertThat(seen).extracting(RowAudit.Followed::rows).containsExactly(100, 100, 50, 0);
        assertThat(seen.getFirst().writes())
                .singleElement()
                .satisfies(
                        w -> {
                            assertThat(w.table()).isEqualTo("tasks");
                            assertThat(w.user()).isEqualTo("lakemill");
                            assertThat(w.newest()).isAfterOrEqualTo(w.hour());
                        });
    }

    private interface Work {
        void run(Connection connection) throws SQLException;
    }

    private static void inTransaction(Work work) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            connection.setAutoCommit(false);
            work.run(connection);
            connection.commit();
        }
    }

    /** A login that may write the table and nothing else. */
    private static Connection app() throws SQLException {
        var app =
                DriverManager.getConnection(postgres.readerJdbcUrl() + "&ApplicationName=farm-app");
        try (var statement = app.createStatement()) {
            statement.execute("SET default_transaction_read_only = off");
        }
        return app;
    }

    /** The records of the newest transactions, of this test alone. */
    private static List<String> records() throws SQLException {
        var all =
                text(
                        """
                        SELECT string_agg(concat_ws(' ', operation, user_email,
                            nullif(on_behalf_of, ''), application_name,
                            coalesce(old_row::text, 'null'), coalesce(new_row::text, 'null')), ';'
                            ORDER BY transaction_id, number)
                        FROM lakemill.row_audit WHERE transaction_id > (
                            SELECT max(transaction_id) FROM lakemill.audit
                            WHERE action_name = 'attachRowAudit')
                        """);
        return all == null ? List.of() : List.of(all.split(";"));
    }

    private static void run(String sql) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static @org.jspecify.annotations.Nullable String text(String sql) {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
