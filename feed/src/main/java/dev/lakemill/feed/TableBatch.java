package dev.lakemill.feed;

import dev.lakemill.types.Rows;

/**
 * Rows of one ingested table, in order.
 *
 * @param rows at least one
 * @param positions one per row, ascending; rows of one request share theirs
 * @param receivedMicros when the newest of them became durable, microseconds since 1970 UTC; 0 when
 *     they were read back from Delta
 */
public record TableBatch(Rows rows, long[] positions, long receivedMicros)
        implements AutoCloseable {
    public TableBatch {
        if (positions.length != rows.count()) {
            throw new IllegalArgumentException(
                    "%d positions for %d rows".formatted(positions.length, rows.count()));
        }
    }

    public long firstPosition() {
        return positions[0];
    }

    public long lastPosition() {
        return positions[positions.length - 1];
    }

    @Override
    public void close() {
        rows.close();
    }
}
