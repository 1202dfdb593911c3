package dev.lakemill.bench;

import java.io.IOException;
import java.io.StringReader;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.postgresql.PGConnection;

/**
 * Rows a second into a synced table of ten columns: the first load from Delta, against a bare COPY
 * of the same rows into a plain table with the same key; and changed rows in batches of 1,000.
 */
final class SyncBench {
    private static final int ROWS = 200_000;
    private static final int CHANGED_ROWS = 1_000;

    private SyncBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        var loads = new ArrayList<Double>();
        var copies = new ArrayList<Double>();
        var changes = new ArrayList<Double>();
        for (int round = 0; round < options.rounds(); round++) {
            try (var fixture = new SyncedFixture()) {
                loads.add(ROWS / fixture.load(ROWS));
                copies.add(ROWS / copySeconds(fixture));
                changes.add(changedRowsPerSecond(fixture, options.seconds()));
                report.check("every_row_is_there", count(fixture) == ROWS);
            }
        }
        report.figure("first_load_rows_per_second", median(loads));
        report.figure("bare_copy_rows_per_second", median(copies));
        report.figure("first_load_vs_bare_copy", median(loads) / median(copies));
        report.figure("changed_rows_per_second", median(changes));
        return report.build();
    }

    /** COPY in text form of the rows that stand in the synced table. */
    private static double copySeconds(SyncedFixture fixture) throws SQLException, IOException {
        try (var connection = fixture.postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE TABLE public.bare (LIKE serving.items INCLUDING ALL)");
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            var text = new java.io.StringWriter();
            copy.copyOut("COPY serving.items TO STDOUT", text);
            var started = System.nanoTime();
            copy.copyIn("COPY public.bare FROM STDIN", new StringReader(text.toString()));
            return (System.nanoTime() - started) / 1e9;
        }
    }

    private static double changedRowsPerSecond(SyncedFixture fixture, int seconds)
            throws InterruptedException {
        var started = System.nanoTime();
        long changed = 0;
        while (System.nanoTime() - started < seconds * 1_000_000_000L) {
            var from = (int) (changed % ROWS);
            fixture.change(from, from + CHANGED_ROWS);
            changed += CHANGED_ROWS;
            if (changed % (8 * CHANGED_ROWS) == 0) {
                fixture.awaitBatch();
            }
        }
        fixture.awaitBatch();
        return changed / ((System.nanoTime() - started) / 1e9);
    }

    private static long count(SyncedFixture fixture) throws SQLException {
        try (var connection = fixture.postgres().reader().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM serving.items")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static double median(List<Double> values) {
        var sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(sorted.size() / 2);
    }
}
