package dev.lakemill.ingest;

import org.jspecify.annotations.Nullable;

/**
 * Rows that come in one request without a stream.
 *
 * @param table its full name, as the producer wrote it
 * @param authorization the header {@code authorization}; null when it is absent
 * @param address of the producer
 * @param body UTF-8: one JSON array of objects, or objects one after the other (NDJSON)
 */
public record InsertRequest(
        String table, @Nullable String authorization, String address, byte[] body) {}
