package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the simulators say that they sent, stream by stream: the file that they write at their end.
 *
 * @param run of the simulators; part of every event id
 */
record Truth(String run, Map<String, Stream> streams) {

    /**
     * One stream. An event id is {@code prefix + n}, n from 0.
     *
     * @param events ids sent
     * @param rows rows acknowledged: deliberate duplicates count, the client's own resends do not
     * @param duplicated ids sent twice on purpose
     * @param resent how often the client sent an id again after a reconnect
     * @param unacked ids that were never acknowledged
     */
    record Stream(
            TableName table,
            String prefix,
            int events,
            long rows,
            BitSet duplicated,
            Map<Integer, Integer> resent,
            BitSet unacked) {

        long resentRows() {
            return resent.values().stream().mapToLong(Integer::longValue).sum();
        }
    }

    static Truth read(Path file) throws IOException {
        var tree = new ObjectMapper().readTree(file.toFile());
        var streams = new LinkedHashMap<String, Stream>();
        tree.get("streams")
                .properties()
                .forEach(entry -> streams.put(entry.getKey(), stream(entry.getValue())));
        return new Truth(tree.get("run").asText(), streams);
    }

    long rows() {
        return streams.values().stream().mapToLong(Stream::rows).sum();
    }

    long resentRows() {
        return streams.values().stream().mapToLong(Stream::resentRows).sum();
    }

    private static Stream stream(JsonNode node) {
        var resent = new LinkedHashMap<Integer, Integer>();
        node.get("resent").forEach(n -> resent.merge(n.asInt(), 1, Integer::sum));
        return new Stream(
                TableName.parse(node.get("table").asText()),
                node.get("prefix").asText(),
                node.get("events").asInt(),
                node.get("rows").asLong(),
                bits(node.get("duplicated")),
                resent,
                bits(node.get("unacked")));
    }

    private static BitSet bits(JsonNode numbers) {
        var bits = new BitSet();
        numbers.forEach(n -> bits.set(n.asInt()));
        return bits;
    }
}
