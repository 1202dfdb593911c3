package dev.lakemill.bench;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A Postgres with tables {@code app.paced}, {@code app.many} and {@code app.hot}, and their load.
 */
final class CaptureLoad implements AutoCloseable {
    static final int HOT_KEYS = 1_000;

    private static final int ROWS_A_TRANSACTION = 1_000;
    private static final int PACE_MILLIS = 5;
    private static final long WAIT_NANOS_MAX = 300_000_000_000L;

    /** Whoever follows the tables. */
    interface Follower {
        /** How many changes of a table have come. */
        long rows(String table);

        /** Whether all that Postgres's log has up to a place is dealt with. */
        boolean isPast(long lsn) throws SQLException;
    }

    private final Path folder = Folders.temporary("lakemill-bench");
    private final Postgres postgres;
    private long manyChanges;

    CaptureLoad() throws IOException, SQLException {
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
    }

    Postgres postgres() {
        return postgres;
    }

    /** Of Postgres's owner, {@code lakemill}. */
    String ownerPassword() throws IOException {
        return Files.readString(folder.resolve("postgres/owner.secret")).strip();
    }

    long manyChanges() {
        return manyChanges;
    }

    /** Milliseconds of each paced commit until it has come. */
    List<Double> latencies(int seconds, Follower follower)
            throws SQLException, InterruptedException {
        var committed = new ArrayList<Long>();
        var latencies = new ArrayList<Double>();
        var end = System.nanoTime() + seconds * 1_000_000_000L;
        try (var connection = postgres.ownerUnpooled().getConnection();
                var insert = connection.prepareStatement("INSERT INTO app.paced VALUES (?, 1)")) {
            while (System.nanoTime() < end) {
                insert.setLong(1, committed.size());
                insert.executeUpdate();
                committed.add(System.nanoTime());
                note(follower, committed, latencies);
                Thread.sleep(PACE_MILLIS);
            }
        }
        while (latencies.size() < committed.size()) {
            if (System.nanoTime() > end + WAIT_NANOS_MAX) {
                throw new IllegalStateException("only %d rows came".formatted(latencies.size()));
            }
            note(follower, committed, latencies);
            Thread.sleep(PACE_MILLIS);
        }
        return latencies;
    }

    private static void note(Follower follower, List<Long> committed, List<Double> latencies) {
        var rows = follower.rows("paced");
        var now = System.nanoTime();
        while (latencies.size() < rows) {
            latencies.add((now - committed.get(latencies.size())) / 1e6);
        }
    }

    /** From the first insert until all of them have come. */
    double changesPerSecond(int seconds, Follower follower)
            throws SQLException, InterruptedException {
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
        await("many", manyChanges, follower);
        return manyChanges / ((System.nanoTime() - started) / 1e9);
    }

    /** Updates the rows of {@code app.hot}; returns how many updates that were. */
    long updateHotKeys(int seconds) throws SQLException {
        var started = System.nanoTime();
        long changes = 0;
        try (var connection = postgres.ownerUnpooled().getConnection()) {
            for (int i = 0; System.nanoTime() - started < seconds * 1_000_000_000L; i++) {
                execute(
                        connection,
                        "UPDATE app.hot SET n = n + 1 WHERE id %% 100 = %d".formatted(i % 100));
                changes += HOT_KEYS / 100;
            }
        }
        return changes;
    }

    /** Until that many changes of a table have come. */
    void await(String table, long changes, Follower follower)
            throws SQLException, InterruptedException {
        var end = System.nanoTime() + WAIT_NANOS_MAX;
        var lsn = Long.parseLong(ask("SELECT (pg_current_wal_lsn() - '0/0')::bigint"));
        while (follower.rows(table) < changes || !follower.isPast(lsn)) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("changes of %s do not come".formatted(table));
            }
            Thread.sleep(2);
        }
    }

    void execute(String... commands) throws SQLException {
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

    String ask(String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return String.valueOf(rows.getString(1));
        }
    }

    @Override
    public void close() throws IOException {
        postgres.close();
        Folders.delete(folder);
    }
}
