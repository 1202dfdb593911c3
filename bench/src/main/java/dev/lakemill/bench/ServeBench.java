package dev.lakemill.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Point reads by primary key of ten columns: a synced table against the same rows in a plain table
 * of the same Postgres, in turns, by one prepared statement over one connection of the reader; and
 * the synced table while it changes all the time. Then through the front door ({@link DoorReads}).
 */
final class ServeBench {
    private static final int ROWS = 200_000;

    private ServeBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        try (var fixture = new SyncedFixture()) {
            fixture.load(ROWS);
            copyToPlainTable(fixture);
            try (var connection = fixture.postgres().reader().getConnection()) {
                measure(options, fixture, connection, report);
            }
            DoorReads.measure(options, fixture, ROWS, report);
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
            statement.execute(
                    "CREATE TABLE plain.marks AS SELECT id, id % 7 AS mark, 'note ' || id AS note"
                            + " FROM plain.items ORDER BY id");
            statement.execute("ALTER TABLE plain.marks ADD PRIMARY KEY (id)");
            statement.execute("GRANT SELECT ON plain.marks TO lakemill_reader");
            statement.execute("VACUUM ANALYZE plain.marks");
        }
    }

    private static void measure(
            BenchOptions options,
            SyncedFixture fixture,
            Connection connection,
            Report.Builder report)
            throws SQLException, InterruptedException {
        var plain = new ArrayList<PointReads>();
        var synced = new ArrayList<PointReads>();
        var busy = new ArrayList<PointReads>();
        PointReads.of(connection, "plain.items", ROWS, 1);
        PointReads.of(connection, "serving.items", ROWS, 1);
        for (int round = 0; round < options.rounds(); round++) {
            plain.add(PointReads.of(connection, "plain.items", ROWS, options.seconds()));
            synced.add(PointReads.of(connection, "serving.items", ROWS, options.seconds()));
            busy.add(
                    fixture.whileChanging(
                            () ->
                                    PointReads.of(
                                            connection, "serving.items", ROWS, options.seconds())));
        }
        figures(report, "plain", plain);
        figures(report, "synced", synced);
        figures(report, "synced_while_changing", busy);
        report.figure("point_read_p50_vs_plain", p50(synced) / p50(plain));
        report.figure("point_read_p99_changing_vs_idle", p99(busy) / p99(synced));
        report.check("point_read_p50_within_1_1_of_plain", p50(synced) <= 1.1 * p50(plain));
    }

    private static void figures(Report.Builder report, String name, List<PointReads> reads) {
        report.figure(name + "_p50_us", p50(reads));
        report.figure(name + "_p99_us", p99(reads));
        report.figure(
                name + "_reads_per_second",
                Report.median(reads.stream().map(PointReads::perSecond).toList()));
    }

    private static double p50(List<PointReads> reads) {
        return Report.median(reads.stream().map(PointReads::p50).toList());
    }

    private static double p99(List<PointReads> reads) {
        return Report.median(reads.stream().map(PointReads::p99).toList());
    }
}
