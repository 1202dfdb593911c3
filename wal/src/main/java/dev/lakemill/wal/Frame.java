package dev.lakemill.wal;

import java.util.Objects;
import java.util.UUID;

/**
 * One entry of the log: the rows of one request, for one table.
 *
 * @param table the catalog's id of the table
 * @param stream the producer's stream
 * @param offset the request's offset in that stream, 0 or more
 * @param payload the encoded rows; never changed after construction
 * @param rows how many rows those are, as who offers them knows; {@link #UNCOUNTED} where nobody
 *     counted: the log does not keep it
 */
public record Frame(UUID table, UUID stream, long offset, byte[] payload, int rows) {
    public static final int UNCOUNTED = -1;

    public Frame {
        Objects.requireNonNull(table, "table is null");
        Objects.requireNonNull(stream, "stream is null");
        Objects.requireNonNull(payload, "payload is null");
    }

    public Frame(UUID table, UUID stream, long offset, byte[] payload) {
        this(table, stream, offset, payload, UNCOUNTED);
    }
}
