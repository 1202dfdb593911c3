package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.capture.CaptureStatus.State;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database of others, whose user is no superuser: one has set up once what takes one. */
final class CaptureRentedTest {
    @TempDir Path folder;

    @Test
    void aUserWithoutASuperuserCapturesWhatASuperuserSetUp() throws Exception {
        TestPostgres.execute(
                "CREATE ROLE renter LOGIN CREATEROLE PASSWORD 'rent'",
                "CREATE ROLE painter",
                "CREATE DATABASE rented OWNER renter",
                "GRANT lakemill_reader TO renter WITH ADMIN TRUE",
                "GRANT lakemill_objects TO renter WITH ADMIN TRUE, INHERIT TRUE, SET TRUE");
        Files.writeString(
                TestPostgres.hba(),
                """
                host rented,lakemill renter,lakemill 127.0.0.1/32 scram-sha-256
                host rented lakemill_reader 127.0.0.1/32 scram-sha-256
                """,
                StandardOpenOption.APPEND);
        TestPostgres.execute("SELECT pg_reload_conf()");
        var url =
                "jdbc:postgresql://127.0.0.1:%d/rented?user=renter&password=rent"
                        .formatted(TestPostgres.postgres().port());
        var config = new PostgresConfig(url, folder.resolve("rented"), null, 0, "", 60);
        try (var rented = Postgres.start(config);
                var administrator = TestPostgres.administrator("rented");
                var lake = new TestLake(folder.resolve("lake"), "app", rented)) {
            TestPostgres.await(
                    "it says what it lacks",
                    () -> lake.capture().status().error().contains("superuser"));
            assertThat(lake.capture().status().state()).isEqualTo(State.WAITING);
            execute(administrator, CaptureSetup.sql("renter"));
            // Tables of a third, who is no member of anything.
            execute(
                    administrator,
                    "CREATE SCHEMA app AUTHORIZATION painter; SET ROLE painter;"
                            + " CREATE TABLE app.t (id int PRIMARY KEY, n int);"
                            + " INSERT INTO app.t VALUES (1, 1), (2, 2);"
                            + " CREATE TABLE app.loose (n int)");
            TestPostgres.await(
                    "the schema is captured", () -> lake.capture().status().tables().size() == 2);
            execute(
                    administrator,
                    "UPDATE app.t SET n = 20 WHERE id = 2; INSERT INTO app.loose VALUES (7);"
                            + " UPDATE app.loose SET n = 8; ALTER TABLE app.t ADD COLUMN c text;"
                            + " INSERT INTO app.t VALUES (3, 3, 'c')");
            execute(administrator, "CREATE TABLE app.later AS SELECT 1 AS one");
            lake.awaitAll();
            assertThat(lake.sorted("app.t_current"))
                    .containsExactly("1|1|null", "2|20|null", "3|3|c");
            assertThat(lake.rows("app.loose_history", "_pg_change_type", "n"))
                    .containsExactly("insert|7", "update_preimage|7", "update_postimage|8");
            assertThat(lake.rows("app.later_history", "one")).containsExactly("1");
            lake.stop();
            execute(administrator, "DELETE FROM app.t WHERE id = 1");
            lake.restart();
            lake.awaitAll();
            assertThat(lake.sorted("app.t_current")).containsExactly("2|20|null", "3|3|c");
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
