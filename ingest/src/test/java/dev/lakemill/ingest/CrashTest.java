package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import dev.lakemill.wal.LogConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The process dies at every kind of step, several times over: each acknowledged row stands in
 * Bronze exactly once, each other row once at most, in the order of its stream.
 */
@Timeout(300)
@ExtendWith(QuietLogs.class)
final class CrashTest {
    private static final String DEMAND = "farm.bronze.demand";
    private static final String PRICES = "farm.bronze.prices";
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("filler", Primitive.STRING));
    private static final LogConfig SMALL_LOG = new LogConfig(64 << 10, 1 << 20, 48 << 10, 16 << 10);
    private static final int ROWS_PER_LIFE = 200;
    private static final StreamOptions QUICK =
            StreamOptions.DEFAULT.withReconnects(
                    StreamOptions.RECONNECT_FOR_EVER, Duration.ofMillis(2), Duration.ofMillis(20));
    private static final StreamOptions NEVER_AGAIN =
            StreamOptions.DEFAULT.withReconnects(0, Duration.ofMillis(1), Duration.ofMillis(1));

    @TempDir private Path folder;

    /** Per table: the rows sent, in order, and those acknowledged. */
    private final Map<String, List<String>> sent = new ConcurrentHashMap<>();

    private final Map<String, List<String>> acknowledged = new ConcurrentHashMap<>();

    static Stream<Long> seeds() {
        return Stream.iterate(1L, seed -> seed + 1).limit(15);
    }

    static Stream<Long> fewSeeds() {
        return seeds().limit(6);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyAcknowledgedRowStandsInBronzeExactlyOnce(long seed) throws Exception {
        var random = new Random(seed);
        var node = new Node(folder).table(DEMAND, SCHEMA).table(PRICES, SCHEMA);
        var landing =
                LandingConfig.DEFAULT
                        .with(Duration.ofMillis(1 + random.nextInt(20)), 2 << 10, 64 << 10)
                        .withWaits(
                                Duration.ofMillis(2), Duration.ofMillis(20), Duration.ofSeconds(5))
                        .withMaintenance(7, Duration.ZERO, Duration.ofDays(1));
        node.with(node.config().withLog(SMALL_LOG).withLanding(landing));
        for (int life = 0; life < 4; life++) {
            var crash = new Crash(1 + random.nextInt(120), random.nextBoolean());
            node.with(crash, crash);
            try (node) {
                node.open().listen();
                sendUntilDead(node, crash, life, random.nextLong());
            } catch (LakemillException e) {
                assertThat(crash.isDead()).as(e.toString()).isTrue();
            }
        }
        node.with(Disk.real(), Bronze::of).open();
        node.close();
        node.open();
        check(node, DEMAND);
        check(node, PRICES);
        node.close();
    }

    @ParameterizedTest
    @MethodSource("fewSeeds")
    void aProducerThatReconnectsDoublesOnlyWhatItSaysItSentAgain(long seed) throws Exception {
        var random = new Random(seed);
        var node = new Node(folder).table(DEMAND, SCHEMA);
        var landing =
                LandingConfig.DEFAULT
                        .with(Duration.ofMillis(1 + random.nextInt(20)), 2 << 10, 64 << 10)
                        .withWaits(
                                Duration.ofMillis(2), Duration.ofMillis(20), Duration.ofSeconds(5));
        var grpc = node.config().grpc().withAddress("127.0.0.1", freePort());
        node.with(node.config().withLog(SMALL_LOG).withLanding(landing).withGrpc(grpc));
        var resent = ConcurrentHashMap.<Long>newKeySet();
        var observer =
                new ProducerObserver() {
                    @Override
                    public void resent(long first, long last, long rows) {
                        for (long offset = first; offset <= last; offset++) {
                            resent.add(offset);
                        }
                    }
                };
        var endpoint = Endpoint.plaintext("127.0.0.1", grpc.port());
        try (var client = ProducerClient.connect(endpoint, () -> "token");
                var stream =
                        client.open(TableName.parse(DEMAND), RecordFormat.JSON, QUICK, observer)) {
            for (int life = 0; life < 5; life++) {
                var crash = new Crash(1 + random.nextInt(60), random.nextBoolean());
                live(node.with(crash, crash), crash, stream, life);
            }
            live(node.with(Disk.real(), Bronze::of), new Crash(1, true), stream, 5);
            assertThat(stream.inFlightRows()).isZero();
        }
        node.open();
        var times = new HashMap<String, Integer>();
        node.firsts(DEMAND).forEach(id -> times.merge(id, 1, Integer::sum));
        assertThat(times).hasSize(6 * ROWS_PER_LIFE);
        times.forEach(
                (id, count) -> {
                    if (count > 1) {
                        assertThat(resent).contains(Long.parseLong(id));
                    }
                });
        node.close();
    }

    /** Sends some rows; the node dies of them, or has all of them acknowledged. */
    private static void live(Node node, Crash crash, ProducerStream stream, int life) {
        try (node) {
            node.open().listen();
            for (int i = 0; i < ROWS_PER_LIFE; i++) {
                int id = life * ROWS_PER_LIFE + i;
                stream.ingestJson("{\"event_id\":\"" + id + "\"}");
            }
            Node.await(
                    "death, or all acknowledged",
                    () -> crash.isDead() || stream.inFlightRows() == 0);
        } catch (LakemillException e) {
            assertThat(crash.isDead()).as(e.toString()).isTrue();
            for (int i = 0; i < ROWS_PER_LIFE; i++) {
                int id = life * ROWS_PER_LIFE + i;
                stream.ingestJson("{\"event_id\":\"" + id + "\"}");
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void sendUntilDead(Node node, Crash crash, int life, long seed)
            throws InterruptedException {
        var threads = new ArrayList<Thread>();
        for (var table : List.of(DEMAND, PRICES)) {
            var random = new Random(seed + table.hashCode());
            threads.add(Thread.startVirtualThread(() -> send(node, crash, table, life, random)));
        }
        for (var thread : threads) {
            thread.join();
        }
    }

    private void send(Node node, Crash crash, String table, int life, Random random) {
        var inOrder = sent.computeIfAbsent(table, _ -> new ArrayList<>());
        var acks = acknowledged.computeIfAbsent(table, _ -> new ArrayList<>());
        var ofLife = new ArrayList<List<String>>();
        try (var client = node.client()) {
            var stream =
                    client.open(
                            TableName.parse(table),
                            RecordFormat.JSON,
                            NEVER_AGAIN,
                            ProducerObserver.NONE);
            try {
                for (int i = 0; i < 300 && !crash.isDead(); i++) {
                    var ids = new ArrayList<String>();
                    for (int row = random.nextInt(5); row >= 0; row--) {
                        ids.add(life + "-" + i + "-" + row);
                    }
                    ofLife.add(ids);
                    inOrder.addAll(ids);
                    var filler = "x".repeat(random.nextInt(700));
                    stream.ingestJsonBatch(
                            ids.stream()
                                    .map(
                                            id ->
                                                    "{\"event_id\":\"%s\",\"filler\":\"%s\"}"
                                                            .formatted(id, filler))
                                    .toList());
                    if (random.nextInt(20) == 0) {
                        stream.flush(Node.WAIT);
                    }
                }
                stream.close();
            } catch (LakemillException e) {
                assertThat(crash.isDead()).as(e.toString()).isTrue();
            }
            for (int offset = 0; offset <= stream.ackedOffset(); offset++) {
                acks.addAll(ofLife.get(offset));
            }
        }
    }

    private void check(Node node, String table) {
        var stored = node.firsts(table);
        assertThat(stored).doesNotHaveDuplicates();
        assertThat(stored).containsAll(acknowledged.getOrDefault(table, List.of()));
        var there = new HashSet<>(stored);
        assertThat(sent.getOrDefault(table, List.of()).stream().filter(there::contains).toList())
                .isEqualTo(stored);
        assertThat(node.status(table).error()).isNull();
    }
}
