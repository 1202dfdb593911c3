package dev.lakemill.farm;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.CreateIngestStreamResponse;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.IngestRecordResponse;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server that keeps the event id of every row, acknowledges each request, and refuses records as
 * the real one does. It can lack a table, and lose a connection before it acknowledges what it
 * kept.
 */
final class DoorServer extends ZerobusGrpc.ZerobusImplBase implements AutoCloseable {
    private static final Pattern EVENT_ID = Pattern.compile("\"event_id\":\"([^\"]+)\"");

    final ConcurrentMap<String, Queue<String>> ids = new ConcurrentHashMap<>();
    final AtomicInteger refused = new AtomicInteger();
    volatile String missingTable = "";
    private final AtomicInteger requestsUntilLoss = new AtomicInteger(Integer.MAX_VALUE);
    private final Server server;

    DoorServer() {
        try {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            server = NettyServerBuilder.forAddress(address).addService(this).build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String endpoint() {
        return "127.0.0.1:" + server.getPort();
    }

    /** The connection that brings the n-th request from now is lost after the row is kept. */
    void loseConnectionAfter(int requests) {
        requestsUntilLoss.set(requests);
    }

    @Override
    public StreamObserver<EphemeralStreamRequest> ephemeralStream(
            StreamObserver<EphemeralStreamResponse> responses) {
        return new Stream(responses);
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private final class Stream implements StreamObserver<EphemeralStreamRequest> {
        private final StreamObserver<EphemeralStreamResponse> responses;
        private CreateIngestStreamRequest create = CreateIngestStreamRequest.getDefaultInstance();
        private boolean ended;

        Stream(StreamObserver<EphemeralStreamResponse> responses) {
            this.responses = responses;
        }

        @Override
        public void onNext(EphemeralStreamRequest request) {
            if (ended) {
                return;
            }
            if (request.hasCreateStream()) {
                create = request.getCreateStream();
                if (create.getTableName().equals(missingTable)) {
                    end(Status.NOT_FOUND.withDescription("no such table"));
                    return;
                }
                var created = CreateIngestStreamResponse.newBuilder().setStreamId("s");
                send(EphemeralStreamResponse.newBuilder().setCreateStreamResponse(created));
            } else {
                take(request);
            }
        }

        private void take(EphemeralStreamRequest request) {
            for (var id : eventIds(request)) {
                if (id.isEmpty()) {
                    refused.incrementAndGet();
                    end(Status.INVALID_ARGUMENT.withDescription("bad record"));
                    return;
                }
                ids.computeIfAbsent(create.getTableName(), _ -> new ConcurrentLinkedQueue<>())
                        .add(id);
            }
            if (requestsUntilLoss.decrementAndGet() == 0) {
                end(Status.UNAVAILABLE);
                return;
            }
            var offset =
                    request.hasIngestRecord()
                            ? request.getIngestRecord().getOffsetId()
                            : request.getIngestRecordBatch().getOffsetId();
            send(
                    EphemeralStreamResponse.newBuilder()
                            .setIngestRecordResponse(
                                    IngestRecordResponse.newBuilder()
                                            .setDurabilityAckUpToOffset(offset)));
        }

        private List<String> eventIds(EphemeralStreamRequest request) {
            var batch = request.getIngestRecordBatch();
            if (create.getRecordType() == RecordType.PROTO) {
                var type = type(create.getDescriptorProto());
                return batch.getProtoEncodedBatch().getRecordsList().stream()
                        .map(record -> eventId(type, record))
                        .toList();
            }
            var records =
                    request.hasIngestRecord()
                            ? List.of(request.getIngestRecord().getJsonRecord())
                            : batch.getJsonBatch().getRecordsList();
            return records.stream().map(DoorServer::eventId).toList();
        }

        private void send(EphemeralStreamResponse.Builder response) {
            responses.onNext(response.build());
        }

        private void end(Status status) {
            ended = true;
            responses.onError(status.asRuntimeException());
        }

        @Override
        public void onError(Throwable t) {
            ended = true;
        }

        @Override
        public void onCompleted() {
            if (!ended) {
                responses.onCompleted();
            }
        }
    }

    /** The id of a whole record with all NOT NULL columns; else empty. */
    private static String eventId(String json) {
        Matcher id = EVENT_ID.matcher(json);
        var whole = json.startsWith("{") && json.endsWith("}") && json.contains("\"sent_at\":");
        return whole && id.find() ? id.group(1) : "";
    }

    private static String eventId(Descriptor type, ByteString record) {
        try {
            var message = DynamicMessage.parseFrom(type, record);
            return (String) message.getField(type.findFieldByName("event_id"));
        } catch (InvalidProtocolBufferException e) {
            return "";
        }
    }

    private static Descriptor type(ByteString descriptor) {
        try {
            var file =
                    FileDescriptorProto.newBuilder()
                            .setName("row.proto")
                            .addMessageType(DescriptorProto.parseFrom(descriptor))
                            .build();
            return FileDescriptor.buildFrom(file, new FileDescriptor[0])
                    .getMessageTypes()
                    .getFirst();
        } catch (InvalidProtocolBufferException | DescriptorValidationException e) {
            throw new IllegalStateException(e);
        }
    }
}
