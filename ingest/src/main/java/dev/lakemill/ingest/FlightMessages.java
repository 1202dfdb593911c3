package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import dev.lakemill.api.flight.FlightData;
import dev.lakemill.api.flight.PutResult;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.UUID;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;

/**
 * The envelopes of Arrow Flight's DoPut, as Zerobus uses it: JSON beside the batches says what is
 * sent and what is durable, in requests and in rows. Belongs to one call, whose lock guards it.
 */
final class FlightMessages implements Messages<PutResult> {
    private static final String OFFSET = "offset_id";

    private record Offered(long offset, int rows) {}

    private final ArrayDeque<Offered> offered = new ArrayDeque<>();
    private long ackedOffset = -1;
    private long ackedRows;

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public IngestHistory.Protocol protocol() {
        return IngestHistory.Protocol.ARROW_FLIGHT;
    }

    @Override
    public Inbound read(CodedInputStream in) throws IOException {
        return read(FlightData.parseFrom(in));
    }

    private static Inbound read(FlightData data) throws IOException {
        if (data.getDataHeader().isEmpty()) {
            return new Inbound.Empty();
        }
        byte kind;
        try {
            kind =
                    Message.getRootAsMessage(data.getDataHeader().asReadOnlyByteBuffer())
                            .headerType();
        } catch (IndexOutOfBoundsException e) {
            return new Inbound.Malformed("data_header is not a message of Arrow's");
        }
        return switch (kind) {
            case MessageHeader.Schema -> new Inbound.ArrowSchema(data.getDataHeader());
            case MessageHeader.RecordBatch -> {
                var offset = offset(data.getAppMetadata());
                yield new Inbound.ArrowBatch(
                        offset >= 0, offset, data.getDataHeader(), data.getDataBody());
            }
            default ->
                    new Inbound.Malformed(
                            "it is neither a schema nor a record batch; dictionaries are not"
                                    + " taken");
        };
    }

    /** What {@code {"offset_id":k}} says; -1 when it says nothing. */
    private static long offset(ByteString metadata) throws IOException {
        try (var json = JsonEncoder.FACTORY.createParser(metadata.toByteArray())) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return -1;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                var value = json.nextToken();
                if (name.equals(OFFSET)) {
                    return value == JsonToken.VALUE_NUMBER_INT ? json.getLongValue() : -1;
                }
                json.skipChildren();
            }
            return -1;
        } catch (JsonProcessingException e) {
            return -1;
        }
    }

    @Override
    public PutResult created(UUID stream) {
        return answer("");
    }

    @Override
    public PutResult resumed(long lastOffset) {
        throw new IllegalStateException("an ephemeral stream is never resumed");
    }

    @Override
    public void offering(long offset, int rows) {
        offered.add(new Offered(offset, rows));
    }

    @Override
    public void notTaken() {
        offered.removeLast();
    }

    @Override
    public PutResult acknowledged(long offset) {
        while (!offered.isEmpty() && offered.peek().offset() <= offset) {
            ackedRows += offered.remove().rows();
        }
        ackedOffset = offset;
        return answer("");
    }

    @Override
    public PutResult closing(Duration grace) {
        return answer(",\"close_stream_duration_ms\":" + grace.toMillis());
    }

    private PutResult answer(String more) {
        var json =
                "{\"ack_up_to_offset\":%d,\"ack_up_to_records\":%d%s}"
                        .formatted(ackedOffset, ackedRows, more);
        return PutResult.newBuilder().setAppMetadata(ByteString.copyFromUtf8(json)).build();
    }
}
