package dev.lakemill.api;

import dev.lakemill.api.zerobus.CloseStreamSignal;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.CreatePersistentStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.IngestRecordResponse;
import dev.lakemill.api.zerobus.PersistentStreamRequest;
import dev.lakemill.api.zerobus.PersistentStreamResponse;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The two kinds of streams differ in the envelopes of their messages alone.
 *
 * @param <Q> the requests' envelope
 * @param <R> the answers' envelope
 */
interface Protocol<Q, R> {
    MethodDescriptor<Q, R> method();

    /** Whether offsets go on from connection to connection, and rows stand once. */
    boolean persistent();

    /** The first message; of a persistent stream that is there already, it names it. */
    Q open(CreateIngestStreamRequest create, @Nullable String stream);

    Q request(Request rows, long offset);

    Answer answer(R response);

    /** What a server says. */
    sealed interface Answer {
        record Created(String stream) implements Answer {}

        /** -1 when nothing is durable. */
        record Resumed(long lastOffset) implements Answer {}

        record Acked(long offset) implements Answer {}

        record Closing(Duration grace) implements Answer {}

        record Nothing() implements Answer {}
    }

    /** What no server acknowledges: an acknowledgement without an offset. */
    long NO_OFFSET = Long.MAX_VALUE;

    private static Answer acked(IngestRecordResponse ack) {
        return new Answer.Acked(
                ack.hasDurabilityAckUpToOffset() ? ack.getDurabilityAckUpToOffset() : NO_OFFSET);
    }

    private static Answer closing(CloseStreamSignal signal) {
        var grace = signal.getDuration();
        return new Answer.Closing(
                Duration.ofSeconds(Math.clamp(grace.getSeconds(), 0, 3600), grace.getNanos()));
    }

    Protocol<EphemeralStreamRequest, EphemeralStreamResponse> EPHEMERAL =
            new Protocol<>() {
                @Override
                public MethodDescriptor<EphemeralStreamRequest, EphemeralStreamResponse> method() {
                    return ZerobusGrpc.getEphemeralStreamMethod();
                }

                @Override
                public boolean persistent() {
                    return false;
                }

                @Override
                public EphemeralStreamRequest open(
                        CreateIngestStreamRequest create, @Nullable String stream) {
                    return EphemeralStreamRequest.newBuilder().setCreateStream(create).build();
                }

                @Override
                public EphemeralStreamRequest request(Request rows, long offset) {
                    var message = EphemeralStreamRequest.newBuilder();
                    return rows.batch()
                            ? message.setIngestRecordBatch(rows.batchMessage(offset)).build()
                            : message.setIngestRecord(rows.singleMessage(offset)).build();
                }

                @Override
                public Answer answer(EphemeralStreamResponse response) {
                    return switch (response.getPayloadCase()) {
                        case CREATE_STREAM_RESPONSE ->
                                new Answer.Created(
                                        response.getCreateStreamResponse().getStreamId());
                        case INGEST_RECORD_RESPONSE -> acked(response.getIngestRecordResponse());
                        case CLOSE_STREAM_SIGNAL -> closing(response.getCloseStreamSignal());
                        case PAYLOAD_NOT_SET -> new Answer.Nothing();
                    };
                }
            };

    Protocol<PersistentStreamRequest, PersistentStreamResponse> PERSISTENT =
            new Protocol<>() {
                @Override
                public MethodDescriptor<PersistentStreamRequest, PersistentStreamResponse>
                        method() {
                    return ZerobusGrpc.getPersistentStreamMethod();
                }

                @Override
                public boolean persistent() {
                    return true;
                }

                @Override
                public PersistentStreamRequest open(
                        CreateIngestStreamRequest create, @Nullable String stream) {
                    var message = PersistentStreamRequest.newBuilder();
                    if (stream == null) {
                        var first =
                                CreatePersistentStreamRequest.newBuilder().setCreateStream(create);
                        return message.setCreateStream(first).build();
                    }
                    var again =
                            ResumeIngestStreamRequest.newBuilder()
                                    .setStreamId(stream)
                                    .setRecordType(create.getRecordType());
                    if (create.hasDescriptorProto()) {
                        again.setDescriptorProto(create.getDescriptorProto());
                    }
                    return message.setResumeStream(again).build();
                }

                @Override
                public PersistentStreamRequest request(Request rows, long offset) {
                    var message = PersistentStreamRequest.newBuilder();
                    return rows.batch()
                            ? message.setIngestRecordBatch(rows.batchMessage(offset)).build()
                            : message.setIngestRecord(rows.singleMessage(offset)).build();
                }

                @Override
                public Answer answer(PersistentStreamResponse response) {
                    return switch (response.getPayloadCase()) {
                        case CREATE_STREAM_RESPONSE ->
                                new Answer.Created(
                                        response.getCreateStreamResponse().getStreamId());
                        case RESUME_STREAM_RESPONSE -> {
                            var resumed = response.getResumeStreamResponse();
                            yield new Answer.Resumed(
                                    resumed.hasLastCommittedOffset()
                                            ? resumed.getLastCommittedOffset()
                                            : -1);
                        }
                        case INGEST_RECORD_RESPONSE -> acked(response.getIngestRecordResponse());
                        case CLOSE_STREAM_SIGNAL -> closing(response.getCloseStreamSignal());
                        case PAYLOAD_NOT_SET -> new Answer.Nothing();
                    };
                }
            };
}
