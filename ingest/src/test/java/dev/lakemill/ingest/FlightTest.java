package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import dev.lakemill.api.flight.FlightData;
import dev.lakemill.api.flight.FlightServiceGrpc;
import dev.lakemill.api.flight.PutResult;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
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

    /** One call, seen from the producer. */
    private final class Put implements StreamObserver<PutResult>, AutoCloseable {
        private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();
        private final CompletableFuture<Throwable> end = new CompletableFuture<>();
        private final ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", node.port()).usePlaintext().build();
        private final StreamObserver<FlightData> requests;

        Put(String table) {
            var headers = new Metadata();
            headers.put(
                    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                    "Bearer token");
            headers.put(
                    Metadata.Key.of(Opening.TABLE_HEADER, Metadata.ASCII_STRING_MARSHALLER), table);
            requests =
                    FlightServiceGrpc.newStub(channel)
                            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                            .doPut(this);
        }

        Put schema() {
            return schema(ArrowMessages.schema(dev.lakemill.types.ArrowTypes.schema(SCHEMA)));
        }

        Put schema(ByteString header) {
            requests.onNext(FlightData.newBuilder().setDataHeader(header).build());
            return this;
        }

        Put batch(long offset, String... records) {
            try (var rows = ArrowMessages.rows(SCHEMA, List.of(records), allocator)) {
                var batch = ArrowMessages.batch(rows.root(), ArrowMessages.Packing.ZSTD, allocator);
                requests.onNext(
                        FlightData.newBuilder()
                                .setDataHeader(ByteString.copyFrom(batch.header()))
                                .setDataBody(ByteString.copyFrom(batch.body()))
                                .setAppMetadata(
                                        ByteString.copyFromUtf8("{\"offset_id\":" + offset + "}"))
                                .build());
            }
            return this;
        }

        String next() throws InterruptedException {
            var answer = answers.poll(120, TimeUnit.SECONDS);
            return answer == null ? "nothing; the end is " + end.getNow(null) : answer;
        }

        Throwable end() throws Exception {
            return end.get(120, TimeUnit.SECONDS);
        }

        @Override
        public void onNext(PutResult result) {
            answers.add(result.getAppMetadata().toStringUtf8());
        }

        @Override
        public void onError(Throwable failure) {
            end.complete(failure);
        }

        @Override
        public void onCompleted() {
            end.complete(Status.OK.asException());
        }

        @Override
        public void close() {
            channel.shutdownNow();
        }
    }

    @Test
    void readyThenAcksInRequestsAndRowsThenTheEnd() throws Exception {
        try (var put = new Put(TABLE).schema()) {
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":-1,\"ack_up_to_records\":0}");
            put.batch(0, "{\"event_id\":\"a\",\"trays\":3}", "{\"event_id\":\"b\"}");
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":0,\"ack_up_to_records\":2}");
            put.batch(1, "{\"event_id\":\"c\"}");
            assertThat(put.next()).isEqualTo("{\"ack_up_to_offset\":1,\"ack_up_to_records\":3}");
            put.requests.onCompleted();
            assertThat(Status.fromThrowable(put.end()).isOk()).isTrue();
        }
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).containsExactly("a", "b", "c");
    }

    @Test
    void aGapInTheOffsetsIsRefusedByItsNumber() throws Exception {
        try (var put = new Put(TABLE).schema().batch(1, "{\"event_id\":\"a\"}")) {
            put.next();
            assertThat(info(put.end()).getMetadataMap()).containsEntry("error_code", "4002");
        }
    }

    @Test
    void aSchemaThatDoesNotFitIsRefusedByItsCause() throws Exception {
        var other = TableSchema.of(Column.nullable("trays", Primitive.INTEGER));
        var header = ArrowMessages.schema(dev.lakemill.types.ArrowTypes.schema(other));
        try (var put = new Put(TABLE).schema(header)) {
            var info = info(put.end());
            assertThat(info.getReason()).isEqualTo("SCHEMA_VALIDATION_FAILED");
            assertThat(info.getMetadataMap())
                    .containsEntry("error_code", "8001")
                    .containsEntry("causes", "MISSING_REQUIRED_COLUMN");
        }
    }

    @Test
    void whatIsNoArrowIsRefused() throws Exception {
        try (var put = new Put(TABLE).schema(ByteString.copyFromUtf8("nonsense of some length"))) {
            assertThat(Status.fromThrowable(put.end()).getCode())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT);
        }
        try (var put = new Put("a.b.c").schema()) {
            assertThat(Status.fromThrowable(put.end()).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        }
        try (var put = new Put(TABLE).batch(0, "{\"event_id\":\"a\"}")) {
            assertThat(put.end()).hasMessageContaining("first message");
        }
    }

    @Test
    void aTokenThatEndsBringsACloseSignalWithWhatIsDurable() throws Exception {
        node.access().expireAt(Instant.now().plusSeconds(10));
        try (var put = new Put(TABLE).schema()) {
            put.next();
            put.batch(0, "{\"event_id\":\"a\"}");
            var seen = put.next() + put.next();
            assertThat(seen)
                    .contains("\"ack_up_to_records\":1")
                    .contains("\"close_stream_duration_ms\":20000");
        }
    }

    private static ErrorInfo info(Throwable end) throws Exception {
        var status = StatusProto.fromThrowable(end);
        assertThat(status).as(String.valueOf(end)).isNotNull();
        return java.util.Objects.requireNonNull(status).getDetails(0).unpack(ErrorInfo.class);
    }
}
