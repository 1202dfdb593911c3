package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.zerobus.CreatePersistentStreamRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.api.zerobus.PersistentStreamRequest;
import dev.lakemill.api.zerobus.PersistentStreamResponse;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import dev.lakemill.api.zerobus.RetireStreamRequest;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.DelayedDisk;
import dev.lakemill.wal.Disk;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A persistent stream goes on where it was, and each of its requests stands in Bronze once. */
@Timeout(300)
final class PersistentStreamTest {
    private static final String TABLE = RawClient.TABLE;
    private static final String LETTERS = "farm.bronze.letters";
    private static final TableSchema SCHEMA =
            TableSchema.of(Column.required("event_id", Primitive.STRING));

    @TempDir private Path folder;
    private Node node;
    private ManagedChannel channel;

    @BeforeEach
    void open() {
        node = new Node(folder).table(TABLE, SCHEMA).open().listen();
        connect();
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        node.close();
    }

    @Test
    void aNewStreamThatNothingCameThroughStartsAtZero() {
        var id = new Call().create();
        restart();
        var response = new Call().resume(id).next().getResumeStreamResponse();
        assertThat(response.hasLastCommittedOffset()).isFalse();
    }

    @Test
    void aStreamGoesOnAfterItsLastDurableRequest() {
        var first = new Call();
        var id = first.create();
        first.send(0).send(1).awaitAck(1);
        first.cancel();
        var second = new Call().resume(id);
        assertThat(second.next().getResumeStreamResponse().getLastCommittedOffset()).isEqualTo(1);
        second.send(2).awaitAck(2);
        second.finish();
        assertThat(stored()).containsExactly("0", "1", "2");
    }

    @Test
    void aStreamOutlivesTheServerBeforeAndAfterItsRowsAreInDelta() {
        var call = new Call();
        var id = call.create();
        call.send(0).awaitAck(0);
        restart();
        call = new Call().resume(id);
        assertThat(call.next().getResumeStreamResponse().getLastCommittedOffset()).isZero();
        call.send(1).awaitAck(1);
        Node.await("rows are in Delta", () -> node.firsts(TABLE).size() == 2);
        restart();
        call = new Call().resume(id);
        assertThat(call.next().getResumeStreamResponse().getLastCommittedOffset()).isEqualTo(1);
        assertThat(node.firsts(TABLE)).containsExactly("0", "1");
    }

    @Test
    void aRequestThatIsNotTheNextIsRefused() {
        var call = new Call();
        var id = call.create();
        call.send(0).awaitAck(0);
        call.cancel();
        var again = new Call().resume(id);
        again.next();
        again.send(0);
        assertThat(again.end().getDescription()).contains("offset_id is 0 where 1 comes next");
    }

    @Test
    void aLaterConnectionTakesTheStreamOver() {
        var first = new Call();
        var id = first.create();
        first.send(0).awaitAck(0);
        var second = new Call().resume(id);
        assertThat(second.next().getResumeStreamResponse().getLastCommittedOffset()).isZero();
        assertThat(first.end().getDescription()).contains("took stream " + id + " over");
        second.send(1).awaitAck(1);
    }

    private void reopen(Node other) {
        channel.shutdownNow();
        node.close();
        node = other.open().listen();
        connect();
    }

    /** Its offset is asked for while the disk still works on its last request. */
    @Test
    void aStreamIsResumedOnlyWhenWhatItSentIsDurable() {
        var gate = new Gate();
        reopen(
                new Node(folder)
                        .table(TABLE, SCHEMA)
                        .with(new DelayedDisk(Disk.real(), gate), Bronze::of));
        var first = new Call();
        var id = first.create();
        first.send(0).awaitAck(0);
        gate.open(false);
        try {
            first.send(1);
            Node.await("it is on its way", () -> node.ingest().totals().requests() == 2);
            var second = new Call().resume(id);
            assertThat(second.came).isEmpty();
            gate.open(true);
            assertThat(second.next().getResumeStreamResponse().getLastCommittedOffset())
                    .isEqualTo(1);
            second.send(2).awaitAck(2);
            second.finish();
        } finally {
            gate.open(true);
        }
        assertThat(stored()).containsExactly("0", "1", "2");
    }

    /** Requests without a row of their own are counted in Delta by themselves. */
    @Test
    void aStreamWhoseLastRowsWereAllBadIsResumedAndRetired() {
        reopenWithLetters(Bronze::of);
        var call = new Call();
        var id = call.create();
        call.send(0).sendBad(1).sendBad(2).awaitAck(2);
        call.finish();
        restart();
        call = new Call().resume(id);
        assertThat(call.next().getResumeStreamResponse().getLastCommittedOffset()).isEqualTo(2);
        call.sendBad(3).awaitAck(3);
        call.finish();
        retire(id);
        restart();
        assertThat(new Call().resume(id).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(node.firsts(TABLE)).containsExactly("0");
        assertThat(node.firsts(LETTERS)).hasSize(3);
    }

    private void reopenWithLetters(Node.Bronzes bronzes) {
        var policy =
                new RowPolicy(Optional.empty(), Optional.of(TableName.parse(LETTERS)), Set.of());
        reopen(
                new Node(folder)
                        .table(TABLE, SCHEMA)
                        .table(
                                LETTERS,
                                TableSchema.of(
                                        Column.required("payload", Primitive.STRING),
                                        Column.required("error", Primitive.STRING)))
                        .with(
                                table ->
                                        table.name().toString().equals(TABLE)
                                                ? policy
                                                : RowPolicy.REFUSE)
                        .with(Disk.real(), bronzes));
    }

    /** The log still has its last request, which held no rows, and Delta that it is retired. */
    @Test
    void aStreamStaysRetiredWhenItsLastRequestIsReplayed() {
        var bronze = new FailingBronze(false);
        reopenWithLetters(bronze);
        var other = new Call();
        other.create();
        var call = new Call();
        var id = call.create();
        call.sendBad(0).awaitAck(0);
        call.finish();
        retire(id);
        bronze.full.set(true);
        other.send(0).awaitAck(0);
        channel.shutdownNow();
        node.kill();
        bronze.full.set(false);
        node.open().listen();
        assertThat(stored()).containsExactly("0");
        connect();
        assertThat(new Call().resume(id).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void nobodyTakesAStreamOverThatIsBeingRetired() throws InterruptedException {
        var bronze = new FailingBronze(false);
        reopen(new Node(folder).table(TABLE, SCHEMA).with(Disk.real(), bronze));
        var call = new Call();
        var id = call.create();
        // Its last row is not in Delta while it is full, and the stream is not retired before.
        bronze.full.set(true);
        call.send(0).awaitAck(0);
        var retiring = Thread.startVirtualThread(() -> retire(id));
        assertThat(call.end().getDescription()).contains("stream " + id);
        var second = new Call().resume(id);
        assertThat(second.end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        bronze.full.set(false);
        retiring.join();
        restart();
        assertThat(new Call().resume(id).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(node.firsts(TABLE)).containsExactly("0");
    }

    @Test
    void aRetiredStreamIsNoMore() {
        var call = new Call();
        var id = call.create();
        call.send(0).awaitAck(0);
        call.finish();
        retire(id);
        retire(id);
        assertThat(new Call().resume(id).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        restart();
        assertThat(new Call().resume(id).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(node.firsts(TABLE)).containsExactly("0");
    }

    @Test
    void whatWasNeverCreatedCanNeitherBeResumedNorRetired() {
        var unknown = "0198c0de-0000-8002-8000-000000000000";
        assertThat(new Call().resume(unknown).end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(new Call().resume("x").end().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThatThrownBy(() -> retire(unknown))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("NOT_FOUND");
    }

    @Test
    void aStreamIsResumedWithItsOwnRecordType() {
        var call = new Call();
        var id = call.create();
        call.cancel();
        var proto = new Call();
        proto.send(
                PersistentStreamRequest.newBuilder()
                        .setResumeStream(
                                ResumeIngestStreamRequest.newBuilder()
                                        .setStreamId(id)
                                        .setDescriptorProto(RawClient.descriptor())));
        assertThat(proto.end().getDescription()).contains("was created for JSON records");
    }

    @Test
    void eachRequestStandsOnceHoweverOftenConnectionAndServerEnd() {
        var seed = Long.getLong("lakemill.seed", System.nanoTime());
        var random = new Random(seed);
        var call = new Call();
        var id = call.create();
        long next = 0;
        for (var round = 0; round < 12; round++) {
            for (var i = random.nextInt(30); i >= 0; i--) {
                call.send(next++);
            }
            if (random.nextInt(3) == 0) {
                call.awaitAck(next - 1);
            }
            if (random.nextInt(3) == 0) {
                restart();
            } else {
                call.cancel();
            }
            call = new Call().resume(id);
            var resumed = call.next().getResumeStreamResponse();
            next = resumed.hasLastCommittedOffset() ? resumed.getLastCommittedOffset() + 1 : 0;
        }
        call.finish();
        var expected = new ArrayList<String>();
        for (var i = 0L; i < next; i++) {
            expected.add(String.valueOf(i));
        }
        assertThat(stored()).as("seed %d", seed).isEqualTo(expected);
    }

    private void connect() {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", node.port()).usePlaintext().build();
    }

    private void restart() {
        channel.shutdownNow();
        node.close();
        node.open().listen();
        connect();
    }

    private List<String> stored() {
        node.close();
        node.open().listen();
        return node.firsts(TABLE);
    }

    private ZerobusGrpc.ZerobusStub stub() {
        var interceptor = MetadataUtils.newAttachHeadersInterceptor(headers());
        return ZerobusGrpc.newStub(ClientInterceptors.intercept(channel, interceptor));
    }

    private void retire(String id) {
        var interceptor = MetadataUtils.newAttachHeadersInterceptor(headers());
        ZerobusGrpc.newBlockingStub(ClientInterceptors.intercept(channel, interceptor))
                .retireStream(
                        RetireStreamRequest.newBuilder()
                                .setTableName(TABLE)
                                .setStreamId(id)
                                .build());
    }

    private static Metadata headers() {
        var headers = new Metadata();
        headers.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer token");
        headers.put(Metadata.Key.of(Opening.TABLE_HEADER, Metadata.ASCII_STRING_MARSHALLER), TABLE);
        return headers;
    }

    /** One connection of a stream, seen from the producer. */
    private final class Call implements StreamObserver<PersistentStreamResponse> {
        private final LinkedBlockingQueue<Object> came = new LinkedBlockingQueue<>();
        private final StreamObserver<PersistentStreamRequest> requests =
                stub().persistentStream(this);

        String create() {
            send(
                    PersistentStreamRequest.newBuilder()
                            .setCreateStream(
                                    CreatePersistentStreamRequest.newBuilder()
                                            .setCreateStream(RawClient.createJson(TABLE))));
            return next().getCreateStreamResponse().getStreamId();
        }

        Call resume(String id) {
            return send(
                    PersistentStreamRequest.newBuilder()
                            .setResumeStream(
                                    ResumeIngestStreamRequest.newBuilder()
                                            .setStreamId(id)
                                            .setRecordType(RecordType.JSON)));
        }

        Call send(long offset) {
            return send(
                    PersistentStreamRequest.newBuilder()
                            .setIngestRecord(
                                    IngestRecordRequest.newBuilder()
                                            .setOffsetId(offset)
                                            .setJsonRecord(
                                                    "{\"event_id\":\"%d\"}".formatted(offset))));
        }

        Call sendBad(long offset) {
            return send(
                    PersistentStreamRequest.newBuilder()
                            .setIngestRecord(
                                    IngestRecordRequest.newBuilder()
                                            .setOffsetId(offset)
                                            .setJsonRecord("{\"event_id\":7}")));
        }

        Call send(PersistentStreamRequest.Builder request) {
            try {
                requests.onNext(request.build());
            } catch (IllegalStateException _) {
                // The connection ended; what comes says so.
            }
            return this;
        }

        void cancel() {
            requests.onError(Status.CANCELLED.asException());
        }

        void finish() {
            requests.onCompleted();
            assertThat(end().getCode()).isEqualTo(Status.Code.OK);
        }

        PersistentStreamResponse next() {
            var response = poll();
            assertThat(response).isInstanceOf(PersistentStreamResponse.class);
            return (PersistentStreamResponse) response;
        }

        void awaitAck(long offset) {
            long acked = -1;
            while (acked < offset) {
                acked = next().getIngestRecordResponse().getDurabilityAckUpToOffset();
            }
            assertThat(acked).isEqualTo(offset);
        }

        Status end() {
            while (true) {
                if (poll() instanceof Status status) {
                    return status;
                }
            }
        }

        private Object poll() {
            try {
                var response = came.poll(120, TimeUnit.SECONDS);
                assertThat(response).as("what came").isNotNull();
                return response;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void onNext(PersistentStreamResponse response) {
            came.add(response);
        }

        @Override
        public void onError(Throwable t) {
            came.add(Status.fromThrowable(t));
        }

        @Override
        public void onCompleted() {
            came.add(Status.OK);
        }
    }
}
