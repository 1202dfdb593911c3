package dev.lakemill.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Random;

/** Microseconds of point reads by the primary key {@code id}, one after the other. */
record PointReads(double p50, double p99, double perSecond) {
    private static final int READS_MAX = 2_000_000;

    /** Reads rows of ids below {@code rows} at random, by one prepared statement. */
    static PointReads of(Connection connection, String table, int rows, int seconds)
            throws SQLException {
        var random = new Random(7);
        var nanos = new long[READS_MAX];
        int count = 0;
        var started = System.nanoTime();
        try (var statement =
                connection.prepareStatement("SELECT * FROM " + table + " WHERE id = ?")) {
            while (count < nanos.length && System.nanoTime() - started < seconds * 1_000_000_000L) {
                statement.setLong(1, random.nextInt(rows));
                var before = System.nanoTime();
                try (var found = statement.executeQuery()) {
                    if (!found.next()) {
                        throw new IllegalStateException("a row is missing in " + table);
                    }
                }
                nanos[count++] = System.nanoTime() - before;
            }
        }
        var elapsed = (System.nanoTime() - started) / 1e9;
        var sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return new PointReads(
                sorted[count / 2] / 1e3, sorted[(int) (count * 0.99)] / 1e3, count / elapsed);
    }
}
