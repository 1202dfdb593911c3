package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.ingest.RowPolicy.Evolution;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tables that get columns, and wider types, from what their producers send. */
@Timeout(300)
@ExtendWith(QuietLogs.class)
final class EvolutionTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER),
                    Column.nullable("heat", Primitive.FLOAT),
                    Column.nullable("rescued", Primitive.STRING));

    @TempDir private Path folder;
    private final FailingBronze bronze = new FailingBronze(false);
    private Node node = new Node(Path.of("none"));

    private void open(Evolution evolution, Optional<String> rescue) {
        var policy = new RowPolicy(rescue, Optional.empty(), Set.of(), evolution);
        node =
                new Node(folder)
                        .table(TABLE, SCHEMA)
                        .with(_ -> policy)
                        .with(Disk.real(), bronze)
                        .open()
                        .listen();
    }

    private void open(Evolution evolution) {
        open(evolution, Optional.empty());
    }

    @AfterEach
    void close() {
        node.close();
    }

    private void restart() {
        node.kill();
        node.open().listen();
    }

    /** What stands in Delta once everything is there. */
    private List<List<@Nullable Object>> rows(int count) {
        Node.await("rows in Delta", () -> node.rows(TABLE).size() >= count);
        return new ArrayList<>(node.rows(TABLE).stream().map(Arrays::asList).toList());
    }

    private String columns() {
        return node.table(TABLE).delta().schema().columns().stream()
                .map(c -> c.name() + " " + c.type().sql())
                .toList()
                .toString();
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

    @Test
    void fieldsOfJsonBecomeColumnsAndOpenStreamsGoOn() {
        open(Evolution.ADD_NEW_COLUMNS);
        try (var client = node.raw()) {
            var before = client.openJson().json(0, "{\"event_id\":\"a\"}");
            before.awaitAck(0);
            var call = client.openJson();
            call.jsonBatch(
                    0,
                    List.of(
                            "{\"event_id\":\"b\",\"n\":1,\"gone\":null}",
                            "{\"event_id\":\"c\",\"n\":1.5,\"note\":\"x\",\"ok\":true}"));
            call.json(1, "{\"event_id\":\"d\",\"N\":2}");
            call.awaitAck(1);
            before.json(1, "{\"event_id\":\"e\"}").json(2, "{\"event_id\":\"f\",\"n\":3}");
            before.awaitAck(2);
            before.halfClose();
            assertThat(before.end()).isEqualTo(Status.OK);
        }
        assertThat(insert("{\"event_id\":\"g\",\"more\":7}")).isEqualTo(1);
        restart();
        assertThat(rows(7))
                .containsExactly(
                        Arrays.asList("a", null, null, null, null, null, null, null),
                        Arrays.asList("b", null, null, null, 1.0, null, null, null),
                        Arrays.asList("c", null, null, null, 1.5, "x", true, null),
                        Arrays.asList("d", null, null, null, 2.0, null, null, null),
                        Arrays.asList("e", null, null, null, null, null, null, null),
                        Arrays.asList("f", null, null, null, 3.0, null, null, null),
                        Arrays.asList("g", null, null, null, null, null, null, 7L));
        assertThat(columns()).endsWith("n DOUBLE, note STRING, ok BOOLEAN, more BIGINT]");
        assertThat(node.access().told()).filteredOn(t -> t.startsWith("evolved")).hasSize(2);
    }

    /** The producer is done before its last request's columns are there. */
    @Test
    void aRequestThatBringsColumnsIsAcknowledgedBeforeItsStreamEnds() {
        open(Evolution.ADD_NEW_COLUMNS);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, "{\"event_id\":\"a\",\"n\":1}");
            call.halfClose();
            call.awaitAck(0);
            assertThat(call.end()).isEqualTo(Status.OK);
        }
        assertThat(rows(1)).containsExactly(Arrays.asList("a", null, null, null, 1L));
        bronze.full.set(true);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, "{\"event_id\":\"b\",\"more\":1}");
            call.halfClose();
            assertThat(call.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        }
        bronze.full.set(false);
    }

    @Test
    void columnsComeFirstThenWhatDoesNotFitIsRescued() {
        open(Evolution.ADD_NEW_COLUMNS, Optional.of("rescued"));
        insert("{\"event_id\":\"a\",\"n\":1,\"trays\":\"x\",\"deep\":{\"y\":1},\"b d\":2}");
        assertThat(rows(1).getFirst())
                .containsExactly(
                        "a", null, null, "{\"trays\":\"x\",\"deep\":{\"y\":1},\"b d\":2}", 1L);
    }

    @Test
    void rowsThatAreRefusedBringNoColumns() {
        open(Evolution.ADD_NEW_COLUMNS);
        assertThatThrownBy(() -> insert("{\"n\":1}")).hasMessageContaining("\"n\"");
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\",\"trays\":3000000000}"))
                .hasMessageContaining("trays");
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\",\"_position\":1}"))
                .hasMessageContaining("_position");
        assertThat(node.access().told()).noneMatch(t -> t.startsWith("evolved"));
        node.close();
        open(Evolution.NONE);
        assertThatThrownBy(() -> insert("{\"event_id\":\"a\",\"n\":null}"))
                .hasMessageContaining("not a column");
    }

    @Test
    void typesAreWidenedForValuesThatNeedIt() {
        open(Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);
        bronze.full.set(true); // What is narrow stays in the log until all is wide.
        insert("{\"event_id\":\"a\",\"trays\":7,\"heat\":0.5}");
        bronze.full.set(false);
        insert("{\"event_id\":\"b\",\"trays\":3000000000,\"heat\":1e300}");
        assertThatThrownBy(() -> insert("{\"event_id\":\"c\",\"trays\":0.5}"))
                .hasMessageContaining("trays");
        assertThatThrownBy(() -> insert("{\"event_id\":\"c\",\"trays\":9999999999999999999}"))
                .hasMessageContaining("trays");
        restart();
        insert("{\"event_id\":\"d\",\"trays\":8,\"heat\":1}");
        assertThat(rows(3))
                .containsExactly(
                        Arrays.asList("a", 7L, 0.5, null),
                        Arrays.asList("b", 3_000_000_000L, 1e300, null),
                        Arrays.asList("d", 8L, 1.0, null));
        assertThat(columns())
                .isEqualTo("[event_id STRING, trays BIGINT, heat DOUBLE, rescued STRING]");
    }

    private static CreateIngestStreamRequest create(
            FieldDescriptorProto.Type whole, FieldDescriptorProto.Type real, String... more) {
        var type = DescriptorProto.newBuilder().setName("Row");
        type.addField(
                field("event_id", 1, FieldDescriptorProto.Type.TYPE_STRING)
                        .setLabel(FieldDescriptorProto.Label.LABEL_REQUIRED));
        type.addField(field("trays", 2, whole)).addField(field("heat", 3, real));
        for (int i = 0; i < more.length; i++) {
            type.addField(field(more[i], 7 + i, FieldDescriptorProto.Type.TYPE_STRING));
        }
        return CreateIngestStreamRequest.newBuilder()
                .setTableName(TABLE)
                .setRecordType(RecordType.PROTO)
                .setDescriptorProto(type.build().toByteString())
                .build();
    }

    private static FieldDescriptorProto.Builder field(
            String name, int number, FieldDescriptorProto.Type type) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setType(type)
                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL);
    }

    private static byte[] older(String id, int trays, float heat) {
        var out = new RowWriter(1_000);
        out.tag(1, RowWriter.LENGTH);
        out.text(id.toCharArray(), 0, id.length());
        out.tag(2, RowWriter.VARINT);
        out.varint(trays);
        out.tag(3, RowWriter.FIXED32);
        out.fixed32(Float.floatToRawIntBits(heat));
        return out.toByteArray();
    }

    private static byte[] newer(String id, long trays, double heat, String more) {
        var out = new RowWriter(1_000);
        out.tag(1, RowWriter.LENGTH);
        out.text(id.toCharArray(), 0, id.length());
        out.tag(2, RowWriter.VARINT);
        out.varint(trays);
        out.tag(3, RowWriter.FIXED64);
        out.fixed64(Double.doubleToRawLongBits(heat));
        out.tag(7, RowWriter.LENGTH);
        out.text(more.toCharArray(), 0, more.length());
        return out.toByteArray();
    }

    /** Rows of both descriptors stand in the log when the node is killed. */
    @Test
    void aNewerDescriptorBringsColumnsAndAnOlderOneGoesOn() {
        open(Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);
        try (var client = node.raw()) {
            var before = client.call(TABLE);
            before.send(
                            create(
                                    FieldDescriptorProto.Type.TYPE_INT32,
                                    FieldDescriptorProto.Type.TYPE_FLOAT))
                    .streamId();
            before.proto(0, older("a", -1, 0.5f)).awaitAck(0);
            var after = client.call(TABLE);
            after.send(
                            create(
                                    FieldDescriptorProto.Type.TYPE_INT64,
                                    FieldDescriptorProto.Type.TYPE_DOUBLE,
                                    "more"))
                    .streamId();
            bronze.full.set(true);
            after.proto(0, newer("b", 1L << 40, 0.1, "x")).awaitAck(0);
            before.proto(1, older("c", 3, 1.5f)).awaitAck(1);
            var again = client.call(TABLE);
            again.send(
                            create(
                                    FieldDescriptorProto.Type.TYPE_INT32,
                                    FieldDescriptorProto.Type.TYPE_FLOAT))
                    .streamId();
            again.proto(0, older("d", 4, 2.5f)).awaitAck(0);
        }
        node.kill();
        bronze.full.set(false);
        node.open().listen();
        assertThat(rows(4))
                .containsExactly(
                        Arrays.asList("a", -1L, 0.5, null, null),
                        Arrays.asList("b", 1L << 40, 0.1, null, "x"),
                        Arrays.asList("c", 3L, 1.5, null, null),
                        Arrays.asList("d", 4L, 2.5, null, null));
    }

    /** The catalog has the columns, Delta has them not, and the log has rows without them. */
    @Test
    void whatACrashLeftBetweenCatalogAndDeltaIsFinishedAtTheStart() {
        open(Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);
        try (var client = node.raw()) {
            var before = client.call(TABLE);
            before.send(
                            create(
                                    FieldDescriptorProto.Type.TYPE_INT32,
                                    FieldDescriptorProto.Type.TYPE_FLOAT))
                    .streamId();
            bronze.full.set(true);
            before.proto(0, older("a", 1, 0.5f)).awaitAck(0);
            var after = client.call(TABLE);
            after.send(
                    create(
                            FieldDescriptorProto.Type.TYPE_INT64,
                            FieldDescriptorProto.Type.TYPE_DOUBLE,
                            "more"));
            assertThat(after.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            before.proto(1, older("b", 2, 1.5f)).awaitAck(1);
        }
        node.kill();
        bronze.full.set(false);
        node.open().listen();
        assertThat(columns()).contains("trays BIGINT, heat DOUBLE").endsWith("more STRING]");
        insert("{\"event_id\":\"c\",\"more\":\"y\"}");
        assertThat(rows(3))
                .containsExactly(
                        Arrays.asList("a", 1L, 0.5, null, null),
                        Arrays.asList("b", 2L, 1.5, null, null),
                        Arrays.asList("c", null, null, null, "y"));
        assertThat(node.access().told()).filteredOn(t -> t.startsWith("evolved")).hasSize(1);
    }

    @Test
    void aDescriptorThatDoesNotFitEvenThenBringsNoColumns() {
        open(Evolution.ADD_NEW_COLUMNS);
        try (var client = node.raw()) {
            var wider = client.call(TABLE);
            wider.send(
                    create(
                            FieldDescriptorProto.Type.TYPE_INT64,
                            FieldDescriptorProto.Type.TYPE_FLOAT,
                            "more"));
            assertThat(wider.errorInfo().getMetadataMap())
                    .containsEntry("causes", "TYPE_INCOMPATIBLE");
            var reserved = client.call(TABLE);
            reserved.send(
                    create(
                            FieldDescriptorProto.Type.TYPE_INT32,
                            FieldDescriptorProto.Type.TYPE_FLOAT,
                            "_position"));
            assertThat(reserved.errorInfo().getMetadataMap())
                    .containsEntry("causes", "FIELD_NOT_IN_TABLE");
            node.access().refuse(TABLE);
            var stranger = client.call(TABLE);
            stranger.send(
                    create(
                            FieldDescriptorProto.Type.TYPE_INT32,
                            FieldDescriptorProto.Type.TYPE_FLOAT,
                            "more"));
            assertThat(stranger.end().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        }
        assertThat(node.access().told()).noneMatch(t -> t.startsWith("evolved"));
    }

    /** A batch of the time before the table was widened. */
    @Test
    void bufferedBatchesOfNarrowerTypesAreReadAsWiderOnes() {
        var wide =
                TableSchema.of(
                        Column.required("event_id", Primitive.STRING),
                        Column.nullable("trays", Primitive.LONG),
                        Column.nullable("heat", Primitive.DOUBLE),
                        Column.nullable("rescued", Primitive.STRING),
                        Column.nullable("more", Primitive.STRING));
        var records =
                List.of("{\"event_id\":\"a\",\"trays\":-7,\"heat\":0.5}", "{\"event_id\":\"b\"}");
        try (var allocator = new RootAllocator();
                var rows = ArrowMessages.rows(SCHEMA, records, allocator)) {
            var message = ArrowMessages.batch(rows.root(), ArrowMessages.Packing.PLAIN, allocator);
            var payload =
                    new ArrowSchema(
                                    ArrowCodecTest.table(SCHEMA),
                                    RowPolicy.REFUSE,
                                    ArrowMessages.schema(ArrowTypes.schema(SCHEMA)))
                            .payload(message.inbound(0))
                            .bytes();
            try (var decoded = new RowDecoder(wide).decode(List.of(payload), 2, allocator)) {
                assertThat(VectorValues.rows(decoded).stream().map(Arrays::asList).toList())
                        .isEqualTo(
                                List.of(
                                        Arrays.asList("a", -7L, 0.5, null, null),
                                        Arrays.asList("b", null, null, null, null)));
            }
        }
    }
}
