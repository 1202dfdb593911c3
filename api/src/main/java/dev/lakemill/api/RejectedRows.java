package dev.lakemill.api;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import io.grpc.Metadata;
import io.grpc.protobuf.ProtoUtils;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Why a server refused a request: which of its rows do not fit the table.
 *
 * @param offset of the request, as ingest returned it
 * @param problems the places of the rows in the request, counting from 0, each with what is wrong;
 *     of many rows only the first ones are told in words
 */
public record RejectedRows(long offset, Map<Integer, String> problems) {
    private static final Metadata.Key<Status> DETAILS =
            Metadata.Key.of(
                    "grpc-status-details-bin",
                    ProtoUtils.metadataMarshaller(Status.getDefaultInstance()));

    public RejectedRows {
        problems = Map.copyOf(problems);
    }

    /** What the trailers of a call say; empty when they say nothing of rows. */
    static Optional<RejectedRows> of(Metadata trailers) {
        var details = trailers.get(DETAILS);
        if (details == null) {
            return Optional.empty();
        }
        try {
            for (var detail : details.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    return of(detail.unpack(ErrorInfo.class).getMetadataMap());
                }
            }
        } catch (InvalidProtocolBufferException | NumberFormatException e) {
            // Another server's words, which the status tells as well.
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static Optional<RejectedRows> of(Map<String, String> told) {
        var rows = told.get("bad_rows");
        var offset = told.get("offset");
        if (rows == null || offset == null) {
            return Optional.empty();
        }
        var problems = new TreeMap<Integer, String>();
        for (var row : rows.split(",")) {
            problems.put(Integer.parseInt(row), told.getOrDefault("row_" + row, "does not fit"));
        }
        return Optional.of(new RejectedRows(Long.parseLong(offset), problems));
    }
}
