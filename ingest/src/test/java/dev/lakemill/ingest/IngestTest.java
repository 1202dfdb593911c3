package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DynamicMessage;
import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole way, from the producer client to the feed and to Delta. */
@Timeout(300)
final class IngestTest {
    private static final String DEMAND = "farm.bronze.demand";
    private static final String PRICES = "farm.bronze.prices";
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER));
    private static final TableSchema PRICE_SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.LONG),
                    Column.required("at", Primitive.TIMESTAMP),
                    Column.nullable("price", new DataType.Decimal(12, 4)));
    private static final StreamOptions QUICK =
            StreamOptions.DEFAULT.withReconnects(
                    StreamOptions.RECONNECT_FOR_EVER, Duration.ofMillis(5), Duration.ofMillis(50));

    @TempDir private Path folder;

    private Node node() {
        return new Node(folder.resolve("node")).table(DEMAND, SCHEMA).table(PRICES, PRICE_SCHEMA);
    }

    private static String json(int i) {
        return "{\"event_id\":\"%d\",\"trays\":%d}".formatted(i, i % 10);
    }

    private static List<String> ids(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toList();
    }

    @Test
    void rowsGoToTheFeedAtOnceAndToDeltaSoon() {
        try (var node = node().open().listen();
                var client = node.client();
                var stream = client.open(TableName.parse(DEMAND))) {
            for (int i = 0; i < 1_000; i++) {
                stream.ingestJson(json(i));
            }
            stream.flush(Node.WAIT);
            Node.await("rows in the feed", () -> node.fed(DEMAND).size() == 1_000);
            assertThat(node.fed(DEMAND)).isEqualTo(ids(0, 1_000));
            Node.await("rows in Delta", () -> node.status(DEMAND).rowsCommitted() == 1_000);
            assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 1_000));
            var status = node.status(DEMAND);
            assertThat(status.rowsReceived()).isEqualTo(1_000);
            assertThat(status.committedPosition()).isEqualTo(status.position());
            assertThat(status.receivedMicros()).isPositive();
            assertThat(status.error()).isNull();
            assertThat(node.ingest().totals().rows()).isEqualTo(1_000);
        }
    }

    @Test
    void protoRowsOfTheLogsOwnFormAndOthersLandAlike() throws Exception {
        var texts = new RowTexts(3);
        var type = texts.descriptor(PRICE_SCHEMA.columns());
        try (var node = node().open().listen();
                var client = node.client();
                var stream =
                        client.open(
                                TableName.parse(PRICES),
                                RecordFormat.proto(type),
                                QUICK,
                                ProducerObserver.NONE)) {
            var batch = new ArrayList<byte[]>();
            for (long i = 0; i < 100; i++) {
                batch.add(
                        DynamicMessage.newBuilder(type)
                                .setField(type.findFieldByName("event_id"), i)
                                .setField(type.findFieldByName("at"), 1_800_000_000_000_000L + i)
                                .setField(type.findFieldByName("price"), i + ".25")
                                .build()
                                .toByteArray());
            }
            stream.ingestProtoBatch(batch);
            stream.flush(Node.WAIT);
            Node.await("rows in Delta", () -> node.status(PRICES).rowsCommitted() == 100);
            assertThat(node.rows(PRICES).get(42))
                    .containsExactly(
                            42L, 1_800_000_000_000_042L, new java.math.BigDecimal("42.2500"));
        }
    }

    @Test
    void closingCommitsWhatIsDurableAndAnotherStartGoesOn() {
        var slow = LandingConfig.DEFAULT.with(Duration.ofHours(1), 64L << 20, 64L << 20);
        var node = node();
        node.with(node.config().withLanding(slow)).open().listen();
        send(node, 0, 100);
        node.close();
        node.open().listen();
        assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 100));
        assertThat(node.status(DEMAND).rowsReceived()).isZero();
        send(node, 100, 200);
        node.close();
        node.open();
        assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 200));
        node.close();
    }

    @Test
    void aTableWhoseRowsCannotBeDecodedSaysSoAndTheNextStartHasThem() {
        var node = node().open().listen();
        node.beforeAllocation(
                () -> {
                    if (Thread.currentThread().getName().startsWith("landing-")) {
                        throw new OutOfMemoryError("no native memory");
                    }
                });
        send(node, 0, 10);
        Node.await("the error is told", () -> node.status(DEMAND).error() != null);
        assertThat(node.status(DEMAND).error()).contains("no native memory");
        node.beforeAllocation(() -> {});
        node.close();
        node.open().close();
        node.open();
        assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 10));
        node.close();
    }

    private static void send(Node node, int from, int to) {
        try (var client = node.client();
                var stream = client.open(TableName.parse(DEMAND))) {
            for (int i = from; i < to; i++) {
                stream.ingestJson(json(i));
            }
            stream.flush(Node.WAIT);
        }
    }

    @Test
    void producersAreSentAwayAtACloseAndComeBackByThemselves() throws IOException {
        int port = freePort();
        var node = node();
        var grpc = node.config().grpc().withAddress("127.0.0.1", port);
        node.with(node.config().withGrpc(grpc)).open().listen();
        try (var client = node.client();
                var stream =
                        client.open(
                                TableName.parse(DEMAND),
                                RecordFormat.JSON,
                                QUICK,
                                ProducerObserver.NONE)) {
            for (int i = 0; i < 200; i++) {
                stream.ingestJson(json(i));
            }
            node.close();
            for (int i = 200; i < 300; i++) {
                stream.ingestJson(json(i));
            }
            node.open().listen();
            stream.flush(Node.WAIT);
            // The close let everything that was sent be acknowledged.
            assertThat(stream.resentRows()).isZero();
        }
        node.close();
        node.open();
        assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 300));
        node.close();
    }

    @Test
    void tlsCarriesTheSameOverHttp2() throws Exception {
        var certificate = TestCertificate.make(folder);
        var node = node();
        var grpc = node.config().grpc().withTls(certificate.certificate(), certificate.key());
        node.with(node.config().withGrpc(grpc)).open().listen();
        var endpoint =
                Endpoint.parse("https://127.0.0.1:" + node.port())
                        .withCaFile(certificate.certificate());
        try (node;
                var client = ProducerClient.connect(endpoint, () -> "token");
                var stream = client.open(TableName.parse(DEMAND))) {
            stream.ingestJsonBatch(List.of(json(0), json(1)));
            stream.flush(Node.WAIT);
            Node.await("rows in Delta", () -> node.status(DEMAND).rowsCommitted() == 2);
            assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 2));
        }
    }

    @Test
    void aProducerThatDoesNotTrustTheCertificateIsNotConnected() throws Exception {
        var certificate = TestCertificate.make(folder);
        var node = node();
        var grpc = node.config().grpc().withTls(certificate.certificate(), certificate.key());
        node.with(node.config().withGrpc(grpc)).open().listen();
        var once = QUICK.withReconnects(0, Duration.ofMillis(1), Duration.ofMillis(1));
        try (node;
                var client =
                        ProducerClient.connect(
                                Endpoint.tls("127.0.0.1", node.port(), null), () -> "token")) {
            var stream =
                    client.open(
                            TableName.parse(DEMAND),
                            RecordFormat.JSON,
                            once,
                            ProducerObserver.NONE);
            assertThatThrownBy(() -> stream.awaitOpen(Node.WAIT))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("UNAVAILABLE");
        }
    }

    @Test
    void badTlsFilesAreToldWithAHint() throws IOException {
        var noPem = Files.writeString(folder.resolve("no.pem"), "nothing");
        var node = node();
        node.with(node.config().withGrpc(node.config().grpc().withTls(noPem, noPem))).open();
        assertListenFails(node, "no.pem", "give PEM files");
        node.with(node.config().withGrpc(node.config().grpc().withTls(noPem, null))).open();
        assertListenFails(node, "come together", "give PEM files");
    }

    @Test
    void anOccupiedPortIsToldWithAHint() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var node = node();
            var grpc = node.config().grpc().withAddress("127.0.0.1", taken.getLocalPort());
            node.with(node.config().withGrpc(grpc)).open();
            assertListenFails(
                    node,
                    "cannot listen for producers on 127.0.0.1:" + taken.getLocalPort(),
                    "stop what uses the port");
        }
    }

    private static void assertListenFails(Node node, String... words) {
        try (node) {
            assertThatThrownBy(node::listen)
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION))
                    .hasMessageContainingAll(words);
        }
    }

    @Test
    void aTableRegisteredLaterTakesRowsAndOneUnregisteredTakesNoMore() {
        try (var node = node().open().listen();
                var client = node.client()) {
            var name = TableName.parse("farm.bronze.quotes");
            var table = node.openTable(name, SCHEMA);
            node.ingest().register(table);
            assertThatThrownBy(() -> node.ingest().register(table))
                    .hasMessageContaining("takes rows already");
            var stream = client.open(name);
            stream.ingestJson(json(1));
            stream.flush(Node.WAIT);
            node.ingest().unregister(name);
            Node.await("the stream's end", () -> stream.failure().isPresent());
            assertThat(stream.failure().orElseThrow().code()).isEqualTo(ErrorCode.NOT_FOUND);
            table.feed().close();
            table.delta().close();
        }
    }

    @Test
    void rowsOfATableThatIsGoneRefuseTheStartUntilTheyMayBeDiscarded() {
        var both = node();
        both.with(Disk.real(), new FailingBronze(true)).open().listen();
        send(both, 0, 10);
        both.close();
        var one = new Node(folder.resolve("node")).table(PRICES, PRICE_SCHEMA);
        assertThatThrownBy(one::open)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("the log holds rows of tables that are not in the catalog")
                .hasMessageContaining("requests for table");
        var landing = one.config().landing().discardingUnknownTables();
        one.with(one.config().withLanding(landing)).open().close();
    }

    @Test
    void aLogThatIsOlderThanItsTablesIsRefused() throws IOException {
        var node = node().open().listen();
        send(node, 0, 10);
        node.close();
        deleteFolder(folder.resolve("node").resolve("log"));
        assertThatThrownBy(node::open)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("but the log ends at 0")
                .hasMessageContaining("restore its folder");
    }

    @Test
    void smallFilesAreJoinedNowAndThen() {
        var node = node();
        var landing =
                LandingConfig.DEFAULT
                        .with(Duration.ofMillis(1), 1, 64L << 20)
                        .withMaintenance(5, Duration.ofMillis(1), Duration.ofDays(7));
        node.with(node.config().withLanding(landing)).open().listen();
        try (node;
                var client = node.client();
                var stream = client.open(TableName.parse(DEMAND))) {
            for (int i = 0; i < 30; i++) {
                stream.ingestJson(json(i));
                stream.flush(Node.WAIT);
                long sent = i + 1L;
                Node.await("a commit", () -> node.status(DEMAND).rowsCommitted() == sent);
            }
            Node.await("fewer files", () -> node.table(DEMAND).delta().snapshot().fileCount() < 12);
            assertThat(node.firsts(DEMAND)).isEqualTo(ids(0, 30));
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void deleteFolder(Path at) throws IOException {
        try (var files = Files.walk(at)) {
            for (var file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
