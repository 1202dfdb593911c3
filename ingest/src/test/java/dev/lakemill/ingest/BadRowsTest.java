package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rows that do not fit: refused by their places, rescued, or kept as dead letters. */
@Timeout(300)
final class BadRowsTest {
    private static final String TABLE = RawClient.TABLE;
    private static final String LETTERS = "farm.bronze.letters";
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER),
                    Column.nullable("at", Primitive.TIMESTAMP),
                    Column.nullable("rescued", Primitive.STRING));
    private static final TableSchema LETTER_SCHEMA =
            TableSchema.of(
                    Column.required("payload", Primitive.STRING),
                    Column.required("error", Primitive.STRING),
                    Column.nullable("offset_id", Primitive.LONG),
                    Column.nullable("row_index", Primitive.INTEGER),
                    Column.nullable("stream_id", Primitive.STRING),
                    Column.nullable("received_at", Primitive.TIMESTAMP),
                    Column.nullable("seen", Primitive.BOOLEAN));

    @TempDir private Path folder;
    private Node node = new Node(Path.of("none"));

    private void open(RowPolicy policy) {
        node =
                new Node(folder)
                        .table(TABLE, SCHEMA)
                        .table(LETTERS, LETTER_SCHEMA)
                        .with(
                                table ->
                                        table.name().toString().equals(TABLE)
                                                ? policy
                                                : RowPolicy.REFUSE)
                        .open()
                        .listen();
    }

    @AfterEach
    void close() {
        node.close();
    }

    private void reopen() {
        node.close();
        node.open();
    }

    private int insert(String body) {
        return node.ingest()
                .insert(
                        new InsertRequest(
                                TABLE,
                                "Bearer token",
                                "127.0.0.1",
                                body.getBytes(StandardCharsets.UTF_8)));
    }

    private static final RowPolicy RESCUE =
            new RowPolicy(Optional.of("rescued"), Optional.empty(), Set.of());
    private static final RowPolicy KEEP =
            new RowPolicy(Optional.empty(), Optional.of(TableName.parse(LETTERS)), Set.of());

    @Test
    void aBatchNamesAllOfItsBadRows() {
        open(RowPolicy.REFUSE);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, "{\"event_id\":\"a\"}");
            call.jsonBatch(
                    1,
                    List.of(
                            "{\"event_id\":\"b\"}",
                            "{\"event_id\":1}",
                            "{\"event_id\":\"c\",\"trays\":\"x\"}",
                            "{\"x\":1}"));
            call.awaitAck(0);
            assertThat(call.end().getDescription())
                    .contains("row 1 of the request with offset 1", "2 more: rows 2,3");
            assertThat(call.errorInfo().getMetadataMap())
                    .containsEntry("bad_rows", "1,2,3")
                    .containsEntry("offset", "1")
                    .containsKey("row_3");
        }
        reopen();
        assertThat(node.firsts(TABLE)).containsExactly("a");
    }

    /** Ours tells a producer's program which rows they were. */
    @Test
    void theClientHearsOfBadRowsByTheStreamsOffset() {
        open(RowPolicy.REFUSE);
        try (var client = node.client()) {
            var stream = client.open(TableName.parse(TABLE));
            stream.ingestJson("{\"event_id\":\"a\"}");
            stream.ingestJsonBatch(List.of("{\"event_id\":\"b\"}", "{\"event_id\":2}"));
            assertThatThrownBy(stream::flush).isInstanceOf(LakemillException.class);
            assertThat(stream.rejectedRows())
                    .hasValueSatisfying(
                            rows -> {
                                assertThat(rows.offset()).isEqualTo(1);
                                assertThat(rows.problems()).containsOnlyKeys(1);
                                assertThat(rows.problems().get(1)).contains("event_id");
                            });
        }
    }

    /** Each stream is told of twice, and each commit once. */
    @Test
    void streamsAndCommitsAreToldToWhoKeepsTheirHistory() {
        open(RowPolicy.REFUSE);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, "{\"event_id\":\"a\"}").json(1, "{}");
            call.awaitAck(0);
            call.end();
        }
        Node.await("the stream's end is told", () -> node.streamEvents().size() == 2);
        insert("{\"event_id\":\"b\"}");
        reopen();
        var events = node.streamEvents();
        assertThat(events).hasSize(4);
        assertThat(events.get(0).stream().protocol()).isEqualTo(IngestHistory.Protocol.GRPC);
        assertThat(events.get(0).closed()).isEmpty();
        assertThat(events.get(1).closed()).isPresent();
        assertThat(events.get(1).error().orElseThrow()).contains("event_id");
        assertThat(events.get(2).stream().protocol()).isEqualTo(IngestHistory.Protocol.HTTP);
        assertThat(events.get(3).error()).isEmpty();
        assertThat(node.landedEvents().stream().mapToLong(IngestHistory.LandedEvent::rows).sum())
                .isEqualTo(2);
    }

    @Test
    void whatDoesNotFitIsRescued() {
        open(RESCUE);
        assertThat(
                        insert(
                                """
                                {"event_id":"a","trays":"many","colour":{"r":1},"AT":null}
                                {"event_id":"b","trays":3}
                                {"event_id":"c","rescued":"mine"}
                                """))
                .isEqualTo(3);
        assertThatThrownBy(() -> insert("{\"event_id\":7,\"x\":1}"))
                .hasMessageContaining("event_id");
        assertThatThrownBy(() -> insert("{\"x\":1}")).hasMessageContaining("not a column");
        reopen();
        var rows = node.rows(TABLE);
        assertThat(rows).hasSize(3);
        assertThat(rows.get(0))
                .containsExactly("a", null, null, "{\"trays\":\"many\",\"colour\":{\"r\":1}}");
        assertThat(rows.get(1)).containsExactly("b", 3L, null, null);
        assertThat(rows.get(2)).containsExactly("c", null, null, "mine");
    }

    @Test
    void badRowsAreKeptAsDeadLettersAndTheOthersGoOn() {
        open(KEEP);
        try (var client = node.raw()) {
            var call = client.call(TABLE).send(RawClient.createJson(TABLE));
            var stream = call.streamId();
            call.jsonBatch(0, List.of("{\"event_id\":\"a\"}", "{\"event_id\":1}", "nonsense"));
            call.jsonBatch(1, List.of("{\"event_id\":2}"));
            call.json(2, "{\"event_id\":\"b\"}");
            call.awaitAck(2);
            call.halfClose();
            assertThat(call.end()).isEqualTo(Status.OK);
            reopen();
            assertThat(node.firsts(TABLE)).containsExactly("a", "b");
            var letters = node.rows(LETTERS);
            assertThat(letters).hasSize(3);
            assertThat(letters.get(0)).contains("{\"event_id\":1}", 0L, 1L, stream);
            assertThat(String.valueOf(letters.get(0)[1]))
                    .contains("column 'event_id' takes STRING");
            assertThat(letters.get(1)).contains("nonsense", 0L, 2L);
            assertThat(letters.get(2)).contains("{\"event_id\":2}", 1L, 0L);
        }
    }

    @Test
    void protoRowsAreKeptToo() {
        open(KEEP);
        try (var client = node.raw()) {
            var call =
                    client.call(TABLE)
                            .send(
                                    RawClient.createJson(TABLE).toBuilder()
                                            .setRecordType(
                                                    dev.lakemill.api.zerobus.RecordType.PROTO)
                                            .setDescriptorProto(RawClient.descriptor())
                                            .build());
            call.streamId();
            call.proto(0, new byte[] {0x0A, 1, 'a'}).proto(1, new byte[] {0x0A, 9});
            call.awaitAck(1);
            call.halfClose();
            call.end();
        }
        reopen();
        assertThat(node.firsts(TABLE)).containsExactly("a");
        assertThat(node.rows(LETTERS)).hasSize(1);
    }

    @Test
    void aTableThatCannotTakeLettersRefusesTheStream() {
        open(new RowPolicy(Optional.empty(), Optional.of(TableName.parse(TABLE)), Set.of()));
        assertThatThrownBy(() -> insert("{}")).hasMessageContaining("cannot take the dead letters");
        node.close();
        open(new RowPolicy(Optional.of("trays"), Optional.empty(), Set.of()));
        assertThatThrownBy(() -> insert("{}")).hasMessageContaining("rescue column 'trays'");
    }

    @Test
    void secondsAndMillisecondsAreNotTakenForMicroseconds() {
        open(new RowPolicy(Optional.empty(), Optional.empty(), Set.of("at")));
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\",\"at\":1795000000}"))
                .hasMessageContaining("column 'at'")
                .hasMessageContaining("looks like seconds");
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\",\"at\":1795000000000}"))
                .hasMessageContaining("looks like milliseconds");
        assertThat(insert("{\"event_id\":\"a\",\"at\":1795000000000000}")).isEqualTo(1);
        assertThat(insert("{\"event_id\":\"b\",\"at\":\"2026-11-28T10:00:00Z\"}")).isEqualTo(1);
        assertThat(insert("{\"event_id\":\"c\",\"at\":-1}")).isEqualTo(1);
    }

    /** Exactly once, in the words of our client: through a restart, and from process to process. */
    @Test
    void aPersistentStreamOfTheClientGoesOnWhereItWas() {
        open(RowPolicy.REFUSE);
        var table = TableName.parse(TABLE);
        var options =
                StreamOptions.DEFAULT.withReconnects(
                        100, java.time.Duration.ofMillis(20), java.time.Duration.ofMillis(100));
        String id;
        try (var client = node.client();
                var stream =
                        client.openPersistent(
                                table, RecordFormat.JSON, options, ProducerObserver.NONE)) {
            for (int i = 0; i < 50; i++) {
                assertThat(stream.ingestJson("{\"event_id\":\"" + i + "\"}")).isEqualTo(i);
            }
            stream.flush();
            id = stream.streamId().orElseThrow();
        }
        try (var client = node.client();
                var stream = client.resumePersistent(table, RecordFormat.JSON, options, id)) {
            assertThat(stream.ackedOffset()).isEqualTo(49);
            assertThat(stream.ingestJson("{\"event_id\":\"50\"}")).isEqualTo(50);
            stream.flush();
        }
        try (var client = node.client()) {
            client.retire(table, id);
            client.retire(table, id);
            assertThatThrownBy(() -> client.resumePersistent(table, RecordFormat.JSON, options, id))
                    .hasMessageContaining("no persistent stream");
        }
        reopen();
        assertThat(node.firsts(TABLE)).hasSize(51).doesNotHaveDuplicates();
    }
}
