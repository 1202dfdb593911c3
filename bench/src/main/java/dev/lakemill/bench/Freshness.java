package dev.lakemill.bench;

import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Measures, as an independent reader, how long an acknowledged quote takes to be visible.
 *
 * <p>The simulators tell when a sampled quote was acknowledged; this reads {@code
 * serving.live_quotes} over its own connection, again and again, and takes the first time at which
 * the row of that SKU and supplier is that quote or a later one. Both clocks are the machine's.
 */
final class Freshness implements AutoCloseable {
    private static final int PAUSE_MS = 10;
    private static final int SAMPLES_MAX = 1_000_000;
    private static final String QUERY =
            "SELECT sku, supplier_id, quoted_at FROM serving.live_quotes";

    /** An acknowledged quote that nobody has seen in Postgres yet. */
    private record Waiting(String key, long quotedMicros, long ackedMicros) {}

    private final String jdbcUrl;
    private final String user;
    private final Supplier<String> token;
    private final Map<Waiting, Boolean> waiting = new ConcurrentHashMap<>();
    private final List<Double> seenMs = new ArrayList<>();
    private final Thread thread;
    private volatile double lastMs = Double.NaN;
    private volatile boolean closed;

    /**
     * @param token of the user, asked for each connection
     */
    Freshness(String jdbcUrl, String user, Supplier<String> token) {
        this.jdbcUrl = jdbcUrl;
        this.user = user;
        this.token = token;
        this.thread = Thread.ofPlatform().name("freshness").daemon().start(this::read);
    }

    /** A sampled quote was acknowledged. */
    void acknowledged(String sku, String supplier, long quotedMicros, long ackedMicros) {
        if (waiting.size() < SAMPLES_MAX) {
            waiting.put(new Waiting(sku + "/" + supplier, quotedMicros, ackedMicros), true);
        }
    }

    /** The newest measurement, for the live display; NaN before the first. */
    double lastMs() {
        return lastMs;
    }

    /** Milliseconds, ascending; quotes still waiting are in it with their age so far. */
    double[] sorted() {
        synchronized (seenMs) {
            var now = System.currentTimeMillis() * 1e3;
            var unseen = waiting.keySet().stream().mapToDouble(w -> (now - w.ackedMicros()) / 1e3);
            var seen = seenMs.stream().mapToDouble(Double::doubleValue);
            var all = java.util.stream.DoubleStream.concat(seen, unseen).toArray();
            Arrays.sort(all);
            return all;
        }
    }

    static double percentile(double[] sorted, double share) {
        return sorted.length == 0
                ? Double.NaN
                : sorted[(int) Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(5_000);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void read() {
        while (!closed) {
            try (var connection = DriverManager.getConnection(jdbcUrl, user, token.get())) {
                follow(connection);
            } catch (SQLException | LakemillException e) {
                sleep(200);
            }
        }
    }

    private void follow(Connection connection) throws SQLException {
        try (var statement = connection.prepareStatement(QUERY)) {
            while (!closed) {
                var visible = new HashMap<String, Long>();
                try (var rows = statement.executeQuery()) {
                    while (rows.next()) {
                        visible.put(
                                rows.getString(1) + "/" + rows.getString(2),
                                micros(rows.getTimestamp(3)));
                    }
                }
                note(visible, System.currentTimeMillis());
                sleep(PAUSE_MS);
            }
        }
    }

    private void note(Map<String, Long> visible, long nowMs) {
        for (var sample : List.copyOf(waiting.keySet())) {
            var quoted = visible.get(sample.key());
            if (quoted != null && quoted >= sample.quotedMicros()) {
                waiting.remove(sample);
                lastMs = Math.max(0, nowMs - sample.ackedMicros() / 1e3);
                synchronized (seenMs) {
                    seenMs.add(lastMs);
                }
            }
        }
    }

    private static long micros(Timestamp time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time.toInstant());
    }

    private static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
