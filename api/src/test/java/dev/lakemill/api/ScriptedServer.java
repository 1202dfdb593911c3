package dev.lakemill.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import dev.lakemill.api.zerobus.CloseStreamSignal;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.CreateIngestStreamResponse;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.IngestRecordResponse;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A server whose every answer is the test's: each connection shows up in {@link #accept}. */
final class ScriptedServer extends ZerobusGrpc.ZerobusImplBase implements AutoCloseable {
    private static final Context.Key<Metadata> HEADERS = Context.key("headers");

    private final LinkedBlockingQueue<Peer> peers = new LinkedBlockingQueue<>();
    private final Server server;

    ScriptedServer(int port) {
        try {
            server =
                    NettyServerBuilder.forAddress(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                            .addService(this)
                            .intercept(new KeepHeaders())
                            .build()
                            .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ScriptedServer() {
        this(0);
    }

    int port() {
        return server.getPort();
    }

    /** The next connection, after its create request. */
    Peer accept() {
        return poll(peers, "no connection came");
    }

    @Override
    public StreamObserver<EphemeralStreamRequest> ephemeralStream(
            StreamObserver<EphemeralStreamResponse> responses) {
        return new Peer(responses, HEADERS.get());
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private static <T> T poll(LinkedBlockingQueue<T> queue, String problem) {
        try {
            var found = queue.poll(2, TimeUnit.MINUTES);
            if (found == null) {
                throw new AssertionError(problem);
            }
            return found;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** One connection. */
    final class Peer implements StreamObserver<EphemeralStreamRequest> {
        private final StreamObserver<EphemeralStreamResponse> responses;
        private final LinkedBlockingQueue<EphemeralStreamRequest> requests =
                new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
        private final AtomicBoolean completed = new AtomicBoolean();
        private final Metadata headers;
        private volatile @Nullable CreateIngestStreamRequest create;

        Peer(StreamObserver<EphemeralStreamResponse> responses, Metadata headers) {
            this.responses = responses;
            this.headers = headers;
        }

        @Override
        public void onNext(EphemeralStreamRequest request) {
            if (request.hasCreateStream()) {
                create = request.getCreateStream();
                peers.add(this);
            } else {
                requests.add(request);
            }
        }

        @Override
        public void onError(Throwable t) {
            ends.add(Status.fromThrowable(t).getCode().name());
        }

        @Override
        public void onCompleted() {
            complete();
            ends.add("half-closed");
        }

        CreateIngestStreamRequest create() {
            var found = create;
            if (found == null) {
                throw new AssertionError("no create request");
            }
            return found;
        }

        @Nullable String header(String name) {
            return headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
        }

        Peer open() {
            send(
                    EphemeralStreamResponse.newBuilder()
                            .setCreateStreamResponse(
                                    CreateIngestStreamResponse.newBuilder().setStreamId("s")));
            return this;
        }

        EphemeralStreamRequest next() {
            return poll(requests, "no request came");
        }

        /** Takes requests until {@code count} rows came; checks that offsets count up from 0. */
        List<String> rows(int firstOffset, int count) {
            var rows = new ArrayList<String>();
            for (long offset = firstOffset; rows.size() < count; offset++) {
                var request = next();
                if (ScriptedServer.offset(request) != offset) {
                    throw new AssertionError(
                            "offset %d, not %d".formatted(ScriptedServer.offset(request), offset));
                }
                rows.addAll(ScriptedServer.rows(request));
            }
            return rows;
        }

        void ack(long offset) {
            send(
                    EphemeralStreamResponse.newBuilder()
                            .setIngestRecordResponse(
                                    IngestRecordResponse.newBuilder()
                                            .setDurabilityAckUpToOffset(offset)));
        }

        void signalClose(long seconds) {
            send(
                    EphemeralStreamResponse.newBuilder()
                            .setCloseStreamSignal(
                                    CloseStreamSignal.newBuilder()
                                            .setDuration(
                                                    Duration.newBuilder().setSeconds(seconds))));
        }

        void fail(Status status) {
            responses.onError(status.asRuntimeException());
        }

        void complete() {
            if (completed.compareAndSet(false, true)) {
                responses.onCompleted();
            }
        }

        /** How the client ended the call: half-closed or a status code. */
        String end() {
            return poll(ends, "the client did not end the call");
        }

        boolean isQuiet() {
            return requests.isEmpty();
        }

        private void send(EphemeralStreamResponse.Builder response) {
            responses.onNext(response.build());
        }
    }

    static long offset(EphemeralStreamRequest request) {
        return request.hasIngestRecord()
                ? request.getIngestRecord().getOffsetId()
                : request.getIngestRecordBatch().getOffsetId();
    }

    static List<String> rows(EphemeralStreamRequest request) {
        if (request.hasIngestRecord()) {
            var record = request.getIngestRecord();
            return List.of(
                    record.hasJsonRecord()
                            ? record.getJsonRecord()
                            : record.getProtoEncodedRecord().toStringUtf8());
        }
        var batch = request.getIngestRecordBatch();
        return batch.hasJsonBatch()
                ? batch.getJsonBatch().getRecordsList()
                : batch.getProtoEncodedBatch().getRecordsList().stream()
                        .map(ByteString::toStringUtf8)
                        .toList();
    }

    private static final class KeepHeaders implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            var context = Context.current().withValue(HEADERS, headers);
            return Contexts.interceptCall(context, call, headers, next);
        }
    }
}
