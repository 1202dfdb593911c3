package dev.lakemill.bench;

import dev.lakemill.capture.Capture;
import dev.lakemill.capture.CaptureConfig;
import dev.lakemill.capture.CaptureStatus;
import dev.lakemill.capture.Lake;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;

/**
 * State tables read back into the lake: from a commit in Postgres to its row in Delta, row changes
 * a second, and how much larger updates of hot keys leave a table of Postgres and its current state
 * in Delta.
 */
final class CaptureBench {
    private static final int ROWS_A_TRANSACTION = 1_000;
    private static final int HOT_KEYS = 1_000;
    private static final int PACE_MILLIS = 5;
    private static final long WAIT_NANOS_MAX = 300_000_000_000L;

    private CaptureBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        var latencies = new ArrayList<Double>();
        var rates = new ArrayList<Double>();
        var bloats = new ArrayList<Double>();
        var lakeBloats = new ArrayList<Double>();
        for (int round = 0; round < options.rounds(); round++) {
            try (var fixture = new Fixture()) {
                latencies.addAll(fixture.latencies(options.seconds()));
                rates.add(fixture.changesPerSecond(options.seconds()));
                var factors = fixture.bloat(options.seconds());
                bloats.add(factors[0]);
                lakeBloats.add(factors[1]);
                report.check("history_has_every_change_once", fixture.historyIsWhole());
                report.check("current_state_equals_postgres", fixture.currentIsPostgres());
            }
        }
        report.figure("commit_to_delta_ms_p50", at(latencies, 0.5));
        report.figure("commit_to_delta_ms_p95", at(latencies, 0.95));
        report.figure("changes_per_second", at(rates, 0.5));
        report.figure("table_bloat_factor", at(bloats, 0.5));
        report.figure("current_state_bloat_factor", at(lakeBloats, 0.5));
        return report.build();
    }

    private static double at(List<Double> values, double part) {
        var sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(Math.min(sorted.size() - 1, (int) (sorted.size() * part)));
    }

    /** A Postgres, a lake, and tables {@code app.paced}, {@code app.many} and {@code app.hot}. */
    private static final class Fixture implements Lake, AutoCloseable {
        private final RootAllocator allocator = new RootAllocator();
        private final Path folder = Folders.temporary("lakemill-bench");
        private final Map<String, DeltaTable> tables = new ConcurrentHashMap<>();
        private final Postgres postgres;
        private final Capture capture;
        private long manyChanges;
        private long hotChanges;

        Fixture() throws IOException, SQLException, InterruptedException {
            postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("postgres"), 0));
            execute(
                    "CREATE SCHEMA app",
                    "CREATE TABLE app.paced (id bigint PRIMARY KEY, n bigint)",
                    "CREATE TABLE app.many (id bigint PRIMARY KEY, n bigint, name text, site text,"
                            + " note text, x float8, y float8, ok bool, day date, at timestamptz)",
                    "CREATE TABLE app.hot (id bigint PRIMARY KEY, n bigint, note text)"
                            + " WITH (fillfactor = 50)",
                    "INSERT INTO app.hot SELECT g, 0, 'note of ' || g FROM generate_series(1, %d) g"
                            .formatted(HOT_KEYS));
            capture =
                    Capture.start(
                            CaptureConfig.of("bench", List.of("app")),
                            postgres,
                            this,
                            allocator,
                            Clock.systemUTC());
            while (capture.status().state() != CaptureStatus.State.STREAMING) {
                Thread.sleep(5);
            }
        }

        @Override
        public DeltaTable open(String schema, String table, Part part, TableSchema columns) {
            return tables.computeIfAbsent(
                    table + part,
                    name ->
                            DeltaTable.create(
                                    folder.resolve(name),
                                    columns,
                                    DeltaConfig.DEFAULT,
                                    allocator,
                                    Clock.systemUTC()));
        }

        @Override
        public void changed(String schema, String table, Part part, TableSchema columns) {
            throw new IllegalStateException("no table of the bench changes its columns");
        }

        private DeltaTable table(String name, Part part) {
            var table = tables.get(name + part);
            if (table == null) {
                throw new IllegalStateException("no table " + name + part);
            }
            return table;
        }

        /** Milliseconds of each paced commit until its row stands in Delta. */
        List<Double> latencies(int seconds) throws SQLException, InterruptedException {
            var history = table("paced", Part.HISTORY);
            var committed = new ArrayList<Long>();
            var latencies = new ArrayList<Double>();
            var end = System.nanoTime() + seconds * 1_000_000_000L;
            try (var connection = postgres.ownerUnpooled().getConnection();
                    var insert =
                            connection.prepareStatement("INSERT INTO app.paced VALUES (?, 1)")) {
                while (System.nanoTime() < end) {
                    insert.setLong(1, committed.size());
                    insert.executeUpdate();
                    committed.add(System.nanoTime());
                    note(history, committed, latencies);
                    Thread.sleep(PACE_MILLIS);
                }
            }
            while (latencies.size() < committed.size()) {
                note(history, committed, latencies);
                Thread.sleep(PACE_MILLIS);
            }
            return latencies;
        }

        private static void note(DeltaTable history, List<Long> committed, List<Double> latencies) {
            var rows = history.snapshot().rowCount();
            var now = System.nanoTime();
            while (latencies.size() < rows) {
                latencies.add((now - committed.get(latencies.size())) / 1e6);
            }
        }

        /** From the first insert or update until all of them are in both tables. */
        double changesPerSecond(int seconds) throws SQLException, InterruptedException {
            var started = System.nanoTime();
            try (var connection = postgres.ownerUnpooled().getConnection()) {
                for (long id = 0;
                        System.nanoTime() - started < seconds * 1_000_000_000L;
                        id += ROWS_A_TRANSACTION) {
                    execute(
                            connection,
                            """
                            INSERT INTO app.many SELECT g, g, 'name ' || g %% 1000, 'site ' || g %% 50,
                                'a note about ' || g, g / 2.0, g / 3.0, g %% 2 = 0,
                                date '2026-01-01' + (g %% 300)::int, now()
                            FROM generate_series(%d, %d) g
                            """
                                    .formatted(id, id + ROWS_A_TRANSACTION - 1));
                    manyChanges += ROWS_A_TRANSACTION;
                }
            }
            awaitRows("many", manyChanges);
            return manyChanges / ((System.nanoTime() - started) / 1e9);
        }

        /** How much larger the table and its current state are than before many updates. */
        double[] bloat(int seconds) throws SQLException, InterruptedException {
            execute("VACUUM app.hot");
            var before = Double.parseDouble(ask("SELECT pg_table_size('app.hot')"));
            var lakeBefore = table("hot", Part.CURRENT).snapshot().sizeBytes();
            var started = System.nanoTime();
            try (var connection = postgres.ownerUnpooled().getConnection()) {
                for (int i = 0; System.nanoTime() - started < seconds * 1_000_000_000L; i++) {
                    execute(
                            connection,
                            "UPDATE app.hot SET n = n + 1 WHERE id %% 100 = %d".formatted(i % 100));
                    hotChanges += HOT_KEYS / 100;
                }
            }
            awaitRows("hot", hotChanges + HOT_KEYS);
            return new double[] {
                Double.parseDouble(ask("SELECT pg_table_size('app.hot')")) / before,
                (double) table("hot", Part.CURRENT).snapshot().sizeBytes() / lakeBefore
            };
        }

        /** Until a history has some rows and the slot was told so. */
        private void awaitRows(String name, long rows) throws SQLException, InterruptedException {
            var lsn = Long.parseLong(ask("SELECT (pg_current_wal_lsn() - '0/0')::bigint"));
            var end = System.nanoTime() + WAIT_NANOS_MAX;
            while (table(name, Part.HISTORY).snapshot().rowCount() < rows
                    || capture.status().confirmedLsn() < lsn) {
                if (System.nanoTime() > end) {
                    throw new IllegalStateException("changes do not come: " + capture.status());
                }
                Thread.sleep(2);
                ask("SELECT pg_logical_emit_message(true, 'bench', '')");
            }
        }

        boolean historyIsWhole() {
            return table("many", Part.HISTORY).snapshot().rowCount() == manyChanges
                    && table("hot", Part.HISTORY).snapshot().rowCount() == hotChanges + HOT_KEYS;
        }

        boolean currentIsPostgres() throws SQLException {
            for (var name : List.of("many", "hot", "paced")) {
                var expected =
                        ask("SELECT count(*) || ' ' || coalesce(sum(n), 0) FROM app." + name);
                if (!expected.equals(countAndSum(table(name, Part.CURRENT)))) {
                    return false;
                }
            }
            return true;
        }

        private static String countAndSum(DeltaTable table) {
            long count = 0;
            long sum = 0;
            try (var reader = table.snapshot().read(List.of("n"))) {
                for (var next = reader.next(); next != null; next = reader.next()) {
                    try (var rows = next) {
                        var values = (BigIntVector) rows.vector(0);
                        count += rows.count();
                        for (int i = 0; i < rows.count(); i++) {
                            sum += values.get(i);
                        }
                    }
                }
            }
            return count + " " + sum;
        }

        private void execute(String... commands) throws SQLException {
            try (var connection = postgres.owner().getConnection()) {
                for (var command : commands) {
                    execute(connection, command);
                }
            }
        }

        private static void execute(Connection connection, String sql) throws SQLException {
            try (var statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }

        private String ask(String sql) throws SQLException {
            try (var connection = postgres.owner().getConnection();
                    var statement = connection.createStatement();
                    var rows = statement.executeQuery(sql)) {
                rows.next();
                return String.valueOf(rows.getString(1));
            }
        }

        @Override
        public void close() throws IOException {
            capture.close();
            tables.values().forEach(DeltaTable::close);
            postgres.close();
            Folders.delete(folder);
        }
    }
}
