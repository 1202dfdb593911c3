package dev.lakemill.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.TableName;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;

/**
 * The form of the pipeline's small files: a line per record, {@code checksum json}, where the
 * checksum is the CRC-32C of the JSON's bytes in 8 hexadecimal digits. It can be read with any
 * editor, and a line that was not written whole does not pass for one that was.
 */
final class RecordLine {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CHECKSUM_CHARS = 8;

    private RecordLine() {}

    static byte[] of(BatchRecord batch) {
        var node = JSON.createObjectNode();
        node.put("batch", batch.number());
        node.put("now", batch.now().toString());
        node.set("sources", positions(batch.sources()));
        put(node, batch.once());
        return line(node);
    }

    static byte[] of(Checkpoint checkpoint) {
        var node = JSON.createObjectNode();
        node.put("batch", checkpoint.number());
        node.put("now", checkpoint.now().toString());
        node.set("sources", positions(checkpoint.sources()));
        node.put("received_micros", checkpoint.receivedMicros());
        node.put("plan_hash", checkpoint.planHash());
        node.set("due", positions(checkpoint.due()));
        var counts = node.putObject("counts");
        checkpoint.counts().forEach((table, count) -> put(counts, table, count));
        put(node, checkpoint.once());
        return line(node);
    }

    /** Empty when the line is not a whole record. */
    static Optional<BatchRecord> batch(byte[] line) {
        return json(line).flatMap(RecordLine::batch);
    }

    /** Empty when the line is not a whole record. */
    static Optional<Checkpoint> checkpoint(byte[] line) {
        return json(line).flatMap(RecordLine::checkpoint);
    }

    private static Optional<BatchRecord> batch(JsonNode node) {
        try {
            return Optional.of(
                    new BatchRecord(
                            node.path("batch").asLong(),
                            Instant.parse(node.path("now").asText()),
                            positions(node.path("sources")),
                            flows(node.path("once"))));
        } catch (DateTimeException _) {
            return Optional.empty();
        }
    }

    private static Optional<Checkpoint> checkpoint(JsonNode node) {
        var counts = new TreeMap<TableName, TableCount>();
        node.path("counts")
                .properties()
                .forEach(
                        entry ->
                                counts.put(
                                        TableName.parse(entry.getKey()), count(entry.getValue())));
        return batch(node)
                .map(
                        batch ->
                                new Checkpoint(
                                        batch.number(),
                                        batch.now(),
                                        batch.sources(),
                                        node.path("received_micros").asLong(),
                                        node.path("plan_hash").asText(),
                                        positions(node.path("due")),
                                        counts,
                                        batch.once()));
    }

    /** Left out where there are none, as in most pipelines. */
    private static void put(ObjectNode node, Set<String> once) {
        if (!once.isEmpty()) {
            var flows = node.putArray("once");
            once.forEach(flows::add);
        }
    }

    private static Set<String> flows(JsonNode node) {
        var flows = new TreeSet<String>();
        node.forEach(flow -> flows.add(flow.asText()));
        return flows;
    }

    private static ObjectNode positions(Map<TableName, Long> positions) {
        var node = JSON.createObjectNode();
        positions.forEach((table, position) -> node.put(table.toString(), position));
        return node;
    }

    private static Map<TableName, Long> positions(JsonNode node) {
        var positions = new TreeMap<TableName, Long>();
        node.properties()
                .forEach(
                        entry ->
                                positions.put(
                                        TableName.parse(entry.getKey()),
                                        entry.getValue().asLong()));
        return positions;
    }

    private static void put(ObjectNode counts, TableName table, TableCount count) {
        var node = counts.putObject(table.toString());
        node.put("in", count.in());
        node.put("kept", count.kept());
        node.put("quarantined", count.quarantined());
        node.put("dropped", count.dropped());
        var rules = node.putArray("rules");
        for (var rule : count.rules()) {
            rules.addObject()
                    .put("rule", rule.rule())
                    .put("passed", rule.passed())
                    .put("failed", rule.failed());
        }
    }

    private static TableCount count(JsonNode node) {
        List<TableCount.RuleCount> rules = new ArrayList<>();
        for (var rule : node.path("rules")) {
            rules.add(
                    new TableCount.RuleCount(
                            rule.path("rule").asText(),
                            rule.path("passed").asLong(),
                            rule.path("failed").asLong()));
        }
        return new TableCount(
                node.path("in").asLong(),
                node.path("kept").asLong(),
                node.path("quarantined").asLong(),
                node.path("dropped").asLong(),
                rules);
    }

    static byte[] line(JsonNode node) {
        var json = node.toString();
        return "%s %s\n".formatted(checksum(json), json).getBytes(StandardCharsets.UTF_8);
    }

    /** Empty when the line is not whole. */
    static Optional<JsonNode> json(byte[] bytes) {
        var line = new String(bytes, StandardCharsets.UTF_8);
        if (line.length() <= CHECKSUM_CHARS + 1 || !line.endsWith("\n")) {
            return Optional.empty();
        }
        var json = line.substring(CHECKSUM_CHARS + 1, line.length() - 1);
        if (!line.startsWith(checksum(json) + " ")) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readTree(json));
        } catch (JsonProcessingException _) {
            return Optional.empty();
        }
    }

    private static String checksum(String json) {
        var crc = new CRC32C();
        crc.update(json.getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }
}
