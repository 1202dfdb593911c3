package dev.lakemill.ingest;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.grpc.Metadata;
import io.grpc.protobuf.ProtoUtils;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a stream is told that it ends: a gRPC status with one sentence and a hint, and the same for
 * programs as a google.rpc.ErrorInfo. Costs no stack trace: it answers, it does not report.
 */
final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String DOMAIN = "zerobus.databricks.com";

    /** A status message travels in a header; clients limit those to 8 KiB, percent-encoded. */
    private static final int MESSAGE_CHARACTERS_MAX = 1_000;

    /** Of bad rows, so that all fits into the header. */
    private static final int ROWS_TOLD_MAX = 10;

    private static final int ROW_TOLD_MAX = 120;
    private static final Logger LOG = LoggerFactory.getLogger(Refusal.class);
    private static final int PLACES_TOLD_MAX = 200;

    private static final Metadata.Key<Status> DETAILS =
            Metadata.Key.of(
                    "grpc-status-details-bin",
                    ProtoUtils.metadataMarshaller(Status.getDefaultInstance()));

    /** The protocol's names for what went wrong. */
    enum Reason {
        BAD_REQUEST(0),
        BAD_RECORD(0),
        NO_SUCH_TABLE(0),
        NO_SUCH_STREAM(0),
        TAKEN_OVER(0),
        UNAUTHENTICATED(0),
        PERMISSION_DENIED(0),
        LIMIT_REACHED(0),
        NOT_AVAILABLE(0),
        NON_INCREMENTAL_OFFSET(4002),
        SCHEMA_VALIDATION_FAILED(8001);

        private final int number;

        Reason(int number) {
            this.number = number;
        }
    }

    private final ErrorCode code;
    private final Reason reason;
    private final String cause;
    private final HashMap<String, String> told;

    private Refusal(ErrorCode code, Reason reason, String problem, String hint) {
        this(code, reason, problem + "; hint: " + hint, "", Map.of());
    }

    private Refusal(
            ErrorCode code, Reason reason, String message, String cause, Map<String, String> told) {
        super(message, null, false, false);
        this.code = code;
        this.reason = reason;
        this.cause = cause;
        this.told = new HashMap<>(told);
    }

    static Refusal badRequest(String problem, String hint) {
        return new Refusal(ErrorCode.INVALID_ARGUMENT, Reason.BAD_REQUEST, problem, hint);
    }

    static Refusal malformed(Inbound.Malformed message) {
        return badRequest(
                "the message is not one of the protocol: " + message.problem(),
                "speak databricks.zerobus.Zerobus, or Arrow Flight's DoPut");
    }

    static Refusal noPayload() {
        return badRequest(
                "the request has no payload",
                "send create_stream, ingest_record or ingest_record_batch");
    }

    static Refusal notOpen() {
        return badRequest(
                "the first message is not create_stream, or of Arrow Flight a schema",
                "open the stream with it");
    }

    static Refusal expired() {
        return unavailable(
                "the stream's token has expired (error 6002)",
                "open the stream again with a new token");
    }

    static Refusal tooLarge(Inbound.TooLarge request) {
        return badRequest(
                "the request has %d bytes, beyond the limit of %d"
                        .formatted(request.bytes(), request.bytesMax()),
                "send fewer rows in one request");
    }

    /** Rows that do not fit, by their places; the first ones in words. */
    static Refusal badRows(List<BadRows.Bad> bad, long offset) {
        var first = bad.getFirst();
        var others =
                bad.size() == 1
                        ? ""
                        : " (and %d more: rows %s)".formatted(bad.size() - 1, places(bad, 1));
        var message =
                "row %d of the request%s: %s%s; hint: %s"
                        .formatted(
                                first.row(),
                                offset == RecordEncoder.NO_OFFSET ? "" : " with offset " + offset,
                                first.why().problem(),
                                others,
                                first.why().hint());
        var told = new HashMap<String, String>();
        told.put("bad_rows", places(bad, 0));
        told.put("offset", Long.toString(offset));
        bad.stream()
                .limit(ROWS_TOLD_MAX)
                .forEach(b -> told.put("row_" + b.row(), cut(b.why().problem(), ROW_TOLD_MAX)));
        return new Refusal(ErrorCode.INVALID_ARGUMENT, Reason.BAD_RECORD, message, "", told);
    }

    private static String places(List<BadRows.Bad> bad, int skip) {
        return bad.stream()
                .skip(skip)
                .limit(PLACES_TOLD_MAX)
                .map(b -> Integer.toString(b.row()))
                .collect(Collectors.joining(","));
    }

    private static String cut(String text, int charactersMax) {
        return text.length() > charactersMax ? text.substring(0, charactersMax) + "..." : text;
    }

    static Refusal badRecord(String problem, String hint) {
        return new Refusal(ErrorCode.INVALID_ARGUMENT, Reason.BAD_RECORD, problem, hint);
    }

    static Refusal badOffset(Inbound.Numbered request, long expected) {
        return new Refusal(
                ErrorCode.INVALID_ARGUMENT,
                Reason.NON_INCREMENTAL_OFFSET,
                "offset_id is %s where %d comes next (error 4002, NonIncrementalOffset)"
                        .formatted(request.hasOffset() ? request.offset() : "absent", expected),
                "number the requests of each connection 0, 1, 2, ...");
    }

    /** {@code cause} is one of the protocol's words, such as TYPE_INCOMPATIBLE. */
    static Refusal badSchema(String cause, String problem, String hint) {
        return new Refusal(
                ErrorCode.INVALID_ARGUMENT,
                Reason.SCHEMA_VALIDATION_FAILED,
                problem + "; hint: " + hint,
                cause,
                Map.of());
    }

    static Refusal noSuchTable(String problem, String hint) {
        return new Refusal(ErrorCode.NOT_FOUND, Reason.NO_SUCH_TABLE, problem, hint);
    }

    static Refusal noSuchStream(String problem, String hint) {
        return new Refusal(ErrorCode.NOT_FOUND, Reason.NO_SUCH_STREAM, problem, hint);
    }

    /** The stream goes on elsewhere: this connection is not to come again. */
    static Refusal takenOver(String problem, String hint) {
        return new Refusal(ErrorCode.INVALID_ARGUMENT, Reason.TAKEN_OVER, problem, hint);
    }

    static Refusal limit(String problem, String hint) {
        return new Refusal(ErrorCode.RESOURCE_EXHAUSTED, Reason.LIMIT_REACHED, problem, hint);
    }

    static Refusal unavailable(String problem, String hint) {
        return new Refusal(ErrorCode.UNAVAILABLE, Reason.NOT_AVAILABLE, problem, hint);
    }

    static Refusal internal(String problem) {
        return new Refusal(ErrorCode.INTERNAL, Reason.NOT_AVAILABLE, problem, "report this");
    }

    /** What is said of any failure of a stream; one that nobody foresaw is logged. */
    static Refusal of(RuntimeException why, Object stream) {
        return switch (why) {
            case Refusal refusal -> refusal;
            case LakemillException known -> of(known);
            default -> {
                LOG.error("A request of {} failed", stream, why);
                yield internal("the request failed: " + why);
            }
        };
    }

    static Refusal of(LakemillException e) {
        var reason =
                switch (e.code()) {
                    case UNAVAILABLE -> Reason.NOT_AVAILABLE;
                    case UNAUTHENTICATED -> Reason.UNAUTHENTICATED;
                    case PERMISSION_DENIED -> Reason.PERMISSION_DENIED;
                    default -> Reason.BAD_REQUEST;
                };
        return new Refusal(e.code(), reason, String.valueOf(e.getMessage()), "", Map.of());
    }

    /** Which of the protocol's words for a schema say why; empty when none does. */
    String causes() {
        return cause;
    }

    /** The same for doors that do not speak gRPC. */
    LakemillException exception() {
        return new LakemillException(code, message(), "");
    }

    io.grpc.Status status() {
        return code().toStatus().withDescription(message());
    }

    /** The message, cut to what a header holds. */
    String message() {
        return cut(getMessage() == null ? "" : getMessage(), MESSAGE_CHARACTERS_MAX);
    }

    Metadata trailers() {
        var info =
                ErrorInfo.newBuilder()
                        .setReason(reason.name())
                        .setDomain(DOMAIN)
                        .putAllMetadata(metadata());
        var details =
                Status.newBuilder()
                        .setCode(code().value())
                        .setMessage(message())
                        .addDetails(Any.pack(info.build()));
        var trailers = new Metadata();
        trailers.put(DETAILS, details.build());
        return trailers;
    }

    private Map<String, String> metadata() {
        if (reason.number == 0) {
            return told;
        }
        var number = Integer.toString(reason.number);
        return cause.isEmpty()
                ? Map.of("error_code", number)
                : Map.of("error_code", number, "causes", cause);
    }

    private io.grpc.Status.Code code() {
        return switch (code) {
            case INVALID_ARGUMENT -> io.grpc.Status.Code.INVALID_ARGUMENT;
            case NOT_FOUND -> io.grpc.Status.Code.NOT_FOUND;
            case ALREADY_EXISTS -> io.grpc.Status.Code.ALREADY_EXISTS;
            case FAILED_PRECONDITION -> io.grpc.Status.Code.FAILED_PRECONDITION;
            case UNIMPLEMENTED -> io.grpc.Status.Code.UNIMPLEMENTED;
            case RESOURCE_EXHAUSTED -> io.grpc.Status.Code.RESOURCE_EXHAUSTED;
            case UNAVAILABLE -> io.grpc.Status.Code.UNAVAILABLE;
            case DATA_LOSS -> io.grpc.Status.Code.DATA_LOSS;
            case UNAUTHENTICATED -> io.grpc.Status.Code.UNAUTHENTICATED;
            case PERMISSION_DENIED -> io.grpc.Status.Code.PERMISSION_DENIED;
            case INTERNAL -> io.grpc.Status.Code.INTERNAL;
        };
    }
}
