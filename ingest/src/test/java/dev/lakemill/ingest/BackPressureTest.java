package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import dev.lakemill.wal.LogConfig;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Disks that are full, answers that are lost: producers wait, and nothing is lost or doubled. */
@Timeout(300)
@ExtendWith(QuietLogs.class)
final class BackPressureTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("filler", Primitive.STRING));
    private static final int ROWS = 2_000;
    private static final StreamOptions QUICK =
            StreamOptions.DEFAULT.withReconnects(
                    StreamOptions.RECONNECT_FOR_EVER, Duration.ofMillis(5), Duration.ofMillis(50));

    @TempDir private Path folder;
    private final FailingBronze bronze = new FailingBronze(false);
    private final List<ProducerClient> clients = new ArrayList<>();
    private Node node = new Node(Path.of("."));

    @AfterEach
    void close() {
        clients.forEach(ProducerClient::close);
        node.close();
    }

    private Node node(long pendingBytesMax, Duration stallMax) {
        node = new Node(folder).table(TABLE, SCHEMA).with(Disk.real(), bronze);
        var fast =
                node.config()
                        .landing()
                        .with(Duration.ofMillis(5), 8 << 10, pendingBytesMax)
                        .withWaits(
                                Duration.ofMillis(5), Duration.ofMillis(50), Duration.ofSeconds(5));
        var grpc = node.config().grpc().withLimits(10, stallMax, Duration.ofMillis(200));
        return node.with(node.config().withLanding(fast).withGrpc(grpc));
    }

    private ProducerStream send() {
        var client = node.client();
        clients.add(client);
        var stream =
                client.open(
                        TableName.parse(TABLE), RecordFormat.JSON, QUICK, ProducerObserver.NONE);
        var filler = "x".repeat(200);
        for (int i = 0; i < ROWS; i++) {
            stream.ingestJson("{\"event_id\":\"%d\",\"filler\":\"%s\"}".formatted(i, filler));
        }
        return stream;
    }

    private static List<String> ids() {
        return IntStream.range(0, ROWS).mapToObj(Integer::toString).toList();
    }

    private void awaitAllInDelta() {
        Node.await("all rows in Delta", () -> node.status(TABLE).rowsCommitted() == ROWS);
        assertThat(node.firsts(TABLE)).isEqualTo(ids());
        assertThat(node.status(TABLE).error()).isNull();
        assertThat(node.status(TABLE).pendingBytes()).isZero();
    }

    @Test
    void whileDeltasDiskIsFullMemoryStaysBoundedAndProducersWait() {
        node(64 << 10, Duration.ofMinutes(5)).open().listen();
        bronze.full.set(true);
        var stream = send();
        Node.await("a stalled stream", () -> node.ingest().totals().streamsStalled() == 1);
        Node.await("the error is told", () -> node.status(TABLE).error() != null);
        assertThat(node.status(TABLE).error()).contains("No space left on device");
        // Decoded rows may take somewhat more than the bytes that were let in.
        assertThat(node.status(TABLE).pendingBytes()).isLessThan(128 << 10);
        assertThat(stream.inFlightRows()).isPositive();
        bronze.full.set(false);
        stream.flush(Node.WAIT);
        assertThat(stream.resentRows()).isZero();
        awaitAllInDelta();
        stream.close();
    }

    @Test
    void aLogThatIsFullMakesProducersWaitUntilDeltaHasTheRows() {
        node(64 << 20, Duration.ofMinutes(5));
        var log = new LogConfig(64 << 10, 192 << 10, 32 << 10, 16 << 10);
        node.with(node.config().withLog(log)).open().listen();
        bronze.full.set(true);
        var stream = send();
        Node.await("a stalled stream", () -> node.ingest().totals().streamsStalled() == 1);
        bronze.full.set(false);
        stream.flush(Node.WAIT);
        awaitAllInDelta();
        stream.close();
    }

    @Test
    void aStreamThatWaitsTooLongIsEndedAndItsProducerTriesAgain() {
        node(64 << 10, Duration.ofMillis(1)).open().listen();
        bronze.full.set(true);
        try (var client = node.raw()) {
            var call = client.openJson();
            var big = "x".repeat(80 << 10);
            for (int i = 0; i < 3; i++) {
                call.json(i, "{\"event_id\":\"big\",\"filler\":\"" + big + "\"}");
            }
            var end = call.end();
            assertThat(end.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(end.getDescription()).contains("had no room for a request");
        }
        bronze.full.set(false);
        var stream = send();
        stream.flush(Node.WAIT);
        stream.close();
    }

    @Test
    void commitsWhoseAnswersAreLostAreNotMadeTwice() {
        node(64 << 20, Duration.ofMinutes(5)).open().listen();
        bronze.losesAnswers.set(10);
        var stream = send();
        stream.flush(Node.WAIT);
        awaitAllInDelta();
        assertThat(bronze.losesAnswers).hasValue(0);
        stream.close();
    }

    @Test
    void whenTheLogFailsStreamsEndSoThatProducersComeBackAfterTheRestart() {
        var crash = new Crash(Integer.MAX_VALUE, false);
        node(64 << 20, Duration.ofMinutes(5)).with(crash, bronze).open().listen();
        crash.dieAfter(20);
        try (var client = node.raw()) {
            var call = client.openJson();
            for (int i = 0; i < 200 && node.ingest().failure().isEmpty(); i++) {
                call.json(i, "{\"event_id\":\"a\"}");
                var durable = i;
                Node.await(
                        "durable, or the log's failure",
                        () ->
                                node.status(TABLE).rowsReceived() > durable
                                        || node.ingest().failure().isPresent());
            }
            var end = call.end();
            assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(end.getDescription())
                    .contains("the server's log has failed")
                    .contains("; hint: ");
            assertThat(client.call(TABLE).end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    @Test
    void rowsThatNeverReachedDeltaAreReplayedInBoundedMemory() {
        var small = node(64 << 10, Duration.ofMinutes(5)).config();
        node.with(small.withLanding(small.landing().with(Duration.ofMillis(5), 8 << 10, 8 << 20)));
        bronze.full.set(true);
        node.open().listen();
        var stream = send();
        stream.flush(Node.WAIT);
        stream.close();
        node.close();
        bronze.full.set(false);
        node.with(small).open();
        awaitAllInDelta();
        assertThat(node.fed(TABLE)).isEqualTo(ids());
    }

    /** What other tables commit last must not let go of the log what this one still needs. */
    @Test
    void aCloseKeepsInTheLogWhatOneTableOfSeveralDidNotGetIntoDelta() {
        var tables = IntStream.range(0, 6).mapToObj("farm.bronze.t%d"::formatted).toList();
        var slow = LandingConfig.DEFAULT.with(Duration.ofHours(1), 64L << 20, 64L << 20);
        node = new Node(folder);
        tables.forEach(table -> node.table(table, SCHEMA));
        var failing = folder.resolve("t0");
        node.with(Disk.real(), t -> t.location().equals(failing) ? bronze.of(t) : Bronze.of(t));
        node.with(node.config().withLanding(slow)).open().listen();
        bronze.full.set(true);
        tables.forEach(this::sendOne);
        node.close();
        bronze.full.set(false);
        node.open().close();
        node.open();
        for (var table : tables) {
            assertThat(node.firsts(table)).as(table).containsExactly("1");
        }
    }

    private void sendOne(String table) {
        try (var client = node.client();
                var stream = client.open(TableName.parse(table))) {
            stream.ingestJson("{\"event_id\":\"1\"}");
            stream.flush(Node.WAIT);
        }
    }
}
