package dev.lakemill.feed;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;

/**
 * What one pipeline batch changed, in all its outputs together.
 *
 * @param number of the batch, counting up by one from 1
 * @param now the batch's frozen now()
 * @param sources position reached in each source table
 * @param receivedMicros when the newest source row of the batch became durable; 0 for none
 * @param changes only tables that changed
 */
public record GroupBatch(
        long number,
        Instant now,
        Map<TableName, Long> sources,
        long receivedMicros,
        Map<TableName, Changes> changes)
        implements AutoCloseable {
    public GroupBatch {
        sources = Map.copyOf(sources);
        changes = Map.copyOf(changes);
    }

    /** One more reference to every change, for one more {@link #close}. */
    public GroupBatch retain() {
        changes.values().forEach(Changes::retain);
        return this;
    }

    public long sizeBytes() {
        return changes.values().stream().mapToLong(Changes::sizeBytes).sum();
    }

    @Override
    public void close() {
        changes.values().forEach(Changes::close);
    }
}
