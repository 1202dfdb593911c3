package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes of state tables in a real Postgres, and what the lake has of them. */
final class CaptureTest {
    @TempDir Path folder;

    private static String schema() throws SQLException {
        var schema = TestPostgres.uniqueName("app");
        TestPostgres.execute("CREATE SCHEMA " + schema);
        return schema;
    }

    @Test
    void rowsThatWereThereAndEveryChangeStandInHistoryAndCurrentState() throws Exception {
        var s = schema();
        TestPostgres.execute(
                "CREATE TABLE %s.orders (id int PRIMARY KEY, note text)".formatted(s),
                "INSERT INTO %s.orders VALUES (1, 'a'), (2, 'b')".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            assertThat(lake.sorted(s + ".orders_current")).containsExactly("1|a", "2|b");
            TestPostgres.execute(
                    "INSERT INTO %s.orders VALUES (3, 'c')".formatted(s),
                    "UPDATE %s.orders SET note = 'B' WHERE id = 2".formatted(s),
                    "UPDATE %s.orders SET id = 30 WHERE id = 3".formatted(s),
                    "DELETE FROM %s.orders WHERE id = 1".formatted(s));
            lake.awaitAll();
            assertThat(lake.sorted(s + ".orders_current")).containsExactly("2|B", "30|c");
            assertThat(lake.rows(s + ".orders_history", "_pg_change_type", "id", "note"))
                    .containsExactly(
                            "insert|1|a",
                            "insert|2|b",
                            "insert|3|c",
                            "update_postimage|2|B",
                            "update_preimage|3|null",
                            "update_postimage|30|c",
                            "delete|1|null");
        }
    }

    /** To a snapshot that is older, such a table looks empty. */
    @Test
    void aTableThatIsEmptiedBeforeItIsReadIsReadAgain() throws Exception {
        var s = schema();
        TestPostgres.execute(
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 1), (2, 2)".formatted(s));
        var emptied = new AtomicBoolean();
        try (var lake =
                new TestLake(
                        folder,
                        s,
                        64L << 20,
                        step -> {
                            if (step == Step.SNAPSHOT_TAKEN && emptied.compareAndSet(false, true)) {
                                empty(s + ".t");
                            }
                        })) {
            lake.awaitAll();
            assertThat(emptied).isTrue();
            assertThat(lake.sorted(s + ".t_current")).containsExactly("4|4");
            assertThat(lake.replayed(s + ".t_history", "id", "n")).containsExactly("4|4");
        }
    }

    private static void empty(String table) {
        try {
            TestPostgres.execute(
                    "UPDATE %s SET n = 10 WHERE id = 1".formatted(table),
                    "TRUNCATE " + table,
                    "INSERT INTO %s VALUES (4, 4)".formatted(table));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aTableMadeLaterIsCapturedFromItsFirstRow() throws Exception {
        var s = schema();
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                    "INSERT INTO %s.t VALUES (1, 1)".formatted(s),
                    "UPDATE %s.t SET n = 2".formatted(s),
                    "DELETE FROM %s.t".formatted(s),
                    "CREATE TABLE %1$s.filled AS SELECT 7 AS x, 'y' AS y".formatted(s),
                    "UPDATE %s.filled SET x = 8".formatted(s));
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n"))
                    .containsExactly("insert|1|1", "update_postimage|1|2", "delete|1|null");
            assertThat(lake.rows(s + ".t_current")).isEmpty();
            assertThat(lake.rows(s + ".filled_history", "_pg_change_type", "x", "y"))
                    .containsExactly("insert|7|y", "update_preimage|7|y", "update_postimage|8|y");
            assertThat(lake.has(s + ".filled_current")).isFalse();
        }
    }

    @Test
    void changesWhileItIsAwayComeOnceWhenItIsBack() throws Exception {
        var s = schema();
        TestPostgres.execute("CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute("INSERT INTO %s.t VALUES (1, 1)".formatted(s));
            lake.awaitAll();
            lake.stop();
            TestPostgres.execute(
                    "INSERT INTO %s.t VALUES (2, 2)".formatted(s),
                    "UPDATE %s.t SET n = n + 10".formatted(s));
            lake.restart();
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n"))
                    .containsExactly(
                            "insert|1|1",
                            "insert|2|2",
                            "update_postimage|1|11",
                            "update_postimage|2|12");
            assertThat(lake.sorted(s + ".t_current")).containsExactly("1|11", "2|12");
        }
    }

    @Test
    void aLargeValueThatDidNotChangeIsFilledIn() throws Exception {
        var s = schema();
        var large = "(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g)";
        TestPostgres.execute(
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int, doc text)".formatted(s),
                "ALTER TABLE %s.t ALTER doc SET STORAGE EXTERNAL".formatted(s),
                "INSERT INTO %s.t VALUES (1, 1, %s)".formatted(s, large));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "UPDATE %s.t SET n = 2".formatted(s),
                    "UPDATE %s.t SET n = 3".formatted(s),
                    "UPDATE %s.t SET id = 9".formatted(s));
            lake.awaitAll();
            var doc = TestPostgres.ask("SELECT doc FROM %s.t".formatted(s));
            assertThat(lake.rows(s + ".t_current")).containsExactly("9|3|" + doc);
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n", "doc"))
                    .containsExactly(
                            "insert|1|1|" + doc,
                            "update_postimage|1|2|" + doc,
                            "update_postimage|1|3|" + doc,
                            "update_preimage|1|null|null",
                            "update_postimage|9|3|" + doc);
        }
    }

    @Test
    void truncateEmptiesTheCurrentStateAndIsARowOfTheHistory() throws Exception {
        var s = schema();
        TestPostgres.execute("CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "INSERT INTO %s.t VALUES (1, 1), (2, 2)".formatted(s),
                    "BEGIN; TRUNCATE %1$s.t; INSERT INTO %1$s.t VALUES (3, 3); COMMIT"
                            .formatted(s));
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_current")).containsExactly("3|3");
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id"))
                    .containsExactly("insert|1", "insert|2", "truncate|null", "insert|3");
        }
    }
}
