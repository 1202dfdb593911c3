package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.api.zerobus.JsonRecordBatch;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every rule of the protocol, and every way to break one, against a real server. */
@Timeout(300)
final class ProtocolTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER),
                    Column.nullable("price", new DataType.Decimal(10, 2)));

    @TempDir private Path folder;
    private Node node;
    private RawClient client;

    @BeforeEach
    void open() {
        node = new Node(folder).table(TABLE, SCHEMA).open().listen();
        client = node.raw();
    }

    @AfterEach
    void close() {
        client.close();
        node.close();
    }

    @Test
    void headersComeBeforeAnyMessage() {
        client.call(TABLE).headersCame();
    }

    @Test
    void aStreamIsOpenedThenAcknowledgesThenEndsAfterTheHalfClose() {
        var call = client.call(TABLE).send(RawClient.createJson(TABLE));
        assertThat(call.streamId()).hasSize(36);
        call.json(0, "{\"event_id\":\"a\",\"trays\":1}");
        call.jsonBatch(1, List.of("{\"event_id\":\"b\"}", "{\"event_id\":\"c\",\"trays\":null}"));
        call.awaitAck(1);
        call.halfClose();
        assertThat(call.end()).isEqualTo(Status.OK);
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).containsExactly("a", "b", "c");
    }

    @Test
    void streamsThatNobodyOpensGiveTheirPlacesToOthers() {
        client.close();
        node.close();
        var grpc = node.config().grpc();
        var two =
                grpc.withLimits(2, grpc.stallMax(), grpc.drainGrace())
                        .withOpeningMax(Duration.ofSeconds(3));
        node.with(node.config().withGrpc(two)).open().listen();
        client = node.raw();
        var opened = client.openJson();
        var silent = client.call(TABLE, null);
        silent.headersCame();
        var refused = client.call(TABLE).end();
        assertThat(refused.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        var end = silent.end();
        assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(end.getDescription())
                .contains("the stream was not opened within 3 s", "create_stream");
        Node.await("a free place", () -> node.ingest().totals().streamsOpen() == 1);
        client.openJson().json(0, "{\"event_id\":\"a\"}").awaitAck(0);
        opened.json(0, "{\"event_id\":\"b\"}").awaitAck(0);
    }

    @Test
    void rowsThatStillWaitAreAcknowledgedAfterTheHalfClose() {
        var call = client.openJson();
        for (int i = 0; i < 500; i++) {
            call.json(i, "{\"event_id\":\"" + i + "\"}");
        }
        call.halfClose();
        call.awaitAck(499);
        assertThat(call.end().getCode()).isEqualTo(Status.Code.OK);
    }

    @Test
    void aCancelAfterTheLastAckIsNormal() {
        var call = client.openJson();
        call.json(0, "{\"event_id\":\"a\"}");
        call.awaitAck(0);
        call.cancel();
        Node.await("the stream is gone", () -> node.ingest().totals().streamsOpen() == 0);
        var next = client.openJson().json(0, "{\"event_id\":\"b\"}");
        next.awaitAck(0);
        next.halfClose();
        next.end();
    }

    @Test
    void rowsBeforeARefusedOneAreAcknowledgedFirst() {
        var call = client.openJson();
        call.json(0, "{\"event_id\":\"a\"}");
        call.json(1, "{\"event_id\":7}");
        call.awaitAck(0);
        assertThat(call.end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void somethingElseFirstIsRefused() {
        var call = client.call(TABLE).json(0, "{\"event_id\":\"a\"}");
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "first message is not create_stream");
    }

    @Test
    void aSecondCreateIsRefused() {
        var call = client.openJson().send(RawClient.createJson(TABLE));
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "create_stream came a second time");
    }

    @Test
    void anEmptyRequestIsRefused() {
        var call = client.openJson().send(EphemeralStreamRequest.getDefaultInstance());
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "has no payload");
    }

    @Test
    void aRequestWithoutRecordsIsRefused() {
        assertRefused(
                client.openJson()
                        .send(
                                EphemeralStreamRequest.newBuilder()
                                        .setIngestRecord(
                                                IngestRecordRequest.newBuilder().setOffsetId(0))
                                        .build()),
                Status.Code.INVALID_ARGUMENT,
                "holds no record");
        assertRefused(
                client.openJson()
                        .send(
                                EphemeralStreamRequest.newBuilder()
                                        .setIngestRecordBatch(
                                                IngestRecordBatchRequest.newBuilder()
                                                        .setOffsetId(0)
                                                        .setJsonBatch(
                                                                JsonRecordBatch
                                                                        .getDefaultInstance()))
                                        .build()),
                Status.Code.INVALID_ARGUMENT,
                "holds no record");
    }

    @Test
    void anUnknownTableIsNotFoundAndTheMessageNamesThoseThereAre() {
        var name = "farm.bronze.nothing";
        var call = client.call(name).send(RawClient.createJson(name));
        assertRefused(call, Status.Code.NOT_FOUND, "no table farm.bronze.nothing", TABLE);
    }

    @Test
    void aTableNameInPartsIsRefused() {
        var call = client.call("demand").send(RawClient.createJson("demand"));
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "write catalog.schema.table");
    }

    @Test
    void theHeaderMustNameTheSameTable() {
        assertRefused(
                client.call("farm.bronze.other").send(RawClient.createJson(TABLE)),
                Status.Code.INVALID_ARGUMENT,
                "x-databricks-zerobus-table-name is \"farm.bronze.other\"");
        assertRefused(
                client.call(null).send(RawClient.createJson(TABLE)),
                Status.Code.INVALID_ARGUMENT,
                "x-databricks-zerobus-table-name is absent");
    }

    @Test
    void offsetsCountFromZeroWithoutGaps() {
        for (long wrong : new long[] {1, -1, Long.MAX_VALUE}) {
            var call = client.openJson().json(wrong, "{\"event_id\":\"a\"}");
            assertRefused(
                    call,
                    Status.Code.INVALID_ARGUMENT,
                    "offset_id is " + wrong + " where 0 comes next",
                    "4002",
                    "NonIncrementalOffset");
            assertThat(call.errorInfo().getMetadataMap()).containsEntry("error_code", "4002");
        }
        var call = client.openJson().json(0, "{\"event_id\":\"a\"}");
        call.json(0, "{\"event_id\":\"a\"}");
        call.awaitAck(0);
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "offset_id is 0 where 1 comes next");
    }

    @Test
    void anAbsentOffsetIsRefused() {
        var call =
                client.openJson()
                        .send(
                                EphemeralStreamRequest.newBuilder()
                                        .setIngestRecord(
                                                IngestRecordRequest.newBuilder()
                                                        .setJsonRecord("{\"event_id\":\"a\"}"))
                                        .build());
        assertRefused(call, Status.Code.INVALID_ARGUMENT, "offset_id is absent");
    }

    @Test
    void theRecordTypeUnspecifiedIsRefused() {
        var create =
                CreateIngestStreamRequest.newBuilder()
                        .setTableName(TABLE)
                        .setRecordType(RecordType.RECORD_TYPE_UNSPECIFIED)
                        .build();
        assertRefused(
                client.call(TABLE).send(create),
                Status.Code.INVALID_ARGUMENT,
                "RECORD_TYPE_UNSPECIFIED");
    }

    @Test
    void anAbsentRecordTypeIsProto() {
        var create = CreateIngestStreamRequest.newBuilder().setTableName(TABLE);
        assertRefused(
                client.call(TABLE).send(create.build()),
                Status.Code.INVALID_ARGUMENT,
                "no descriptor_proto");
        var type = descriptor(FieldDescriptorProto.Type.TYPE_INT32);
        var call = client.call(TABLE).send(create.setDescriptorProto(type.toByteString()).build());
        call.streamId();
        // event_id = "x", trays = 5
        call.proto(0, new byte[] {0x0A, 1, 'x', 0x10, 5});
        call.awaitAck(0);
        call.halfClose();
        call.end();
        node.close();
        node.open();
        assertThat(node.rows(TABLE).getFirst()).containsExactly("x", 5L, null);
    }

    @Test
    void aDescriptorThatDoesNotFitIsRefusedWithTheProtocolsNumberAndCause() {
        var type = descriptor(FieldDescriptorProto.Type.TYPE_SINT32);
        var create =
                CreateIngestStreamRequest.newBuilder()
                        .setTableName(TABLE)
                        .setRecordType(RecordType.PROTO)
                        .setDescriptorProto(type.toByteString());
        var call = client.call(TABLE).send(create.build());
        assertRefused(
                call,
                Status.Code.INVALID_ARGUMENT,
                "column 'trays' is INT and is sent as int32, but the descriptor has sint32");
        var info = call.errorInfo();
        assertThat(info.getReason()).isEqualTo("SCHEMA_VALIDATION_FAILED");
        assertThat(info.getDomain()).isEqualTo("zerobus.databricks.com");
        assertThat(info.getMetadataMap())
                .containsEntry("error_code", "8001")
                .containsEntry("causes", "TYPE_INCOMPATIBLE");
    }

    @Test
    void aRecordOfTheOtherTypeIsRefused() {
        var call = client.openJson().proto(0, new byte[] {0x0A, 1, 'x'});
        assertRefused(
                call, Status.Code.INVALID_ARGUMENT, "opened for JSON records, but a PROTO record");
    }

    @Test
    void aBadRowNamesRowColumnTypeAndHintAndTheBatchIsRefusedWhole() {
        var call = client.openJson();
        call.jsonBatch(
                0,
                List.of(
                        "{\"event_id\":\"a\",\"trays\":1}",
                        "{\"event_id\":\"b\",\"trays\":\"many\"}"));
        assertRefused(
                call,
                Status.Code.INVALID_ARGUMENT,
                "row 1 of the request with offset 0",
                "column 'trays' takes INT, found \"many\"",
                "hint: write a whole number");
        assertThat(call.errorInfo().getReason()).isEqualTo("BAD_RECORD");
        node.close();
        node.open();
        assertThat(node.rows(TABLE)).isEmpty();
    }

    @Test
    void aMissingNotNullColumnIsRefused() {
        assertRefused(
                client.openJson().json(0, "{\"trays\":1}"),
                Status.Code.INVALID_ARGUMENT,
                "column 'event_id' is NOT NULL (STRING), but has no value");
    }

    @Test
    void aMessageOfElevenMebibytesGetsOneClearError() {
        var call = client.openJson();
        call.json(0, "{\"event_id\":\"" + "x".repeat(11 << 20) + "\"}");
        assertRefused(
                call,
                Status.Code.INVALID_ARGUMENT,
                "beyond the limit of 10485760",
                "hint: send fewer rows in one request");
        var next = client.openJson().json(0, "{\"event_id\":\"a\"}");
        next.awaitAck(0);
        next.halfClose();
        next.end();
    }

    @Test
    void aMessageBelowTheLimitIsTaken() {
        var call = client.openJson();
        call.json(0, "{\"event_id\":\"" + "x".repeat((10 << 20) - 200) + "\"}");
        call.awaitAck(0);
        call.halfClose();
        assertThat(call.end().getCode()).isEqualTo(Status.Code.OK);
    }

    @Test
    void oneStreamTooManyIsRefused() {
        for (int i = 0; i < 10; i++) {
            client.openJson();
        }
        var call = client.call(TABLE);
        assertRefused(call, Status.Code.RESOURCE_EXHAUSTED, "10 streams are open");
    }

    @Test
    void garbageOnThePortDoesNotHurtOthers() throws IOException {
        var call = client.openJson().json(0, "{\"event_id\":\"a\"}");
        var random = new Random(7);
        for (int i = 0; i < 20; i++) {
            try (var socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
                var garbage = new byte[1 + random.nextInt(5_000)];
                random.nextBytes(garbage);
                if (i % 2 == 0) {
                    socket.getOutputStream()
                            .write(
                                    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                            .getBytes(StandardCharsets.US_ASCII));
                }
                socket.getOutputStream().write(garbage);
                socket.getOutputStream().flush();
            } catch (java.net.SocketException e) {
                // The server hung up first, as it should.
            }
        }
        call.json(1, "{\"event_id\":\"b\"}");
        call.awaitAck(1);
        call.halfClose();
        assertThat(call.end().getCode()).isEqualTo(Status.Code.OK);
    }

    @Test
    void aMessageThatIsNoRequestIsRefused() {
        var unknownWireType =
                EphemeralStreamRequest.newBuilder()
                        .setUnknownFields(
                                com.google.protobuf.UnknownFieldSet.newBuilder()
                                        .addField(
                                                1,
                                                com.google.protobuf.UnknownFieldSet.Field
                                                        .newBuilder()
                                                        .addLengthDelimited(
                                                                com.google.protobuf.ByteString
                                                                        .copyFrom(
                                                                                new byte[] {
                                                                                    0x0A, 99
                                                                                }))
                                                        .build())
                                        .build())
                        .build();
        assertRefused(
                client.call(TABLE).send(unknownWireType),
                Status.Code.INVALID_ARGUMENT,
                "is not one of the protocol");
    }

    private static DescriptorProto descriptor(FieldDescriptorProto.Type traysType) {
        return DescriptorProto.newBuilder()
                .setName("Demand")
                .addField(
                        FieldDescriptorProto.newBuilder()
                                .setName("event_id")
                                .setNumber(1)
                                .setLabel(FieldDescriptorProto.Label.LABEL_REQUIRED)
                                .setType(FieldDescriptorProto.Type.TYPE_STRING))
                .addField(
                        FieldDescriptorProto.newBuilder()
                                .setName("trays")
                                .setNumber(2)
                                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
                                .setType(traysType))
                .build();
    }

    private static void assertRefused(RawClient.Call call, Status.Code code, String... words) {
        var end = call.end();
        assertThat(end.getCode()).as(String.valueOf(end.getDescription())).isEqualTo(code);
        assertThat(end.getDescription()).contains(words).contains("; hint: ");
    }
}
