package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tables that are slow hold back nobody else, however many streams wait for them. */
@Timeout(180)
@ExtendWith(QuietLogs.class)
final class FairnessTest {
    private static final String SLOW = "farm.bronze.slow";
    private static final String QUICK = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("filler", Primitive.STRING));
    private static final int STREAMS = 60;
    private static final String ROW = "{\"event_id\":\"a\"}";
    private static final String MEBIBYTE =
            "{\"event_id\":\"a\",\"filler\":\"%s\"}".formatted("x".repeat(1 << 20));

    @TempDir private Path folder;
    private final FailingBronze bronze = new FailingBronze(false);
    private final HangingBronze hanging = new HangingBronze(true);
    private Node node = new Node(Path.of("none"));

    @AfterEach
    void close() {
        bronze.full.set(false);
        hanging.answer();
        node.close();
    }

    /** Their producers are acknowledged all along: that is the log's to say. */
    @Test
    void tablesWhoseStoreDoesNotAnswerKeepNoOtherFromDelta() {
        var slow = IntStream.range(0, 5).mapToObj("farm.bronze.t%d"::formatted).toList();
        node = new Node(folder).table(QUICK, SCHEMA);
        slow.forEach(table -> node.table(table, SCHEMA));
        var quick = folder.resolve(TableName.parse(QUICK).table());
        node.with(Disk.real(), t -> t.location().equals(quick) ? Bronze.of(t) : hanging.of(t))
                .open();
        slow.forEach(table -> insert(table, "a"));
        for (var id : List.of("a", "b", "c")) {
            insert(QUICK, id);
            Node.await(
                    id + " in Delta",
                    () -> node.status(QUICK).rowsCommitted() == id.charAt(0) - 'a' + 1);
        }
        assertThat(slow).allSatisfy(t -> assertThat(node.status(t).rowsCommitted()).isZero());
        hanging.answer();
        for (var table : slow) {
            Node.await(table + " in Delta", () -> node.status(table).rowsCommitted() == 1);
        }
    }

    @Test
    void aCompactionHoldsBackNoCommitOfItsTable() throws InterruptedException {
        var compacting = new HangingBronze(false);
        node = new Node(folder).table(QUICK, SCHEMA);
        var landing =
                LandingConfig.DEFAULT
                        .with(Duration.ofMillis(1), 1, 64L << 20)
                        .withMaintenance(1, Duration.ZERO, Duration.ofDays(7));
        node.with(node.config().withLanding(landing)).with(Disk.real(), compacting).open();
        insert(QUICK, "a");
        compacting.awaitCompaction();
        insert(QUICK, "b");
        Node.await("b in Delta", () -> node.status(QUICK).rowsCommitted() == 2);
        compacting.answer();
    }

    private void insert(String table, String id) {
        var row = "{\"event_id\":\"%s\"}".formatted(id).getBytes(StandardCharsets.UTF_8);
        node.ingest().insert(new InsertRequest(table, "Bearer token", "127.0.0.1", row));
    }

    /** A table that takes no more, as its disk is full; and one that does. */
    private void openSlow(long stalledBytesMax) {
        var slow = folder.resolve(TableName.parse(SLOW).table());
        node = new Node(folder).table(SLOW, SCHEMA).table(QUICK, SCHEMA);
        node.with(Disk.real(), t -> t.location().equals(slow) ? bronze.of(t) : Bronze.of(t));
        var landing = node.config().landing().with(Duration.ofMillis(5), 8 << 10, 1 << 20);
        var grpc =
                node.config()
                        .grpc()
                        .withLimits(1_000, Duration.ofMinutes(5), Duration.ofMillis(200))
                        .withStalledBytesMax(stalledBytesMax);
        node.with(node.config().withLanding(landing).withGrpc(grpc)).open().listen();
        bronze.full.set(true);
    }

    private static RawClient.Call open(RawClient client, String table) {
        var call = client.call(table).send(RawClient.createJson(table));
        call.streamId();
        return call;
    }

    /** Sends more than any window holds. */
    private static void fill(RawClient.Call call) {
        for (int i = 1; i < 4; i++) {
            call.json(i, MEBIBYTE);
        }
    }

    /** What they may send unread is bounded together; 60 windows of 2 MiB would be 120 MiB. */
    @Test
    void manyStreamsThatWaitHoldBackNoOtherAndLittleMemory() {
        int spareMebibytes = 8;
        int quickRows = 30;
        openSlow((long) spareMebibytes << 20);
        try (var proxy = new CountingProxy(node.port());
                var client = new RawClient(proxy.port())) {
            open(client, SLOW).json(0, MEBIBYTE).awaitAck(0); // Now there is no room.
            for (int i = 0; i < STREAMS; i++) {
                fill(open(client, SLOW).json(0, ROW));
            }
            Node.await("they wait", () -> node.ingest().totals().streamsStalled() == STREAMS);
            var quick = open(client, QUICK);
            for (int i = 0; i < quickRows; i++) {
                quick.json(i, MEBIBYTE).awaitAck(i);
            }
            long small = ((long) STREAMS * ConnectionWindow.STREAM_BYTES_MIN) >> 20;
            assertThat(proxy.sentBytes() / (1 << 20))
                    .as("MiB that producers sent")
                    .isLessThan(quickRows + spareMebibytes + small + 5);
            assertThat(node.ingest().totals().streamsStalled()).isEqualTo(STREAMS);
        }
    }

    @Test
    void requestsThatWaitHoldBoundedMemoryAndTheOthersComeAgain() {
        openSlow(3 << 19);
        try (var client = node.raw()) {
            open(client, SLOW).json(0, MEBIBYTE).awaitAck(0);
            var first = open(client, SLOW).json(0, MEBIBYTE);
            Node.await("one waits", () -> node.ingest().totals().streamsStalled() == 1);
            var second = open(client, SLOW).json(0, MEBIBYTE);
            Node.await("two wait", () -> node.ingest().totals().streamsStalled() == 2);
            var third = open(client, SLOW).json(0, MEBIBYTE);
            assertThat(third.end().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(third.end().getDescription())
                    .contains("wait for room, and no more than 3145728 may");
            second.cancel();
            Node.await("one waits", () -> node.ingest().totals().streamsStalled() == 1);
            var again = open(client, SLOW).json(0, MEBIBYTE);
            Node.await("two wait", () -> node.ingest().totals().streamsStalled() == 2);
            bronze.full.set(false);
            first.awaitAck(0);
            again.awaitAck(0);
            Node.await("nobody waits", () -> node.ingest().totals().streamsStalled() == 0);
        }
    }

    /** Streams that end give their windows to those that come. */
    @Test
    void streamsThatEndLeaveNothingBehind() {
        openSlow(34 << 20);
        try (var proxy = new CountingProxy(node.port());
                var client = new RawClient(proxy.port())) {
            var first = open(client, SLOW).json(0, MEBIBYTE);
            first.awaitAck(0);
            first.halfClose();
            first.end();
            for (int i = 0; i < 20; i++) {
                var call = open(client, SLOW).json(0, ROW);
                Node.await("it waits", () -> node.ingest().totals().streamsStalled() == 1);
                call.cancel();
                Node.await("it is gone", () -> node.ingest().totals().streamsStalled() == 0);
            }
            fill(open(client, SLOW).json(0, ROW));
            Node.await("its window is wide", () -> proxy.sentBytes() > 5 << 19);
        }
    }
}
