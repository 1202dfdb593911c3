package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.postgres.Postgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
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

    /**
     * Crashes: between an old slot and its new one, behind a restore, and later before a table's
     * current state had what its history has, where the slot is lost too. The history has changes
     * of before the restore at the same places of the log.
     */
    @Test
    void thatPostgresWasSetBackOutlivesACrashWhileTheSlotIsMade() throws Exception {
        var home = Files.createTempDirectory("lakemill-capture-test-");
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx--x--x"));
        var config = TestPostgres.config(home.resolve("pg"));
        var postgres = Postgres.start(config);
        var crashes = new Crashes();
        try {
            execute(
                    postgres,
                    "CREATE SCHEMA app",
                    "CREATE TABLE app.t (id int PRIMARY KEY, n int)",
                    "INSERT INTO app.t VALUES (1, 1), (2, 2), (3, 3)");
            try (var lake =
                    new TestLake(folder.resolve("lake"), "app", 64L << 20, crashes, postgres)) {
                lake.awaitAll();
                lake.stop();
                postgres.close();
                run("cp", "-a", home.resolve("pg").toString(), home.resolve("saved").toString());
                postgres = Postgres.start(config);
                lake.restart(postgres);
                fillLog(postgres, 8);
                execute(postgres, "DELETE FROM app.t WHERE id = 3");
                lake.awaitAll();
                lake.stop();
                postgres.close();
                run("rm", "-r", home.resolve("pg").toString());
                run("mv", home.resolve("saved").toString(), home.resolve("pg").toString());
                postgres = Postgres.start(config);
                crashes.once(Step.SLOT_DROPPED);
                lake.restart(postgres);
                lake.awaitAll();
                assertThat(crashes.came()).isTrue();
                assertThat(lake.replayed("app.t_history", "id", "n"))
                        .containsExactly("1|1", "2|2", "3|3");
                crashes.always(Step.HISTORY_COMMITTED);
                fillLog(postgres, 16);
                execute(postgres, "INSERT INTO app.t VALUES (4, 4)");
                TestPostgres.await("a crash", crashes::came);
                lake.stop();
                execute(
                        postgres,
                        "SELECT pg_drop_replication_slot('lakemill_app')",
                        "DELETE FROM app.t WHERE id = 3");
                crashes.never();
                lake.restart(postgres);
                lake.awaitAll();
                assertThat(lake.sorted("app.t_current", "id", "n"))
                        .containsExactly("1|1", "2|2", "4|4");
                assertThat(lake.replayed("app.t_history", "id", "n"))
                        .containsExactly("1|1", "2|2", "4|4");
            }
        } finally {
            postgres.close();
            run("rm", "-r", home.toString());
        }
    }

    private static void fillLog(Postgres postgres, int megabytes) throws SQLException {
        for (int i = 0; i < megabytes; i++) {
            execute(
                    postgres,
                    "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1024 * 1024))");
        }
    }

    /** The capture was switched off between a table's history and its current state. */
    @Test
    void whatOnlyTheHistoryHasIsNotForgottenWhereCaptureWasOff() throws Exception {
        var s = TestPostgres.uniqueName("off");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 1), (2, 2)".formatted(s));
        var crashes = new Crashes();
        try (var lake = new TestLake(folder, s, 64L << 20, crashes)) {
            lake.awaitAll();
            crashes.always(Step.HISTORY_COMMITTED);
            TestPostgres.execute("INSERT INTO %s.t VALUES (3, 3)".formatted(s));
            TestPostgres.await("a crash", crashes::came);
            lake.stop();
            Capture.end(lake.config(), TestPostgres.postgres());
            TestPostgres.execute("DELETE FROM %s.t WHERE id = 3".formatted(s));
            crashes.never();
            lake.restart();
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current", "id", "n")).containsExactly("1|1", "2|2");
            assertThat(lake.replayed(s + ".t_history", "id", "n")).containsExactly("1|1", "2|2");
        }
    }

    /** Lets capture fail behind a step. */
    private static final class Crashes implements Consumer<Step> {
        private @Nullable Step at;
        private boolean once;
        private boolean came;

        synchronized void once(Step step) {
            at = step;
            once = true;
            came = false;
        }

        synchronized void always(Step step) {
            at = step;
            once = false;
            came = false;
        }

        synchronized void never() {
            at = null;
        }

        synchronized boolean came() {
            return came;
        }

        @Override
        public synchronized void accept(Step step) {
            if (step == at) {
                came = true;
                at = once ? null : at;
                throw new IllegalStateException("a crash behind " + step);
            }
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
