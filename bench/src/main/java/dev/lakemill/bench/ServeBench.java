package dev.lakemill.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Point reads by primary key of ten columns: a synced table against the same rows in a plain table
 * of the same Postgres, in turns, by one prepared statement over one connection of the reader; and
 * the synced table while it changes all the time.
 */
final class ServeBench {
    private static final int ROWS = 200_000;
    private static final int CHANGED_ROWS = 100;

    /** Microseconds of one measurement. */
    private record Reads(double p50, double p99, double perSecond) {}

    private ServeBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        try (var fixture = new SyncedFixture()) {
            fixture.load(ROWS);
            copyToPlainTable(fixture);
            try (var connection = fixture.postgres().reader().getConnection()) {
                measure(options, fixture, connection, report);
            }
        }
        return report.build();
    }

    private static void copyToPlainTable(SyncedFixture fixture) throws SQLException {
        try (var connection = fixture.postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA plain");
            statement.execute(
                    "CREATE TABLE plain.items AS SELECT * FROM serving.items ORDER BY id");
            statement.execute("ALTER TABLE plain.items ADD PRIMARY KEY (id)");
            statement.execute("GRANT USAGE ON SCHEMA plain TO lakemill_reader");
            statement.execute("GRANT SELECT ON plain.items TO lakemill_reader");
            statement.execute("VACUUM ANALYZE plain.items");
            statement.execute("VACUUM ANALYZE serving.items");
        }
    }

    private static void measure(
            BenchOptions options,
            SyncedFixture fixture,
            Connection connection,
            Report.Builder report)
            throws SQLException, InterruptedException {
        var plain = new ArrayList<Reads>();
        var synced = new ArrayList<Reads>();
        var busy = new ArrayList<Reads>();
        read(connection, "plain.items", 1);
        read(connection, "serving.items", 1);
        for (int round = 0; round < options.rounds(); round++) {
            plain.add(read(connection, "plain.items", options.seconds()));
            synced.add(read(connection, "serving.items", options.seconds()));
            busy.add(readWhileChanging(options, fixture, connection));
        }
        figures(report, "plain", plain);
        figures(report, "synced", synced);
        figures(report, "synced_while_changing", busy);
        report.figure("point_read_p50_vs_plain", p50(synced) / p50(plain));
        report.figure("point_read_p99_changing_vs_idle", p99(busy) / p99(synced));
        report.check("point_read_p50_within_1_1_of_plain", p50(synced) <= 1.1 * p50(plain));
    }

    private static Reads readWhileChanging(
            BenchOptions options, SyncedFixture fixture, Connection connection)
            throws SQLException, InterruptedException {
        var writer =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        while (!Thread.interrupted()) {
                                            fixture.change(0, CHANGED_ROWS);
                                            Thread.sleep(100);
                                        }
                                    } catch (InterruptedException _) {
                                        Thread.currentThread().interrupt();
                                    }
                                });
        try {
            return read(connection, "serving.items", options.seconds());
        } finally {
            writer.interrupt();
            writer.join();
            fixture.awaitBatch();
        }
    }

    private static Reads read(Connection connection, String table, int seconds)
            throws SQLException {
        var random = new Random(7);
        var nanos = new long[2_000_000];
        int count = 0;
        var started = System.nanoTime();
        try (var statement =
                connection.prepareStatement("SELECT * FROM " + table + " WHERE id = ?")) {
            while (count < nanos.length && System.nanoTime() - started < seconds * 1_000_000_000L) {
                statement.setLong(1, random.nextInt(ROWS));
                var before = System.nanoTime();
                try (var rows = statement.executeQuery()) {
                    if (!rows.next()) {
                        throw new IllegalStateException("a row is missing in " + table);
                    }
                }
                nanos[count++] = System.nanoTime() - before;
            }
        }
        var elapsed = (System.nanoTime() - started) / 1e9;
        var sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return new Reads(
                sorted[count / 2] / 1e3, sorted[(int) (count * 0.99)] / 1e3, count / elapsed);
    }

    private static void figures(Report.Builder report, String name, List<Reads> reads) {
        report.figure(name + "_p50_us", p50(reads));
        report.figure(name + "_p99_us", p99(reads));
        report.figure(
                name + "_reads_per_second", median(reads.stream().map(Reads::perSecond).toList()));
    }

    private static double p50(List<Reads> reads) {
        return median(reads.stream().map(Reads::p50).toList());
    }

    private static double p99(List<Reads> reads) {
        return median(reads.stream().map(Reads::p99).toList());
    }

    private static double median(List<Double> values) {
        var sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 2);
    }
}
