package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random transactions, and failures behind every step; a seed repeats both. */
final class CaptureSequenceTest {
    @TempDir Path folder;

    /** Fails the first time that each step is reached, and by chance afterwards. */
    private static final class Failing implements Consumer<Step> {
        private final EnumSet<Step> left = EnumSet.allOf(Step.class);
        private final Random random;

        Failing(long seed) {
            this.random = new Random(seed);
        }

        @Override
        public synchronized void accept(Step step) {
            if (left.remove(step) || random.nextInt(30) == 0) {
                if (random.nextBoolean()) {
                    throw new OutOfMemoryError("a crash behind " + step);
                }
                throw new IllegalStateException("a crash behind " + step);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1})
    void historyHasEveryChangeOnceAndCurrentStateIsPostgres(long seed) throws Exception {
        var s = TestPostgres.uniqueName("seq");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int, doc text)".formatted(s),
                "ALTER TABLE %s.t ALTER doc SET STORAGE EXTERNAL".formatted(s),
                "INSERT INTO %s.t SELECT g, g FROM generate_series(1, 20) g".formatted(s));
        var failing = new Failing(seed);
        try (var lake = new TestLake(folder, s, 64L << 20, failing)) {
            var random = new Random(seed);
            for (int i = 0; i < 45; i++) {
                TestPostgres.execute(transaction(s, random, i));
                if (i % 15 == 4) {
                    lake.awaitAll(); // so that what follows comes as changes
                }
            }
            lake.awaitAll();
            var expected = new ArrayList<String>();
            for (var row :
                    TestPostgres.query("SELECT id, n, extra, md5(doc) FROM %s.t".formatted(s))) {
                expected.add(row.get(0) + "|" + row.get(1) + "|" + row.get(2));
            }
            assertThat(lake.sorted(s + ".t_current", "id", "n", "extra"))
                    .containsExactlyElementsOf(expected.stream().sorted().toList());
            var docs =
                    TestPostgres.query(
                            "SELECT id || '|' || coalesce(doc, 'null') FROM %s.t ORDER BY 1"
                                    .formatted(s));
            assertThat(lake.sorted(s + ".t_current", "id", "doc"))
                    .containsExactlyInAnyOrderElementsOf(
                            docs.stream().map(List::getFirst).toList());
            assertThat(replayed(lake, s)).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(lake.rows(s + ".t_history", "_pg_lsn", "_sort_by")).doesNotHaveDuplicates();
            assertThat(failing.left).isEmpty();
        }
    }

    @Test
    void aTableThatGetsAColumnBetweenTwoCrashesOfItsFirstReadingIsReadOnce() throws SQLException {
        var s = TestPostgres.uniqueName("grown");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY)".formatted(s),
                "INSERT INTO %s.t VALUES (1), (2)".formatted(s));
        var told = new ArrayList<Step>();
        var crashes =
                List.of(
                        List.of(Step.COLUMNS_CHANGED),
                        List.of(Step.COLUMNS_CHANGED, Step.COLUMNS_CHANGED),
                        List.of(
                                Step.COLUMNS_CHANGED,
                                Step.COLUMNS_CHANGED,
                                Step.COLUMNS_CHANGED,
                                Step.SNAPSHOT_IN_HISTORY));
        Consumer<Step> crashing =
                step -> {
                    if (step == Step.SLOT_DROPPED) {
                        return;
                    }
                    if (told.isEmpty()) {
                        grow(s);
                    }
                    told.add(step);
                    if (crashes.contains(told)) {
                        throw new IllegalStateException("a crash behind " + told);
                    }
                };
        try (var lake = new TestLake(folder, s, 64L << 20, crashing)) {
            lake.awaitAll();
            assertThat(told).contains(Step.SNAPSHOT_IN_HISTORY);
            assertThat(lake.sorted(s + ".t_current", "id", "extra"))
                    .containsExactly("1|null", "2|null");
            assertThat(lake.sorted(s + ".t_history", "id")).containsExactly("1", "2");
        }
    }

    @Test
    void aCrashBehindAChangeOfTypeDoesNotHideWhatThatMadeOfTheRows() throws SQLException {
        var s = TestPostgres.uniqueName("retyped");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY, n int)".formatted(s),
                "INSERT INTO %s.t VALUES (1, 10), (2, 20)".formatted(s));
        var armed = new AtomicBoolean();
        Consumer<Step> crashing =
                step -> {
                    if (step == Step.COLUMNS_CHANGED && armed.getAndSet(false)) {
                        throw new IllegalStateException("a crash behind " + step);
                    }
                };
        try (var lake = new TestLake(folder, s, 64L << 20, crashing)) {
            lake.awaitAll();
            armed.set(true);
            TestPostgres.execute(
                    "ALTER TABLE %s.t ALTER COLUMN n TYPE text USING 'no. ' || n".formatted(s),
                    "INSERT INTO %s.t VALUES (3, 'new')".formatted(s));
            lake.awaitAll();
            assertThat(armed).isFalse();
            assertThat(lake.sorted(s + ".t_current", "id", "n"))
                    .containsExactly("1|no. 10", "2|no. 20", "3|new");
        }
    }

    @Test
    void commandsThatASlotTellsAgainAfterACrashAreNotTakenOnAgain() throws Exception {
        var s = TestPostgres.uniqueName("again");
        TestPostgres.execute(
                "CREATE SCHEMA " + s,
                "CREATE TABLE %s.t (id int PRIMARY KEY)".formatted(s),
                "CREATE TABLE %s.parted (id int PRIMARY KEY) PARTITION BY RANGE (id)".formatted(s),
                "CREATE TABLE %1$s.p1 PARTITION OF %1$s.parted FOR VALUES FROM (0) TO (9)"
                        .formatted(s),
                "CREATE TABLE %1$s.p2 PARTITION OF %1$s.parted FOR VALUES FROM (9) TO (99)"
                        .formatted(s),
                "INSERT INTO %s.t VALUES (1)".formatted(s),
                "INSERT INTO %s.parted VALUES (1), (10)".formatted(s));
        try (var lake = new TestLake(folder, s)) {
            lake.awaitAll();
            // Postgres writes down here what was confirmed, and again when it next notes which
            // transactions run, each 15 s; it forgets in the crash what was confirmed since.
            TestPostgres.execute("CHECKPOINT");
            lake.awaitAll();
            lake.awaitAll();
            TestPostgres.execute(
                    "ALTER TABLE %s.t ADD COLUMN n int DEFAULT 5".formatted(s),
                    "INSERT INTO %s.t VALUES (2, 2)".formatted(s),
                    "ALTER TABLE %s.t ALTER COLUMN n TYPE bigint".formatted(s),
                    "INSERT INTO %s.t VALUES (3, 3)".formatted(s),
                    "ALTER TABLE %1$s.parted DETACH PARTITION %1$s.p2".formatted(s));
            lake.awaitAll();
            TestPostgres.execute("INSERT INTO %s.parted VALUES (2)".formatted(s));
            lake.awaitAll();
            var compared = lake.rows(s + ".parted_history", "_pg_change_type", "id", "_pg_lsn");
            lake.stop();
            var started = TestPostgres.ask("SELECT pg_postmaster_start_time()");
            TestPostgres.kill();
            TestPostgres.await(
                    "another Postgres",
                    () -> !TestPostgres.ask("SELECT pg_postmaster_start_time()").equals(started));
            TestPostgres.execute(
                    "INSERT INTO %s.t VALUES (4, 4)".formatted(s),
                    "INSERT INTO %s.parted VALUES (3)".formatted(s));
            lake.restart();
            lake.awaitAll();
            assertThat(lake.rows(s + ".t_history", "_pg_change_type", "id", "n"))
                    .containsExactly("insert|1|null", "insert|2|2", "insert|3|3", "insert|4|4");
            var uncommitted =
                    lake.rows(s + ".t_history", "_pg_xid").stream().filter("null"::equals).count();
            assertThat(uncommitted).as("rows that were read, not followed").isOne();
            assertThat(lake.sorted(s + ".t_current", "id", "n"))
                    .containsExactly("1|5", "2|2", "3|3", "4|4");
            var history = lake.rows(s + ".parted_history", "_pg_change_type", "id", "_pg_lsn");
            assertThat(history).hasSize(compared.size() + 1).containsAll(compared);
            assertThat(lake.sorted(s + ".parted_current", "id")).containsExactly("1", "2", "3");
        }
    }

    private static void grow(String schema) {
        try {
            TestPostgres.execute("ALTER TABLE %s.t ADD COLUMN extra int".formatted(schema));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the history's changes make, one after the other. */
    private static List<String> replayed(TestLake lake, String s) {
        Map<String, String> rows = new TreeMap<>();
        for (var line : lake.rows(s + ".t_history", "_pg_change_type", "id", "n", "extra")) {
            var parts = line.split("\\|", 3);
            switch (parts[0]) {
                case "insert" ->
                        assertThat(rows.put(parts[1], parts[1] + "|" + parts[2])).as(line).isNull();
                case "update_postimage" -> rows.put(parts[1], parts[1] + "|" + parts[2]);
                case "truncate" -> rows.clear();
                default -> assertThat(rows.remove(parts[1])).as(line).isNotNull();
            }
        }
        return new ArrayList<>(rows.values());
    }

    private static String[] transaction(String s, Random random, int number) {
        var commands = new ArrayList<String>();
        commands.add("BEGIN");
        for (int i = 0; i <= random.nextInt(3); i++) {
            int id = 1 + random.nextInt(30);
            commands.add(
                    switch (random.nextInt(10)) {
                        case 0, 1 ->
                                "INSERT INTO %s.t (id, n) VALUES (%d, %d) ON CONFLICT DO NOTHING"
                                        .formatted(s, id, number);
                        case 2 -> "DELETE FROM %s.t WHERE id = %d".formatted(s, id);
                        case 3 ->
                                "UPDATE %1$s.t SET doc = repeat(md5('%2$d'), 100) WHERE id = %3$d"
                                        .formatted(s, number, id);
                        case 4 ->
                                "UPDATE %1$s.t SET id = id + 100 WHERE id = %2$d AND NOT EXISTS (SELECT FROM %1$s.t WHERE id = %3$d)"
                                        .formatted(s, id, id + 100);
                        default ->
                                "UPDATE %s.t SET n = n + 1 WHERE id %% 7 = %d".formatted(s, id % 7);
                    });
        }
        if (number == 20) {
            commands.add("ALTER TABLE %s.t ADD COLUMN extra int DEFAULT 5".formatted(s));
        } else if (number == 35) {
            commands.add("TRUNCATE %s.t".formatted(s));
            commands.add("INSERT INTO %s.t SELECT g, g FROM generate_series(1, 9) g".formatted(s));
        }
        commands.add("COMMIT");
        return commands.toArray(String[]::new);
    }

    @Test
    void aTransactionIsInOneCommitOfATableWhole() throws SQLException {
        var s = TestPostgres.uniqueName("tx");
        TestPostgres.execute(
                "CREATE SCHEMA " + s, "CREATE TABLE %s.t (id int PRIMARY KEY)".formatted(s));
        // Far more than what a commit waits for.
        try (var lake = new TestLake(folder, s, 2_000_000, _ -> {})) {
            lake.awaitAll();
            for (int i = 0; i < 5; i++) {
                TestPostgres.execute(
                        "INSERT INTO %s.t SELECT g FROM generate_series(%d, %d) g"
                                .formatted(s, i * 5_000, i * 5_000 + 4_999));
            }
            lake.awaitAll();
            var sizes = lake.sizes(s + ".t_history");
            assertThat(sizes).allMatch(rows -> rows % 5_000 == 0);
            assertThat(sizes.stream().mapToLong(Long::longValue).sum()).isEqualTo(25_000);
        }
    }
}
