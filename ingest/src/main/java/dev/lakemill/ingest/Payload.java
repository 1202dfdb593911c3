package dev.lakemill.ingest;

import dev.lakemill.wal.Frame;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The encoded rows of a request, and how many they are.
 *
 * @param letter of the rows that do not fit; null when there are none
 */
record Payload(byte[] bytes, int rows, DeadLetters.@Nullable Letter letter) {
    Payload(byte[] bytes, int rows) {
        this(bytes, rows, null);
    }

    Frame frame(UUID table, UUID stream, long offset) {
        return new Frame(table, stream, offset, bytes, rows);
    }
}
