package dev.lakemill.ingest;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Duration;
import dev.lakemill.api.zerobus.CloseStreamSignal;
import dev.lakemill.api.zerobus.CreateIngestStreamResponse;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.IngestRecordResponse;
import dev.lakemill.api.zerobus.PersistentStreamRequest;
import dev.lakemill.api.zerobus.PersistentStreamResponse;
import dev.lakemill.api.zerobus.ResumeIngestStreamResponse;
import java.io.IOException;
import java.util.UUID;

/**
 * The kinds of streams differ in the envelopes of their messages alone: how a request is read and
 * an answer is made.
 *
 * @param <R> the answers' envelope
 */
interface Messages<R> {
    boolean persistent();

    default IngestHistory.Protocol protocol() {
        return IngestHistory.Protocol.GRPC;
    }

    Inbound read(CodedInputStream in) throws IOException;

    /** Rows are on their way to the log, which may say that they are durable any time. */
    default void offering(long offset, int rows) {}

    /** The log did not take the rows that were offered last. */
    default void notTaken() {}

    R created(UUID stream);

    /** Of a persistent stream; -1 when nothing is durable yet. */
    R resumed(long lastOffset);

    R acknowledged(long offset);

    R closing(java.time.Duration grace);

    Messages<EphemeralStreamResponse> EPHEMERAL =
            new Messages<>() {
                @Override
                public boolean persistent() {
                    return false;
                }

                @Override
                public Inbound read(CodedInputStream in) throws IOException {
                    var request = EphemeralStreamRequest.parseFrom(in);
                    return switch (request.getPayloadCase()) {
                        case CREATE_STREAM -> new Inbound.Create(request.getCreateStream());
                        case INGEST_RECORD -> new Inbound.Single(request.getIngestRecord());
                        case INGEST_RECORD_BATCH ->
                                new Inbound.Batch(request.getIngestRecordBatch());
                        case PAYLOAD_NOT_SET -> new Inbound.Empty();
                    };
                }

                @Override
                public EphemeralStreamResponse created(UUID stream) {
                    return EphemeralStreamResponse.newBuilder()
                            .setCreateStreamResponse(createResponse(stream))
                            .build();
                }

                @Override
                public EphemeralStreamResponse resumed(long lastOffset) {
                    throw new IllegalStateException("an ephemeral stream is never resumed");
                }

                @Override
                public EphemeralStreamResponse acknowledged(long offset) {
                    return EphemeralStreamResponse.newBuilder()
                            .setIngestRecordResponse(acknowledgement(offset))
                            .build();
                }

                @Override
                public EphemeralStreamResponse closing(java.time.Duration grace) {
                    return EphemeralStreamResponse.newBuilder()
                            .setCloseStreamSignal(closeSignal(grace))
                            .build();
                }
            };

    Messages<PersistentStreamResponse> PERSISTENT =
            new Messages<>() {
                @Override
                public boolean persistent() {
                    return true;
                }

                @Override
                public Inbound read(CodedInputStream in) throws IOException {
                    var request = PersistentStreamRequest.parseFrom(in);
                    return switch (request.getPayloadCase()) {
                        case CREATE_STREAM ->
                                new Inbound.Create(request.getCreateStream().getCreateStream());
                        case RESUME_STREAM -> new Inbound.Resume(request.getResumeStream());
                        case INGEST_RECORD -> new Inbound.Single(request.getIngestRecord());
                        case INGEST_RECORD_BATCH ->
                                new Inbound.Batch(request.getIngestRecordBatch());
                        case PAYLOAD_NOT_SET -> new Inbound.Empty();
                    };
                }

                @Override
                public PersistentStreamResponse created(UUID stream) {
                    return PersistentStreamResponse.newBuilder()
                            .setCreateStreamResponse(createResponse(stream))
                            .build();
                }

                @Override
                public PersistentStreamResponse resumed(long lastOffset) {
                    var resumed = ResumeIngestStreamResponse.newBuilder();
                    if (lastOffset >= 0) {
                        resumed.setLastCommittedOffset(lastOffset);
                    }
                    return PersistentStreamResponse.newBuilder()
                            .setResumeStreamResponse(resumed)
                            .build();
                }

                @Override
                public PersistentStreamResponse acknowledged(long offset) {
                    return PersistentStreamResponse.newBuilder()
                            .setIngestRecordResponse(acknowledgement(offset))
                            .build();
                }

                @Override
                public PersistentStreamResponse closing(java.time.Duration grace) {
                    return PersistentStreamResponse.newBuilder()
                            .setCloseStreamSignal(closeSignal(grace))
                            .build();
                }
            };

    private static CreateIngestStreamResponse.Builder createResponse(UUID stream) {
        return CreateIngestStreamResponse.newBuilder().setStreamId(stream.toString());
    }

    private static IngestRecordResponse.Builder acknowledgement(long offset) {
        return IngestRecordResponse.newBuilder().setDurabilityAckUpToOffset(offset);
    }

    private static CloseStreamSignal.Builder closeSignal(java.time.Duration grace) {
        return CloseStreamSignal.newBuilder()
                .setDuration(
                        Duration.newBuilder()
                                .setSeconds(grace.toSeconds())
                                .setNanos(grace.toNanosPart()));
    }
}
