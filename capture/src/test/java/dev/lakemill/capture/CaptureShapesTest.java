package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Types, and tables that change their columns while they are captured. */
final class CaptureShapesTest {
    private static final List<String> COLUMNS =
            List.of(
                    "id STRING",
                    "b BOOLEAN",
                    "i2 SMALLINT",
                    "i4 INT",
                    "i8 BIGINT",
                    "f4 FLOAT",
                    "f8 DOUBLE",
                    "n DECIMAL(10,2)",
                    "free STRING",
                    "v STRING",
                    "c STRING",
                    "d DATE",
                    "t STRING",
                    "ts TIMESTAMP_NTZ",
                    "tz TIMESTAMP",
                    "raw BINARY",
                    "j STRING",
                    "jb STRING",
                    "ints ARRAY<INT>",
                    "texts ARRAY<STRING>",
                    "m STRING",
                    "r STRING",
                    "iv STRING",
                    "dom SMALLINT");

    @TempDir Path folder;

    @Test
    void everyCommonTypeHasItsRule() throws Exception {
        var s = TestPostgres.uniqueName("types");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TYPE %s.mood AS ENUM ('happy', 'sad')".formatted(s),
                "CREATE DOMAIN %s.small AS smallint".formatted(s),
                """
                CREATE TABLE %1$s.t (id uuid PRIMARY KEY, b bool, i2 smallint, i4 int, i8 bigint,
                    f4 real, f8 float8, n numeric(10,2), free numeric, v varchar(9), c char(3),
                    d date, t time, ts timestamp, tz timestamptz, raw bytea, j json, jb jsonb,
                    ints int[], texts text[], m %1$s.mood, r int4range, iv interval, dom %1$s.small)
                """
                        .formatted(s));
        var row =
                """
                INSERT INTO %s.t VALUES ('11111111-2222-3333-4444-55555555555%d', true, -2, 4, 8, 1.5,
                    0.1, 12.30, 1.230, 'v"\\', 'c', '2026-03-01', '10:00:01.5', '2026-03-01 10:00:00.25',
                    '2026-03-01 10:00:00+02', '\\x00ff', '{"a": 1}', '{"a": 1}', '{1,NULL,3}',
                    '{"x y","q\\"","\\\\",NULL,""}', 'sad', '[1,5)', '1 day 02:00', 7)
                """;
        TestPostgres.execute(row.formatted(s, 0));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    row.formatted(s, 1),
                    "INSERT INTO %s.t (id, d, ts, tz, f8) VALUES (gen_random_uuid(), 'infinity',"
                                    .formatted(s)
                            + " '-infinity', '0044-03-15 00:00:00+00 BC', 'NaN')");
            lake.awaitAll();
            assertThat(lake.columns(s + ".t_current")).containsExactlyElementsOf(COLUMNS);
            // By the snapshot's COPY and by the stream alike.
            var rows =
                    lake.sorted(
                            s + ".t_current",
                            "b",
                            "i2",
                            "i4",
                            "i8",
                            "f4",
                            "f8",
                            "n",
                            "free",
                            "v",
                            "c",
                            "d",
                            "t",
                            "ts",
                            "j",
                            "jb",
                            "ints",
                            "texts",
                            "m",
                            "r",
                            "iv",
                            "dom");
            var expected =
                    "true|-2|4|8|1.5|0.1|12.30|1.230|v\"\\|c  |20513|10:00:01.5|2026-03-01T10:00:00.250"
                            + "|{\"a\": 1}|{\"a\": 1}|[1,null,3]|[\"x y\",\"q\\\"\",\"\\\\\",null,\"\"]"
                            + "|sad|[1,5)|P1DT2H|7";
            assertThat(rows).hasSize(3).contains(expected).endsWith(expected, expected);
            assertThat(lake.sorted(s + ".t_current", "d", "ts", "tz", "f8"))
                    .contains("2932896|0001-01-01T00:00|-63517824000000000|NaN");
            assertThat(lake.rows(s + ".t_current", "tz"))
                    .filteredOn("1772352000000000"::equals)
                    .hasSize(2);
        }
    }

    @Test
    void columnsAreAddedDroppedRenamedAndRetyped() throws Exception {
        var s = TestPostgres.uniqueName("ddl");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, a int, b text, c int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 10, 'x', 100), (2, 20, 'y', 200)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "ALTER TABLE %s.t ADD COLUMN d int DEFAULT 4".formatted(s),
                    "INSERT INTO %s.t VALUES (3, 30, 'z', 300, 5)".formatted(s),
                    "ALTER TABLE %s.t RENAME COLUMN b TO name".formatted(s),
                    "ALTER TABLE %s.t DROP COLUMN c".formatted(s),
                    "ALTER TABLE %s.t ALTER COLUMN a TYPE bigint".formatted(s),
                    "UPDATE %s.t SET name = 'Y' WHERE id = 2".formatted(s));
            lake.awaitAll();
            assertThat(lake.columns(s + ".t_current"))
                    .containsExactly("id INT", "a BIGINT", "name STRING", "d INT");
            assertThat(lake.sorted(s + ".t_current"))
                    .containsExactly("1|10|x|4", "2|20|Y|4", "3|30|z|5");
            assertThat(
                            lake.rows(
                                    s + ".t_history",
                                    "_pg_change_type",
                                    "id",
                                    "a",
                                    "b",
                                    "c",
                                    "d",
                                    "name"))
                    .containsExactly(
                            "insert|1|10|x|100|null|null",
                            "insert|2|20|y|200|null|null",
                            "insert|3|30|z|300|5|null",
                            "update_postimage|2|20|null|null|4|Y");
            // Values that nobody can know from the log are looked up, and differences told.
            TestPostgres.execute(
                    "ALTER TABLE %s.t ALTER COLUMN a TYPE text USING 'n' || a".formatted(s),
                    "ALTER TABLE %s.t ADD COLUMN e serial".formatted(s));
            TestPostgres.await(
                    "the lake has what Postgres has",
                    () ->
                            lake.sorted(s + ".t_current")
                                    .equals(List.of("1|n10|x|4|1", "2|n20|Y|4|3", "3|n30|z|5|2")));
            assertThat(lake.columns(s + ".t_history")).contains("a BIGINT", "a__string STRING");
        }
    }

    @Test
    void manyCommandsOfOneTransactionAreOneChangeOfTheTable() throws Exception {
        var s = TestPostgres.uniqueName("many");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY)".formatted(s),
                "CREATE TABLE %s.loose (id int)".formatted(s),
                "INSERT INTO %s.t VALUES (1)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            for (var table : List.of(s + ".t", s + ".loose")) {
                TestPostgres.execute(
                        transaction(
                                "ALTER TABLE %s ADD COLUMN a int".formatted(table),
                                "ALTER TABLE %s ADD COLUMN b int".formatted(table)),
                        "INSERT INTO %s VALUES (2, 20, 200)".formatted(table),
                        transaction(
                                "INSERT INTO %s VALUES (3, 30, 300)".formatted(table),
                                "ALTER TABLE %s ADD COLUMN c text".formatted(table),
                                "INSERT INTO %s VALUES (4, 40, 400, 'x')".formatted(table),
                                "ALTER TABLE %s RENAME COLUMN a TO d".formatted(table),
                                "INSERT INTO %s VALUES (5, 50, 500, 'y')".formatted(table),
                                "ALTER TABLE %s DROP COLUMN c".formatted(table)),
                        "INSERT INTO %s VALUES (6, 60, 600)".formatted(table));
            }
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current", "id", "d", "b"))
                    .containsExactly(
                            "1|null|null",
                            "2|20|200",
                            "3|30|300",
                            "4|40|400",
                            "5|50|500",
                            "6|60|600");
            for (var table : List.of(s + ".t_history", s + ".loose_history")) {
                assertThat(lake.rows(table, "id", "a", "b", "c", "d"))
                        .filteredOn(row -> !row.startsWith("1|"))
                        .containsExactly(
                                "2|20|200|null|null",
                                "3|null|300|null|30",
                                "4|null|400|x|40",
                                "5|null|500|y|50",
                                "6|null|600|null|60");
            }
        }
    }

    @Test
    void aTableIsMadeAndChangedInOneTransaction() throws Exception {
        var s = TestPostgres.uniqueName("made");
        TestPostgres.execute("CREATE SCHEMA " + s);
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    transaction(
                            "CREATE TABLE %s.t (id int PRIMARY KEY, a text)".formatted(s),
                            "INSERT INTO %s.t VALUES (1, 'x')".formatted(s),
                            "ALTER TABLE %s.t RENAME a TO b".formatted(s),
                            "ALTER TABLE %s.t ADD COLUMN c int".formatted(s)),
                    transaction(
                            "CREATE TABLE %s.loose (id int, a text)".formatted(s),
                            "INSERT INTO %s.loose VALUES (1, 'x')".formatted(s),
                            "ALTER TABLE %s.loose RENAME a TO b".formatted(s)),
                    transaction(
                            "CREATE TABLE %s.copy AS SELECT 1 AS id, 'x' AS a".formatted(s),
                            "ALTER TABLE %s.copy RENAME a TO b".formatted(s)),
                    transaction(
                            "CREATE TABLE %s.gone (id int PRIMARY KEY)".formatted(s),
                            "INSERT INTO %s.gone VALUES (1)".formatted(s),
                            "DROP TABLE %s.gone".formatted(s)),
                    "INSERT INTO %s.t VALUES (2, 'y', 3)".formatted(s));
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current", "id", "b", "c"))
                    .containsExactly("1|x|null", "2|y|3");
            assertThat(lake.rows(s + ".loose_history", "id", "b")).containsExactly("1|x");
            assertThat(lake.rows(s + ".copy_history", "id", "b")).containsExactly("1|x");
            // A table that is made anew beside the old one goes on under its name.
            TestPostgres.execute(
                    transaction(
                            "CREATE TABLE %s.t2 (id int PRIMARY KEY, b text)".formatted(s),
                            "INSERT INTO %1$s.t2 SELECT id, b FROM %1$s.t".formatted(s),
                            "DROP TABLE %s.t".formatted(s),
                            "ALTER TABLE %s.t2 RENAME TO t".formatted(s)),
                    "INSERT INTO %s.t VALUES (3, 'z')".formatted(s));
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current")).containsExactly("1|x", "2|y", "3|z");
        }
    }

    @Test
    void valuesThatAreRewrittenOnTheWayAreLookedUp() throws Exception {
        var s = TestPostgres.uniqueName("way");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, a int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 10)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    transaction(
                            "ALTER TABLE %s.t ALTER a TYPE text USING a || '0'".formatted(s),
                            "ALTER TABLE %s.t ALTER a TYPE int USING a::int".formatted(s)));
            TestPostgres.await(
                    "the lake has what Postgres has",
                    () -> lake.rows(s + ".t_current").equals(List.of("1|100")));
        }
    }

    private static String transaction(String... commands) {
        return "BEGIN; " + String.join("; ", commands) + "; COMMIT";
    }

    @Test
    void aTableMadeAgainUnderItsNameBeginsEmpty() throws Exception {
        var s = TestPostgres.uniqueName("again");
        TestPostgres.execute("CREATE SCHEMA " + s);
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "CREATE TABLE %s.t (id int PRIMARY KEY, a int)".formatted(s),
                    "INSERT INTO %s.t VALUES (1, 1)".formatted(s),
                    "DROP TABLE %s.t".formatted(s),
                    "CREATE TABLE %s.t (id text PRIMARY KEY)".formatted(s),
                    "INSERT INTO %s.t VALUES ('one')".formatted(s));
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_current")).containsExactly("one");
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "id__string"))
                    .containsExactly("insert|1|null", "insert|null|one");
        }
    }

    @Test
    void aTableWhoseKeyIsDeferrableIsOneWithoutAKey() throws Exception {
        var s = TestPostgres.uniqueName("defer");
        var made = "CREATE TABLE %s.%s (id int, pos int PRIMARY KEY DEFERRABLE)";
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                made.formatted(s, "before"),
                "INSERT INTO %s.before VALUES (1, 1), (2, 2)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    made.formatted(s, "later"),
                    "INSERT INTO %s.later VALUES (1, 1), (2, 2)".formatted(s),
                    made.formatted(s, "parts") + " PARTITION BY RANGE (pos)",
                    "CREATE TABLE %1$s.part PARTITION OF %1$s.parts DEFAULT".formatted(s),
                    "INSERT INTO %s.parts VALUES (1, 1), (2, 2)".formatted(s));
            for (var table : List.of("before", "later", "parts")) {
                TestPostgres.execute(
                        "UPDATE %s.%s SET pos = pos + 1".formatted(s, table),
                        "DELETE FROM %s.%s WHERE id = 1".formatted(s, table));
            }
            lake.awaitAll();
            for (var table : List.of("before", "later", "parts")) {
                var name = s + "." + table;
                assertThat(lake.rows(name + "_history", "_pg_change_type", "id", "pos"))
                        .containsExactly(
                                "insert|1|1",
                                "insert|2|2",
                                "update_preimage|1|1",
                                "update_postimage|1|2",
                                "update_preimage|2|2",
                                "update_postimage|2|3",
                                "delete|1|2");
                assertThat(lake.has(name + "_current")).isFalse();
            }
        }
    }

    @Test
    void partitionsAreOneTable() throws Exception {
        var s = TestPostgres.uniqueName("parts");
        TestPostgres.execute("CREATE SCHEMA " + s);
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute(
                    "CREATE TABLE %s.t (id int, n int) PARTITION BY RANGE (id)".formatted(s),
                    "CREATE TABLE %1$s.t1 PARTITION OF %1$s.t FOR VALUES FROM (0) TO (10)"
                            .formatted(s),
                    "INSERT INTO %s.t VALUES (1, 1)".formatted(s),
                    "UPDATE %s.t SET n = 2".formatted(s));
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n"))
                    .containsExactly("insert|1|1", "update_preimage|1|1", "update_postimage|1|2");
            assertThat(lake.has(s + ".t1_history")).isFalse();
        }
    }

    @Test
    void rowsComeAndGoWithTheirPartition() throws Exception {
        var s = TestPostgres.uniqueName("come");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)"
                        .formatted(s),
                partition(s, 1),
                partition(s, 2),
                partition(s, 3),
                "INSERT INTO %s.t VALUES (10, 1), (20, 2), (30, 3)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            TestPostgres.execute("DROP TABLE %s.t1".formatted(s));
            awaitRows(lake, s + ".t_current", "20|2", "30|3");
            TestPostgres.execute("ALTER TABLE %1$s.t DETACH PARTITION %1$s.t2".formatted(s));
            awaitRows(lake, s + ".t_current", "30|3");
            awaitRows(lake, s + ".t2_current", "20|2");
            TestPostgres.execute(
                    "INSERT INTO %s.t2 VALUES (21, 2)".formatted(s),
                    "ALTER TABLE %1$s.t ATTACH PARTITION %1$s.t2 FOR VALUES FROM (20) TO (30)"
                            .formatted(s));
            awaitRows(lake, s + ".t_current", "20|2", "21|2", "30|3");
            // One that was made where it belongs brings no rows, and goes with those that came.
            TestPostgres.execute(partition(s, 4), "INSERT INTO %s.t VALUES (40, 4)".formatted(s));
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id"))
                    .hasSize(8)
                    .endsWith("insert|20", "insert|21", "insert|40");
            TestPostgres.execute(
                    "UPDATE %s.t SET n = 0".formatted(s),
                    "ALTER TABLE %1$s.t DETACH PARTITION %1$s.t2".formatted(s),
                    "DROP TABLE %s.t4".formatted(s));
            awaitRows(lake, s + ".t_current", "30|0");
            awaitRows(lake, s + ".t2_current", "20|0", "21|0");
        }
    }

    private static String partition(String schema, int number) {
        return "CREATE TABLE %1$s.t%2$d PARTITION OF %1$s.t FOR VALUES FROM (%2$d0) TO (%3$d0)"
                .formatted(schema, number, number + 1);
    }

    private static void awaitRows(TestLake lake, String table, String... rows) throws Exception {
        TestPostgres.await(
                table + " has " + List.of(rows), () -> lake.sorted(table).equals(List.of(rows)));
    }

    @Test
    void aLostSlotBringsTheDifferencesIntoTheHistory() throws Exception {
        var s = TestPostgres.uniqueName("lost");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 1), (2, 2), (3, 3)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            lake.stop();
            TestPostgres.execute(
                    "SELECT pg_drop_replication_slot('lakemill_%s')".formatted(s),
                    "UPDATE %s.t SET n = 20 WHERE id = 2".formatted(s),
                    "DELETE FROM %s.t WHERE id = 3".formatted(s),
                    "INSERT INTO %s.t VALUES (4, 4)".formatted(s));
            lake.restart();
            lake.awaitAll();
            assertThat(lake.sorted(s + ".t_current")).containsExactly("1|1", "2|20", "4|4");
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n"))
                    .hasSize(6)
                    .contains("update_postimage|2|20", "delete|3|null", "insert|4|4");
        }
    }

    @Test
    void aTransactionTooLargeForMemoryComesAsDifferences() throws Exception {
        var s = TestPostgres.uniqueName("large");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 1)".formatted(s));
        try (var lake = new TestLake(folder, s, 100_000, _ -> {})) {
            lake.awaitAll();
            TestPostgres.execute(
                    "INSERT INTO %s.t SELECT g, g FROM generate_series(2, 5000) g".formatted(s));
            TestPostgres.await(
                    "all rows are there", () -> lake.rows(s + ".t_current").size() == 5000);
            assertThat(lake.rows(s + ".t_history", "id")).hasSize(5000).doesNotHaveDuplicates();
        }
    }
}
