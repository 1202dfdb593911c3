package dev.lakemill.bench;

import dev.lakemill.feed.Changes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;

/**
 * A synced table of ten columns: the first load from Delta and changed rows, each in rows a second,
 * against a bare binary COPY of the same rows into a plain table with the same key, and against the
 * loop of a reverse-ETL job (TRUNCATE and COPY); what its readers feel of either; and how it grows
 * under updates of hot keys.
 */
final class SyncBench {
    private static final int ROWS = 500_000;
    private static final int BATCH_ROWS = 1_000;
    private static final int BATCHES_AT_ONCE = 50;
    private static final int MEASURE_SECONDS_MAX = 10;
    private static final int SOAK_ROWS = 20_000;
    private static final int HOT_KEYS = 1_000;
    private static final int UPDATES_PER_SECOND = 5_000;
    private static final String SYNCED = "serving.items";
    private static final String PLAIN = "plain.items";

    private SyncBench() {}

    static Report run(BenchOptions options) throws Exception {
        var report = new Report.Builder();
        var loads = new ArrayList<Double>();
        var copies = new ArrayList<Double>();
        var changes = new ArrayList<Double>();
        for (int round = 0; round < options.rounds(); round++) {
            try (var fixture = new SyncedFixture()) {
                loads.add(ROWS / fixture.load(ROWS));
                report.check("every_row_is_there", count(fixture) == ROWS);
                var rows = makePlainTable(fixture);
                copies.add(ROWS / copySeconds(fixture, rows));
                changes.add(changedRowsPerSecond(fixture, options.seconds()));
                if (round == options.rounds() - 1) {
                    readers(options, fixture, rows, report);
                }
            }
        }
        soak(options, report);
        report.figure("snapshot_rows_per_second", Report.median(loads));
        report.figure("bare_copy_rows_per_second", Report.median(copies));
        report.figure("snapshot_vs_bare_copy", Report.median(loads) / Report.median(copies));
        report.figure("changed_rows_per_second", Report.median(changes));
        return report.build();
    }

    /** Returns the synced table's rows in the form of COPY. */
    private static byte[] makePlainTable(SyncedFixture fixture) throws SQLException, IOException {
        try (var connection = fixture.postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA plain");
            statement.execute("CREATE TABLE plain.items (LIKE serving.items INCLUDING ALL)");
            statement.execute("GRANT USAGE ON SCHEMA plain TO lakemill_reader");
            statement.execute("GRANT SELECT ON plain.items TO lakemill_reader");
            var rows = new ByteArrayOutputStream();
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyOut("COPY serving.items TO STDOUT (FORMAT binary)", rows);
            return rows.toByteArray();
        }
    }

    private static double copySeconds(SyncedFixture fixture, byte[] rows)
            throws SQLException, IOException {
        try (var connection = fixture.postgres().owner().getConnection()) {
            var started = System.nanoTime();
            copy(connection, rows);
            return (System.nanoTime() - started) / 1e9;
        }
    }

    private static void copy(Connection connection, byte[] rows) throws SQLException, IOException {
        connection
                .unwrap(PGConnection.class)
                .getCopyAPI()
                .copyIn(
                        "COPY plain.items FROM STDIN (FORMAT binary)",
                        new ByteArrayInputStream(rows),
                        1 << 16);
    }

    /** Of batches that are made before the clock starts: from handing on until they show. */
    private static double changedRowsPerSecond(SyncedFixture fixture, int seconds)
            throws InterruptedException {
        var limitNanos = TimeUnit.SECONDS.toNanos(Math.min(seconds, MEASURE_SECONDS_MAX));
        var busyNanos = 0L;
        var changed = 0L;
        while (busyNanos < limitNanos) {
            var batches = new ArrayList<Changes>();
            for (int i = 0; i < BATCHES_AT_ONCE; i++) {
                var from = (int) ((changed + (long) i * BATCH_ROWS) % ROWS);
                batches.add(fixture.changes(from, from + BATCH_ROWS));
            }
            var started = System.nanoTime();
            batches.forEach(fixture::publish);
            fixture.awaitBatch();
            busyNanos += System.nanoTime() - started;
            changed += (long) BATCHES_AT_ONCE * BATCH_ROWS;
        }
        return changed / (busyNanos / 1e9);
    }

    /** What readers feel: of the sync, and of a job that empties the table and fills it. */
    private static void readers(
            BenchOptions options, SyncedFixture fixture, byte[] rows, Report.Builder report)
            throws Exception {
        var seconds = Math.min(options.seconds(), MEASURE_SECONDS_MAX);
        try (var connection = fixture.postgres().reader().getConnection()) {
            read(connection, SYNCED, seconds);
            var idle = read(connection, SYNCED, seconds);
            var busy =
                    beside(() -> update(fixture, seconds), () -> read(connection, SYNCED, seconds));
            var refreshed =
                    beside(
                            () -> refresh(fixture, rows, seconds),
                            () -> longestMillis(connection, seconds));
            report.figure("reader_idle_p99_us", idle.p99());
            report.figure("reader_p99_us", busy.p99());
            report.figure("reader_p99_vs_idle", busy.p99() / idle.p99());
            report.figure("reader_longest_ms_of_full_refresh", refreshed);
        }
    }

    private static PointReads read(Connection connection, String table, int seconds)
            throws SQLException {
        return PointReads.of(connection, table, ROWS, seconds);
    }

    private static <T> T beside(Callable<Void> work, Callable<T> measured) throws Exception {
        var task = new FutureTask<>(work);
        var worker = Thread.ofPlatform().start(task);
        var result = measured.call();
        worker.join();
        task.get();
        return result;
    }

    /** Updates hot keys at the stated rate. */
    private static Void update(SyncedFixture fixture, int seconds) throws InterruptedException {
        var batchNanos = TimeUnit.SECONDS.toNanos(1) * HOT_KEYS / UPDATES_PER_SECOND;
        var due = System.nanoTime();
        for (var end = due + TimeUnit.SECONDS.toNanos(seconds); due < end; due += batchNanos) {
            LockSupport.parkNanos(due - System.nanoTime());
            fixture.change(0, HOT_KEYS);
        }
        fixture.awaitBatch();
        return null;
    }

    private static Void refresh(SyncedFixture fixture, byte[] rows, int seconds)
            throws SQLException, IOException {
        var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try (var connection = fixture.postgres().ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            do {
                statement.execute("TRUNCATE plain.items");
                copy(connection, rows);
                connection.commit();
            } while (System.nanoTime() < end);
        }
        return null;
    }

    private static double longestMillis(Connection connection, int seconds) throws SQLException {
        var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        var longest = 0L;
        try (var statement =
                connection.prepareStatement("SELECT * FROM " + PLAIN + " WHERE id = 7")) {
            while (System.nanoTime() < end) {
                var before = System.nanoTime();
                statement.executeQuery().close();
                longest = Math.max(longest, System.nanoTime() - before);
            }
        }
        return longest / 1e6;
    }

    /** Of a small table, most of whose size hot keys could be. */
    private static void soak(BenchOptions options, Report.Builder report)
            throws IOException, SQLException, InterruptedException {
        var size = "SELECT pg_total_relation_size('serving.items')";
        try (var fixture = new SyncedFixture()) {
            fixture.load(SOAK_ROWS);
            var before = number(fixture, size);
            update(fixture, options.seconds());
            report.figure("soak_seconds", options.seconds());
            report.figure("table_bloat_factor", (double) number(fixture, size) / before);
            report.check("every_row_is_there", count(fixture) == SOAK_ROWS);
        }
    }

    private static long count(SyncedFixture fixture) throws SQLException {
        return number(fixture, "SELECT count(*) FROM serving.items");
    }

    private static long number(SyncedFixture fixture, String query) throws SQLException {
        try (var connection = fixture.postgres().owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
