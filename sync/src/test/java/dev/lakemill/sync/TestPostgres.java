package dev.lakemill.sync;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One Postgres for all tests of this JVM; each test has pipelines and schemas of its own. */
final class TestPostgres {
    private static final AtomicInteger TESTS = new AtomicInteger();
    private static final Postgres POSTGRES = start();
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

    /** For tests that bring about what a sync is to leave alone for a while. */
    static final Patience SOON =
            new Patience(TimeUnit.SECONDS.toNanos(1), TimeUnit.SECONDS.toNanos(3));

    interface Condition {
        boolean holds() throws SQLException;
    }

    private TestPostgres() {}

    private static Postgres start() {
        try {
            var folder = Files.createTempDirectory("lakemill-sync-test-");
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
            var postgres = Postgres.start(config(folder.resolve("pg")));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(postgres, folder)));
            return postgres;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The Postgres that we bring, or another whose folder with {@code postgres} and {@code initdb}
     * is in {@code lakemill.test.postgres.bin}: all tests run on that then.
     */
    static PostgresConfig config(Path folder) {
        var bin = System.getProperty("lakemill.test.postgres.bin", "");
        return new PostgresConfig(null, folder, bin.isEmpty() ? null : Path.of(bin), 0, "", 60);
    }

    private static void stop(Postgres postgres, Path folder) {
        postgres.close();
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Postgres postgres() {
        return POSTGRES;
    }

    /** A name that no other test has. */
    static String uniqueName(String prefix) {
        return prefix + TESTS.incrementAndGet();
    }

    static void kill() {
        POSTGRES.pid()
                .ifPresent(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }

    private interface Work<T> {
        T with(Connection connection) throws SQLException;
    }

    static void execute(String... commands) throws SQLException {
        for (var command : commands) {
            connected(
                    connection -> {
                        try (var statement = connection.createStatement()) {
                            return statement.execute(command);
                        }
                    });
        }
    }

    /** All rows as lists of texts, NULL as null. */
    static List<List<@Nullable String>> query(String sql) throws SQLException {
        return connected(connection -> query(connection, sql));
    }

    /**
     * A Postgres that was killed, by this test or by the one before, is asked again: the pool may
     * still hand out a connection that is about to die.
     */
    private static <T> T connected(Work<T> work) throws SQLException {
        var deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try (var connection = POSTGRES.owner().getConnection()) {
                return work.with(connection);
            } catch (SQLException e) {
                var state = Objects.requireNonNullElse(e.getSQLState(), "");
                var lost = state.startsWith("08") || state.startsWith("57P");
                if (!lost || System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(50_000_000);
            }
        }
    }

    static List<List<@Nullable String>> query(Connection connection, String sql)
            throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var found = new ArrayList<List<@Nullable String>>();
            while (rows.next()) {
                var row = new ArrayList<@Nullable String>();
                for (var i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    row.add(rows.getString(i));
                }
                found.add(row);
            }
            return found;
        }
    }

    /** The first column of the first row; empty text for NULL or no row. */
    static String ask(String sql) throws SQLException {
        var rows = query(sql);
        var value = rows.isEmpty() ? null : rows.getFirst().getFirst();
        return value == null ? "" : value;
    }

    /** Until it holds, at most two minutes; Postgres may be away meanwhile. */
    static void await(String what, Condition condition) throws SQLException {
        var deadline = System.nanoTime() + PATIENCE_NANOS;
        while (true) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (SQLException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain until " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }
}
