package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Instant;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Arrow Flight's DoPut as Zerobus uses it, against a real server. */
@Timeout(300)
final class FlightTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER));

    @TempDir private Path folder;
    private final BufferAllocator allocator = new RootAllocator();
    private Node node = new Node(Path.of("none"));

    @BeforeEach
    void open() {
        node = new Node(folder).table(TABLE, SCHEMA).open().listen();
    }

    @AfterEach
    void close() {
        node.close();
        allocator.close();
    }

    private FlightPut put(String table) {
        return new FlightPut(node.port(), table, SCHEMA, allocator);
    }

    @Test
    void readyThenAcksInRequestsAndRowsThenTheEnd() throws Exception {
        try (var put = put(TABLE).schema()) {
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":-1,\"ack_up_to_records\":0}");
            put.batch(0, "{\"event_id\":\"a\",\"trays\":3}", "{\"event_id\":\"b\"}");
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":0,\"ack_up_to_records\":2}");
            put.batch(1, "{\"event_id\":\"c\"}");
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":1,\"ack_up_to_records\":3}");
            put.done();
            assertThat(Status.fromThrowable(put.end()).isOk()).isTrue();
        }
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).containsExactly("a", "b", "c");
    }

    @Test
    void aGapInTheOffsetsIsRefusedByItsNumber() throws Exception {
        try (var put = put(TABLE).schema().batch(1, "{\"event_id\":\"a\"}")) {
            put.next();
            assertThat(put.errorInfo().getMetadataMap()).containsEntry("error_code", "4002");
        }
    }

    @Test
    void aSchemaThatDoesNotFitIsRefusedByItsCause() throws Exception {
        var other = TableSchema.of(Column.nullable("trays", Primitive.INTEGER));
        var header = ArrowMessages.schema(dev.lakemill.types.ArrowTypes.schema(other));
        try (var put = put(TABLE).schema(header)) {
            var info = put.errorInfo();
            assertThat(info.getReason()).isEqualTo("SCHEMA_VALIDATION_FAILED");
            assertThat(info.getMetadataMap())
                    .containsEntry("error_code", "8001")
                    .containsEntry("causes", "MISSING_REQUIRED_COLUMN");
        }
    }

    @Test
    void whatIsNoArrowIsRefused() throws Exception {
        try (var put = put(TABLE).schema(ByteString.copyFromUtf8("nonsense of some length"))) {
            assertThat(Status.fromThrowable(put.end()).getCode())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT);
        }
        try (var put = put("a.b.c").schema()) {
            assertThat(Status.fromThrowable(put.end()).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        }
        try (var put = put(TABLE).batch(0, "{\"event_id\":\"a\"}")) {
            assertThat(put.end()).hasMessageContaining("first message");
        }
    }

    @Test
    void aTokenThatEndsBringsACloseSignalWithWhatIsDurable() throws Exception {
        node.access().expireAt(Instant.now().plusSeconds(10));
        try (var put = put(TABLE).schema()) {
            put.next();
            put.batch(0, "{\"event_id\":\"a\"}");
            var seen = put.next() + put.next();
            assertThat(seen)
                    .contains("\"ack_up_to_records\":1")
                    .contains("\"close_stream_duration_ms\":20000");
        }
    }
}
