package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.postgres.Postgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lake and a Postgres that were brought back to moments that are not the same. */
final class CaptureRestoreTest {
    @TempDir Path folder;

    private static void copy(Path from, Path to) throws IOException {
        try (var paths = Files.walk(from)) {
            for (var path : paths.toList()) {
                var at = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(at);
                } else {
                    Files.copy(path, at);
                }
            }
        }
    }

    /** The lake is as it was between two commits; Postgres went on, and the slot is gone. */
    @Test
    void aLakeBehindPostgresGetsTheDifferencesOnce() throws Exception {
        var s = TestPostgres.uniqueName("behind");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "CREATE TABLE %s.grown (id int PRIMARY KEY, n int)".formatted(s),
                "CREATE TABLE %s.renamed (id int PRIMARY KEY, n int)".formatted(s),
                "CREATE TABLE %s.again (id int PRIMARY KEY, n int)".formatted(s));
        var names = List.of("t", "grown", "renamed", "again");
        var restored = folder.resolve("restored");
        var torn = new boolean[1];
        try (var lake =
                new TestLake(
                        folder.resolve("lake"),
                        s,
                        64L << 20,
                        step -> {
                            if (torn[0] && step == Step.HISTORY_COMMITTED) {
                                torn[0] = false;
                                tear(folder.resolve("lake"), restored);
                            }
                        })) {
            for (var name : names) {
                TestPostgres.execute(
                        "INSERT INTO %s.%s VALUES (1, 1), (2, 2), (3, 3)".formatted(s, name));
            }
            lake.awaitAll();
            torn[0] = true;
            TestPostgres.execute(
                    "BEGIN; %s COMMIT"
                            .formatted(
                                    String.join(
                                            " ",
                                            names.stream()
                                                    .map(
                                                            name ->
                                                                    "UPDATE %1$s.%2$s SET n = 20 WHERE id = 2; DELETE FROM %1$s.%2$s WHERE id = 3; INSERT INTO %1$s.%2$s VALUES (4, 4);"
                                                                            .formatted(s, name))
                                                    .toList())));
            lake.awaitAll();
            assertThat(restored).exists();
            TestPostgres.execute(
                    "ALTER TABLE %s.grown ADD COLUMN c text DEFAULT 'c'".formatted(s),
                    "ALTER TABLE %s.renamed RENAME id TO number".formatted(s),
                    "DROP TABLE %s.again".formatted(s),
                    "CREATE TABLE %s.again (id int PRIMARY KEY, n int)".formatted(s),
                    "INSERT INTO %s.again VALUES (1, 1), (7, 7)".formatted(s),
                    "UPDATE %s.t SET n = 10 WHERE id = 1".formatted(s));
            lake.awaitAll();
            lake.stop();
            lake.move(restored);
            TestPostgres.execute("SELECT pg_drop_replication_slot('lakemill_%s')".formatted(s));
            lake.restart();
            lake.awaitAll();
            TestPostgres.execute("UPDATE %s.t SET n = 40 WHERE id = 4".formatted(s));
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current")).containsExactly("1|10", "2|20", "4|40");
            assertThat(lake.replayed(s + ".t_history", "id", "n"))
                    .containsExactly("1|10", "2|20", "4|40");
            assertThat(lake.sorted(s + ".grown_current"))
                    .containsExactly("1|1|c", "2|20|c", "4|4|c");
            assertThat(lake.replayed(s + ".grown_history", "id", "n"))
                    .containsExactly("1|1", "2|20", "4|4");
            assertThat(lake.sorted(s + ".renamed_current")).containsExactly("1|1", "2|20", "4|4");
            assertThat(lake.columns(s + ".renamed_current")).containsExactly("number INT", "n INT");
            assertThat(lake.sorted(s + ".again_current")).containsExactly("1|1", "7|7");
            assertThat(lake.replayed(s + ".again_history", "id", "n"))
                    .containsExactly("1|1", "7|7");
        }
    }

    private static void tear(Path from, Path to) {
        try {
            copy(from, to);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /**
     * A copy of its stopped folder took Postgres's place, with a slot that is older than the lake.
     */
    @Test
    void aPostgresThatWasSetBackIsComparedAndNothingIsPassedOver() throws Exception {
        var home = Files.createTempDirectory("lakemill-capture-test-");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        var config = TestPostgres.config(home.resolve("pg"));
        var postgres = Postgres.start(config);
        try {
            execute(
                    postgres,
                    "CREATE SCHEMA app",
                    "CREATE TABLE app.t (id int PRIMARY KEY, n int)",
                    "INSERT INTO app.t VALUES (1, 1), (2, 2), (3, 3)");
            try (var lake = new TestLake(folder.resolve("lake"), "app", postgres)) {
                lake.awaitAll();
                lake.stop();
                postgres.close();
                run("cp", "-a", home.resolve("pg").toString(), home.resolve("saved").toString());
                postgres = Postgres.start(config);
                lake.restart(postgres);
                for (int i = 0; i < 50; i++) {
                    execute(
                            postgres,
                            "UPDATE app.t SET n = n + 1",
                            "INSERT INTO app.t VALUES (%d, 0)".formatted(100 + i));
                }
                execute(postgres, "ALTER TABLE app.t ADD COLUMN later text");
                execute(postgres, "UPDATE app.t SET later = 'x' WHERE id < 110");
                lake.awaitAll();
                lake.stop();
                postgres.close();
                run("rm", "-r", home.resolve("pg").toString());
                run("mv", home.resolve("saved").toString(), home.resolve("pg").toString());
                postgres = Postgres.start(config);
                // Before the capture is back, and after.
                execute(postgres, "UPDATE app.t SET n = -2 WHERE id = 2");
                lake.restart(postgres);
                lake.awaitAll();
                execute(
                        postgres,
                        "INSERT INTO app.t VALUES (4, 4)",
                        "DELETE FROM app.t WHERE id = 1");
                lake.awaitAll();
                assertThat(lake.sorted("app.t_current", "id", "n"))
                        .containsExactly("2|-2", "3|3", "4|4");
                assertThat(lake.columns("app.t_current")).containsExactly("id INT", "n INT");
                assertThat(lake.replayed("app.t_history", "id", "n"))
                        .containsExactly("2|-2", "3|3", "4|4");
            }
        } finally {
            postgres.close();
            run("rm", "-r", home.toString());
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private static void execute(Postgres postgres, String... commands) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            for (var command : commands) {
                statement.execute(command);
            }
        }
    }
}
