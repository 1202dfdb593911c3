package dev.lakemill.bench;

import dev.lakemill.postgres.FrontDoor;
import dev.lakemill.postgres.FrontDoorAudit;
import dev.lakemill.postgres.FrontDoorConfig;
import dev.lakemill.postgres.FrontDoorLogin;
import dev.lakemill.postgres.Postgres;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/**
 * What 16 clients see through the front door while the synced table changes all the time: point
 * reads by key, and a join of 30 keys of the synced table with an application's own table. The same
 * of a plain table, which does not change, in turns.
 *
 * <p>A client reads {@value #READS_PER_SECOND} times a second, as pages do, so that what is timed
 * is the read and not a queue of this machine's own clients before its two cores.
 */
final class DoorReads {
    private static final int CLIENTS = 16;
    private static final int KEYS = 30;
    private static final int READS_PER_SECOND = 50;
    private static final long PAUSE_NANOS = 1_000_000_000L / READS_PER_SECOND;
    private static final double POINT_READ_P99_MILLIS_MAX = 2;
    private static final double FANOUT_P99_MILLIS_MAX = 5;

    /** Whoever comes is the reader: what is measured begins after the login. */
    private static FrontDoorLogin anyone(String user, String password, InetSocketAddress peer) {
        return new FrontDoorLogin(user, user, password, Instant.MAX, false, () -> true);
    }

    private DoorReads() {}

    static void measure(
            BenchOptions options, SyncedFixture fixture, int rows, Report.Builder report)
            throws IOException, SQLException, InterruptedException {
        var folder = Folders.temporary("lakemill-bench-door");
        try (var door =
                FrontDoor.open(
                        fixture.postgres(),
                        FrontDoorConfig.local(folder, 0, CLIENTS + 8),
                        DoorReads::anyone,
                        FrontDoorAudit.NONE)) {
            var url =
                    "jdbc:postgresql://127.0.0.1:%d/lakemill?user=%s&password=x&sslmode=disable"
                            .formatted(door.port(), Postgres.READER_ROLE);
            var synced = new Measured();
            var plain = new Measured();
            run(url, "plain.items", rows, 1);
            for (int round = 0; round < options.rounds(); round++) {
                plain.add(run(url, "plain.items", rows, options.seconds()));
                synced.add(
                        fixture.whileChanging(
                                () -> run(url, "serving.items", rows, options.seconds())));
            }
            synced.report(report, "");
            plain.report(report, "plain_");
            report.check(
                    "point_read_p99_ms_16_at_most_2",
                    Report.median(synced.point()) <= POINT_READ_P99_MILLIS_MAX);
            report.check(
                    "fanout30_p99_ms_at_most_5",
                    Report.median(synced.fanout()) <= FANOUT_P99_MILLIS_MAX);
        } finally {
            Folders.delete(folder);
        }
    }

    /** The p99 of each round, in milliseconds. */
    private record Measured(List<Double> point, List<Double> fanout, List<Double> flatOut) {
        Measured() {
            this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        void add(P99 round) {
            point.add(round.pointMillis());
            fanout.add(round.fanoutMillis());
            flatOut.add(round.flatOutMillis());
        }

        void report(Report.Builder report, String prefix) {
            report.figure(prefix + "point_read_p99_ms_16", Report.median(point));
            report.figure(prefix + "fanout30_p99_ms", Report.median(fanout));
            report.figure(prefix + "point_read_p99_ms_16_flat_out", Report.median(flatOut));
        }
    }

    private record P99(double pointMillis, double fanoutMillis, double flatOutMillis) {}

    /** What each client does; without a pause it asks again as soon as it is answered. */
    private record Load(
            String url, String sql, int rows, int seconds, boolean fanout, long pauseNanos) {}

    private static P99 run(String url, String table, int rows, int seconds)
            throws InterruptedException {
        var point = "SELECT * FROM %s WHERE id = ?".formatted(table);
        var fanout =
                """
                SELECT i.*, m.mark, m.note AS marked FROM unnest(?::bigint[]) k
                JOIN %s i ON i.id = k JOIN plain.marks m ON m.id = i.id
                """
                        .formatted(table);
        return new P99(
                p99(clients(new Load(url, point, rows, seconds, false, PAUSE_NANOS))),
                p99(clients(new Load(url, fanout, rows, seconds, true, PAUSE_NANOS))),
                p99(clients(new Load(url, point, rows, seconds, false, 0))));
    }

    /** Milliseconds of every read of all clients. */
    private static List<Double> clients(Load load) throws InterruptedException {
        var start = new CyclicBarrier(CLIENTS);
        try (var threads = Executors.newFixedThreadPool(CLIENTS)) {
            var clients = new ArrayList<Callable<List<Double>>>();
            for (int seed = 0; seed < CLIENTS; seed++) {
                var random = new Random(seed);
                clients.add(() -> client(load, random, start));
            }
            var all = new ArrayList<Double>();
            for (var client : threads.invokeAll(clients)) {
                all.addAll(client.get());
            }
            return all;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a client failed", e.getCause());
        }
    }

    private static List<Double> client(Load load, Random random, CyclicBarrier start)
            throws Exception {
        var millis = new ArrayList<Double>();
        try (var connection = DriverManager.getConnection(load.url());
                var statement = connection.prepareStatement(load.sql())) {
            for (int i = 0; i < 10; i++) {
                read(connection, statement, load, random);
            }
            start.await();
            var next = System.nanoTime() + random.nextLong(load.pauseNanos() + 1);
            var end = System.nanoTime() + load.seconds() * 1_000_000_000L;
            while (next < end) {
                while (System.nanoTime() < next) {
                    LockSupport.parkNanos(next - System.nanoTime());
                }
                var before = System.nanoTime();
                read(connection, statement, load, random);
                millis.add((System.nanoTime() - before) / 1e6);
                next = Math.max(next + load.pauseNanos(), System.nanoTime());
            }
        }
        return millis;
    }

    private static void read(
            Connection connection, PreparedStatement statement, Load load, Random random)
            throws SQLException {
        var wanted = load.fanout() ? KEYS : 1;
        if (load.fanout()) {
            var keys = random.ints(0, load.rows()).distinct().limit(KEYS).boxed().toArray();
            statement.setArray(1, connection.createArrayOf("bigint", keys));
        } else {
            statement.setLong(1, random.nextInt(load.rows()));
        }
        try (var found = statement.executeQuery()) {
            for (int i = 0; i < wanted; i++) {
                if (!found.next()) {
                    throw new IllegalStateException(
                            "rows are missing: " + Arrays.asList(i, wanted));
                }
            }
        }
    }

    private static double p99(List<Double> millis) {
        var sorted = millis.stream().sorted().toList();
        return sorted.get((int) (sorted.size() * 0.99));
    }
}
