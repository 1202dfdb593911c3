package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.api.zerobus.JsonRecordBatch;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A producer that says exactly what the test wants, right or wrong. */
final class RawClient implements AutoCloseable {
    static final String TABLE = "farm.bronze.demand";

    private final ManagedChannel channel;

    RawClient(int port) {
        channel =
                NettyChannelBuilder.forAddress("127.0.0.1", port)
                        .usePlaintext()
                        .directExecutor()
                        .build();
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    /** A call whose table header is as given; null for none. */
    Call call(@Nullable String headerTable) {
        return call(headerTable, "Bearer token");
    }

    Call call(@Nullable String headerTable, @Nullable String authorization) {
        var headers = new Metadata();
        if (authorization != null) {
            headers.put(
                    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                    authorization);
        }
        if (headerTable != null) {
            headers.put(
                    Metadata.Key.of(Opening.TABLE_HEADER, Metadata.ASCII_STRING_MARSHALLER),
                    headerTable);
        }
        var call = new Call();
        var withHeaders = MetadataUtils.newAttachHeadersInterceptor(headers);
        var started =
                ClientInterceptors.intercept(channel, withHeaders, call.heads())
                        .newCall(ZerobusGrpc.getEphemeralStreamMethod(), CallOptions.DEFAULT);
        ClientCalls.asyncBidiStreamingCall(started, call);
        return call;
    }

    /** An open JSON stream. */
    Call openJson() {
        var call = call(TABLE);
        call.send(createJson(TABLE));
        call.streamId();
        return call;
    }

    static CreateIngestStreamRequest createJson(String table) {
        return CreateIngestStreamRequest.newBuilder()
                .setTableName(table)
                .setRecordType(RecordType.JSON)
                .build();
    }

    /** The descriptor of a record with one text, {@code event_id}. */
    static ByteString descriptor() {
        return DescriptorProto.newBuilder()
                .setName("Record")
                .addField(
                        FieldDescriptorProto.newBuilder()
                                .setName("event_id")
                                .setNumber(1)
                                .setType(FieldDescriptorProto.Type.TYPE_STRING)
                                .setLabel(FieldDescriptorProto.Label.LABEL_REQUIRED))
                .build()
                .toByteString();
    }

    /** One stream, seen from the producer. */
    static final class Call
            implements ClientResponseObserver<EphemeralStreamRequest, EphemeralStreamResponse> {
        private final LinkedBlockingQueue<EphemeralStreamResponse> responses =
                new LinkedBlockingQueue<>();
        private final CompletableFuture<Status> end = new CompletableFuture<>();
        private final CompletableFuture<ErrorInfo> errorInfo = new CompletableFuture<>();
        private final CompletableFuture<Boolean> headers = new CompletableFuture<>();
        private final CompletableFuture<ClientCallStreamObserver<EphemeralStreamRequest>> requests =
                new CompletableFuture<>();

        /** Hears of the response headers. */
        private ClientInterceptor heads() {
            return new ClientInterceptor() {
                @Override
                public <Q, R> ClientCall<Q, R> interceptCall(
                        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
                    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                        @Override
                        public void start(Listener<R> listener, Metadata metadata) {
                            super.start(hearing(listener), metadata);
                        }
                    };
                }
            };
        }

        private <R> ClientCall.Listener<R> hearing(ClientCall.Listener<R> listener) {
            return new SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onHeaders(Metadata metadata) {
                    headers.complete(true);
                    super.onHeaders(metadata);
                }
            };
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<EphemeralStreamRequest> stream) {
            requests.complete(stream);
        }

        @Override
        public void onNext(EphemeralStreamResponse response) {
            responses.add(response);
        }

        @Override
        public void onError(Throwable t) {
            var details = StatusProto.fromThrowable(t);
            if (details != null && details.getDetailsCount() > 0) {
                try {
                    errorInfo.complete(details.getDetails(0).unpack(ErrorInfo.class));
                } catch (InvalidProtocolBufferException e) {
                    errorInfo.completeExceptionally(e);
                }
            }
            end.complete(Status.fromThrowable(t));
        }

        @Override
        public void onCompleted() {
            end.complete(Status.OK);
        }

        Call send(EphemeralStreamRequest request) {
            get(requests).onNext(request);
            return this;
        }

        Call send(CreateIngestStreamRequest create) {
            return send(EphemeralStreamRequest.newBuilder().setCreateStream(create).build());
        }

        Call json(long offset, String record) {
            return send(
                    EphemeralStreamRequest.newBuilder()
                            .setIngestRecord(
                                    IngestRecordRequest.newBuilder()
                                            .setOffsetId(offset)
                                            .setJsonRecord(record))
                            .build());
        }

        Call proto(long offset, byte[] record) {
            return send(
                    EphemeralStreamRequest.newBuilder()
                            .setIngestRecord(
                                    IngestRecordRequest.newBuilder()
                                            .setOffsetId(offset)
                                            .setProtoEncodedRecord(ByteString.copyFrom(record)))
                            .build());
        }

        Call jsonBatch(long offset, List<String> records) {
            return send(
                    EphemeralStreamRequest.newBuilder()
                            .setIngestRecordBatch(
                                    IngestRecordBatchRequest.newBuilder()
                                            .setOffsetId(offset)
                                            .setJsonBatch(
                                                    JsonRecordBatch.newBuilder()
                                                            .addAllRecords(records)))
                            .build());
        }

        void halfClose() {
            get(requests).onCompleted();
        }

        void cancel() {
            get(requests).cancel("the test's", null);
        }

        /** Completes when the response headers came. */
        void headersCame() {
            get(headers);
        }

        EphemeralStreamResponse next() {
            try {
                var response = responses.poll(120, TimeUnit.SECONDS);
                if (response == null) {
                    throw new AssertionError("no response; end: " + end.getNow(null));
                }
                return response;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        String streamId() {
            return next().getCreateStreamResponse().getStreamId();
        }

        /** Takes acknowledgements until one is {@code offset}; checks that they only grow. */
        void awaitAck(long offset) {
            long last = -1;
            while (last < offset) {
                var response = next();
                if (!response.hasIngestRecordResponse()) {
                    throw new AssertionError("not an acknowledgement: " + response);
                }
                var acked = response.getIngestRecordResponse().getDurabilityAckUpToOffset();
                if (acked <= last || acked > offset) {
                    throw new AssertionError("acknowledged " + acked + " after " + last);
                }
                last = acked;
            }
        }

        Status end() {
            return get(end);
        }

        ErrorInfo errorInfo() {
            end();
            return get(errorInfo);
        }

        private static <T> T get(CompletableFuture<T> future) {
            try {
                return future.get(120, TimeUnit.SECONDS);
            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                throw new AssertionError(e);
            }
        }
    }
}
