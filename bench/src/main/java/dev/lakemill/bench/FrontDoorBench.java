package dev.lakemill.bench;

import dev.lakemill.postgres.FrontDoor;
import dev.lakemill.postgres.FrontDoorAudit;
import dev.lakemill.postgres.FrontDoorConfig;
import dev.lakemill.postgres.FrontDoorLogin;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import java.net.InetSocketAddress;
import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/**
 * Point reads by primary key of ten columns by pgjdbc, through the front door and directly: both by
 * TCP on loopback without TLS, the door's own way to Postgres being its Unix socket. Through the
 * door with TLS is told beside it, and a raw {@link Relay}: what a process between adds on this
 * machine though it does nothing. Rounds are interleaved.
 */
final class FrontDoorBench {
    private static final int ROWS = 100_000;
    private static final int CLIENTS = 32;
    private static final int SAMPLES_MAX = 1_000_000;
    private static final int WARM_UP_SECONDS = 3;
    private static final long TURN_NANOS = 20_000_000;
    private static final String READER = Postgres.READER_ROLE;
    private static final double ADDED_MICROS_MAX = 15;
    private static final double QPS_SHARE_MIN = 0.75;

    /** Whoever comes is the reader: what is measured begins after the login. */
    private static FrontDoorLogin anyone(String user, String password, InetSocketAddress peer) {
        return new FrontDoorLogin(user, user, password, Instant.MAX, false, () -> true);
    }

    /** A way to Postgres, and its results by round. */
    private record Way(
            String name, String url, List<Double> p50Micros, List<Double> readsPerSecond) {
        Way(String name, String url) {
            this(name, url, new ArrayList<>(), new ArrayList<>());
        }

        Connection connect() throws SQLException {
            return DriverManager.getConnection(url);
        }
    }

    private FrontDoorBench() {}

    static Report run(BenchOptions options) throws Exception {
        var folder = Folders.temporary("lakemill-bench-door");
        var config = PostgresConfig.embedded(folder.resolve("postgres"), 0);
        try (var postgres = Postgres.start(config);
                var door =
                        FrontDoor.open(
                                postgres,
                                FrontDoorConfig.local(folder, 0, CLIENTS + 8),
                                FrontDoorBench::anyone,
                                FrontDoorAudit.NONE);
                var relay =
                        new Relay(URI.create(postgres.readerJdbcUrl().substring(5)).getPort())) {
            load(postgres);
            var byDoor = "jdbc:postgresql://127.0.0.1:%d/lakemill?user=%s&password=x&sslmode=%s";
            var direct = new Way("direct", postgres.readerJdbcUrl() + "&sslmode=disable");
            var through = new Way("door", byDoor.formatted(door.port(), READER, "disable"));
            var encrypted = new Way("door_tls", byDoor.formatted(door.port(), READER, "require"));
            var relayed =
                    new Way(
                            "relay",
                            postgres.readerJdbcUrl("127.0.0.1:" + relay.port())
                                    + "&sslmode=disable");
            measure(options, List.of(direct, through, encrypted, relayed));
            return report(direct, through, encrypted, relayed);
        } finally {
            Folders.delete(folder);
        }
    }

    private static void load(Postgres postgres) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(
                    """
                    CREATE SCHEMA bench;
                    CREATE TABLE bench.items AS
                        SELECT id, id * 3 AS a, id * 5 AS b, id / 7.0::float8 AS c,
                            id / 11.0::float8 AS d, 'name ' || id AS e, 'place ' || id AS f,
                            now() AS g, id > 9 AS h, md5(id::text) AS i
                        FROM generate_series(0, %d) AS id;
                    ALTER TABLE bench.items ADD PRIMARY KEY (id);
                    GRANT USAGE ON SCHEMA bench TO %s;
                    GRANT SELECT ON bench.items TO %s;
                    """
                            .formatted(ROWS - 1, READER, READER));
            statement.execute("VACUUM ANALYZE bench.items");
        }
    }

    private static void measure(BenchOptions options, List<Way> ways)
            throws SQLException, InterruptedException, ExecutionException {
        p50Micros(ways, WARM_UP_SECONDS);
        for (int round = 0; round < options.rounds(); round++) {
            var p50Micros = p50Micros(ways, options.seconds());
            for (int i = 0; i < ways.size(); i++) {
                ways.get(i).p50Micros().add(p50Micros.get(i));
            }
            for (int i = 0; i < ways.size(); i++) {
                var way = ways.get((i + round) % ways.size());
                way.readsPerSecond().add(readsPerSecond(way, options.seconds()));
            }
            for (var way : ways) {
                System.err.printf(
                        "round %d, %s: p50 %.1f us, %d clients %,.0f reads/s%n",
                        round + 1,
                        way.name(),
                        way.p50Micros().getLast(),
                        CLIENTS,
                        way.readsPerSecond().getLast());
            }
        }
    }

    /** Of one client by each way: the ways take short turns, so that all see the same machine. */
    private static List<Double> p50Micros(List<Way> ways, int seconds) throws SQLException {
        var samples = new ArrayList<Samples>();
        try {
            for (var way : ways) {
                samples.add(new Samples(way));
            }
            var end = System.nanoTime() + 1_000_000_000L * seconds * ways.size();
            while (System.nanoTime() < end) {
                for (var one : samples) {
                    one.turn();
                }
            }
            return samples.stream().map(Samples::p50Micros).toList();
        } finally {
            for (var one : samples) {
                one.close();
            }
        }
    }

    /** One client's times. */
    private static final class Samples implements AutoCloseable {
        private final Connection connection;
        private final Reads reads;
        private final long[] nanos = new long[SAMPLES_MAX];
        private int count;

        Samples(Way way) throws SQLException {
            connection = way.connect();
            reads = new Reads(connection, 7);
        }

        void turn() throws SQLException {
            var before = System.nanoTime();
            var end = before + TURN_NANOS;
            while (before < end && count < SAMPLES_MAX) {
                reads.next();
                var after = System.nanoTime();
                nanos[count++] = after - before;
                before = after;
            }
        }

        double p50Micros() {
            Arrays.sort(nanos, 0, count);
            return nanos[count / 2] / 1e3;
        }

        @Override
        public void close() throws SQLException {
            reads.close();
            connection.close();
        }
    }

    private static double readsPerSecond(Way way, int seconds)
            throws InterruptedException, ExecutionException {
        var begin = new CyclicBarrier(CLIENTS);
        try (var threads = Executors.newFixedThreadPool(CLIENTS)) {
            var counts = new ArrayList<Future<Double>>();
            for (int client = 0; client < CLIENTS; client++) {
                int seed = client;
                counts.add(
                        threads.submit(
                                () -> {
                                    try (var connection = way.connect();
                                            var reads = new Reads(connection, seed)) {
                                        reads.next();
                                        begin.await();
                                        return reads.perSecond(seconds);
                                    }
                                }));
            }
            double sum = 0;
            for (var count : counts) {
                sum += count.get();
            }
            return sum;
        }
    }

    /** One client's prepared statement. */
    private static final class Reads implements AutoCloseable {
        private final Random random;
        private final PreparedStatement statement;

        Reads(Connection connection, int seed) throws SQLException {
            random = new Random(seed);
            statement = connection.prepareStatement("SELECT * FROM bench.items WHERE id = ?");
        }

        void next() throws SQLException {
            statement.setInt(1, random.nextInt(ROWS));
            try (var rows = statement.executeQuery()) {
                if (!rows.next()) {
                    throw new IllegalStateException("a row is missing");
                }
            }
        }

        double perSecond(int seconds) throws SQLException {
            var began = System.nanoTime();
            var end = began + seconds * 1_000_000_000L;
            long count = 0;
            while (System.nanoTime() < end) {
                next();
                count++;
            }
            return count / ((System.nanoTime() - began) / 1e9);
        }

        @Override
        public void close() throws SQLException {
            statement.close();
        }
    }

    private static Report report(Way direct, Way through, Way encrypted, Way relayed) {
        var report = new Report.Builder();
        var added = Report.median(differences(through.p50Micros(), direct.p50Micros()));
        var share =
                Report.median(through.readsPerSecond()) / Report.median(direct.readsPerSecond());
        report.check("p50_added_us_1_at_most_15", added <= ADDED_MICROS_MAX);
        report.check("qps_vs_direct_32_at_least_0_75", share >= QPS_SHARE_MIN);
        report.figure("p50_added_us_1", added);
        report.figure("qps_vs_direct_32", share);
        report.figure(
                "relay_added_us_1",
                Report.median(differences(relayed.p50Micros(), direct.p50Micros())));
        for (var way : List.of(direct, through, encrypted, relayed)) {
            report.figure(way.name() + "_p50_us_1", Report.median(way.p50Micros()));
            report.figure(way.name() + "_reads_per_second_32", Report.median(way.readsPerSecond()));
        }
        return report.build();
    }

    private static List<Double> differences(List<Double> more, List<Double> less) {
        return IntStream.range(0, more.size()).mapToObj(i -> more.get(i) - less.get(i)).toList();
    }
}
