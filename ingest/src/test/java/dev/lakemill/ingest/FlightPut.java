package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import dev.lakemill.api.flight.FlightData;
import dev.lakemill.api.flight.FlightServiceGrpc;
import dev.lakemill.api.flight.PutResult;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.TableSchema;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;

/** One call of Arrow Flight's DoPut, seen from a producer that knows one form of its table. */
final class FlightPut implements StreamObserver<PutResult>, AutoCloseable {
    private final TableSchema known;
    private final BufferAllocator allocator;
    private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final CompletableFuture<Throwable> end = new CompletableFuture<>();
    private final ManagedChannel channel;
    private final StreamObserver<FlightData> requests;

    FlightPut(int port, String table, TableSchema known, BufferAllocator allocator) {
        this.known = known;
        this.allocator = allocator;
        this.channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        var headers = new Metadata();
        headers.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer token");
        headers.put(Metadata.Key.of(Opening.TABLE_HEADER, Metadata.ASCII_STRING_MARSHALLER), table);
        this.requests =
                FlightServiceGrpc.newStub(channel)
                        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                        .doPut(this);
    }

    FlightPut schema() {
        return schema(ArrowMessages.schema(ArrowTypes.schema(known)));
    }

    FlightPut schema(ByteString header) {
        requests.onNext(FlightData.newBuilder().setDataHeader(header).build());
        return this;
    }

    FlightPut batch(long offset, String... records) {
        try (var rows = ArrowMessages.rows(known, List.of(records), allocator)) {
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

    void done() {
        requests.onCompleted();
    }

    String next() throws InterruptedException {
        var answer = answers.poll(120, TimeUnit.SECONDS);
        return answer == null ? "nothing; the end is " + end.getNow(null) : answer;
    }

    /** Takes answers until one acknowledges the offset; -1 for the one that opens the stream. */
    void awaitAck(long offset) throws InterruptedException {
        var answer = next();
        while (!answer.contains("\"ack_up_to_offset\":" + offset + ",")) {
            assertThat(answer).startsWith("{");
            answer = next();
        }
    }

    Throwable end() throws Exception {
        return end.get(120, TimeUnit.SECONDS);
    }

    ErrorInfo errorInfo() throws Exception {
        var failure = end();
        var status = StatusProto.fromThrowable(failure);
        assertThat(status).as(String.valueOf(failure)).isNotNull();
        return Objects.requireNonNull(status).getDetails(0).unpack(ErrorInfo.class);
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
