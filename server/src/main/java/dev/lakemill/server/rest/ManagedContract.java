package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What a table must be that clients commit to through the catalog (Unity Catalog, Managed Tables
 * Specification 1.0): asked for when it is staged, checked when it is made.
 */
final class ManagedContract {
    static final String TABLE_ID = "io.unitycatalog.tableId";

    private static final List<String> READER_FEATURES =
            List.of("catalogManaged", "deletionVectors", "v2Checkpoint", "vacuumProtocolCheck");
    private static final List<String> WRITER_FEATURES =
            List.of(
                    "catalogManaged",
                    "deletionVectors",
                    "inCommitTimestamp",
                    "v2Checkpoint",
                    "vacuumProtocolCheck");
    private static final Map<String, String> PROPERTIES =
            new TreeMap<>(
                    Map.of(
                            "delta.enableDeletionVectors", "true",
                            "delta.checkpointPolicy", "v2",
                            "delta.enableInCommitTimestamps", "true",
                            "delta.checkpoint.writeStatsAsStruct", "true",
                            "delta.checkpoint.writeStatsAsJson", "true"));

    private ManagedContract() {}

    static void ask(ObjectNode answer, UUID id) {
        var protocol =
                answer.putObject("required-protocol")
                        .put("min-reader-version", 3)
                        .put("min-writer-version", 7);
        READER_FEATURES.forEach(protocol.putArray("reader-features")::add);
        WRITER_FEATURES.forEach(protocol.putArray("writer-features")::add);
        var suggested = answer.putObject("suggested-protocol");
        suggested.putArray("reader-features").add("columnMapping");
        suggested
                .putArray("writer-features")
                .add("columnMapping")
                .add("domainMetadata")
                .add("rowTracking");
        var required = answer.putObject("required-properties");
        PROPERTIES.forEach(required::put);
        required.put(TABLE_ID, id.toString());
        answer.putObject("suggested-properties")
                .put("delta.columnMapping.mode", "name")
                .putNull("delta.columnMapping.maxColumnId")
                .put("delta.enableRowTracking", "true")
                .putNull("delta.rowTracking.materializedRowIdColumnName")
                .putNull("delta.rowTracking.materializedRowCommitVersionColumnName")
                .put("delta.randomizeFilePrefixes", "true")
                .put("delta.parquet.compression.codec", "zstd");
    }

    /** InvalidParameterValueException with everything that is amiss. */
    static void check(JsonNode protocol, JsonNode properties, UUID id) {
        var amiss = new ArrayList<String>();
        if (protocol.path("min-reader-version").asInt() < 3
                || protocol.path("min-writer-version").asInt() < 7) {
            amiss.add("protocol below reader version 3 and writer version 7");
        }
        lacking(protocol.path("reader-features"), READER_FEATURES, "reader feature", amiss);
        lacking(protocol.path("writer-features"), WRITER_FEATURES, "writer feature", amiss);
        PROPERTIES.forEach((key, value) -> differing(properties, key, value, amiss));
        differing(properties, TABLE_ID, id.toString(), amiss);
        if (!amiss.isEmpty()) {
            throw DeltaProblem.invalid("a managed table cannot be so: " + String.join("; ", amiss));
        }
    }

    private static void lacking(
            JsonNode features, List<String> wanted, String what, List<String> amiss) {
        var there = new ArrayList<String>();
        features.forEach(feature -> there.add(feature.asText()));
        wanted.stream()
                .filter(feature -> !there.contains(feature))
                .forEach(feature -> amiss.add("no %s %s".formatted(what, feature)));
    }

    private static void differing(
            JsonNode properties, String key, String value, List<String> amiss) {
        if (!properties.path(key).asText().equals(value)) {
            amiss.add("%s is not %s".formatted(key, value));
        }
    }
}
