package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import java.nio.charset.StandardCharsets;
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
    private static final String MEBIBYTE =
            "{\"event_id\":\"a\",\"filler\":\"%s\"}".formatted("x".repeat(1 << 20));

    @TempDir private Path folder;
    private final FailingBronze bronze = new FailingBronze(false);
    private final HangingBronze hanging = new HangingBronze();
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

    private void insert(String table, String id) {
        var row = "{\"event_id\":\"%s\"}".formatted(id).getBytes(StandardCharsets.UTF_8);
        node.ingest().insert(new InsertRequest(table, "Bearer token", "127.0.0.1", row));
    }

    @Test
    void manyStreamsThatWaitHoldBackNoOtherOnTheirConnection() {
        var slow = folder.resolve("slow");
        node = new Node(folder).table(SLOW, SCHEMA).table(QUICK, SCHEMA);
        node.with(Disk.real(), t -> t.location().equals(slow) ? bronze.of(t) : Bronze.of(t));
        var landing = node.config().landing().with(Duration.ofMillis(5), 8 << 10, 1 << 20);
        var grpc =
                node.config()
                        .grpc()
                        .withLimits(1_000, Duration.ofMinutes(5), Duration.ofMillis(200));
        node.with(node.config().withLanding(landing).withGrpc(grpc)).open().listen();
        bronze.full.set(true);
        try (var client = node.raw()) {
            var waiting = new ArrayList<RawClient.Call>();
            for (int i = 0; i < STREAMS; i++) {
                var call = client.call(SLOW).send(RawClient.createJson(SLOW));
                call.streamId();
                for (int n = 0; n < 4; n++) {
                    call.json(n, MEBIBYTE);
                }
                waiting.add(call);
            }
            Node.await("they wait", () -> node.ingest().totals().streamsStalled() >= STREAMS - 2);
            var quick = client.openJson();
            for (int i = 0; i < 100; i++) {
                quick.json(i, MEBIBYTE).awaitAck(i);
            }
            assertThat(waiting).hasSize(STREAMS);
        }
    }
}
