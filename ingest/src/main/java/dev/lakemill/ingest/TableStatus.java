package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import org.jspecify.annotations.Nullable;

/**
 * How a table does. Rows count from this process's start, replayed ones included.
 *
 * @param rowsReceived durable in the log
 * @param rowsCommitted of these, in Delta
 * @param position the log position of the newest row handed to the feed
 * @param committedPosition the log position up to which Delta has the rows
 * @param pendingBytes in memory, on their way to Delta
 * @param receivedMicros when the newest row became durable, microseconds since 1970 UTC; 0 for none
 * @param freshnessMillis from durable to in Delta, of the newest row of the last commit; null
 *     before the first
 * @param error why the last commit failed, until one succeeds; null when all is well
 */
public record TableStatus(
        TableName table,
        long rowsReceived,
        long rowsCommitted,
        long position,
        long committedPosition,
        long pendingBytes,
        long receivedMicros,
        @Nullable Long freshnessMillis,
        @Nullable String error) {}
