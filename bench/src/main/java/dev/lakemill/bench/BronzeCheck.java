package dev.lakemill.bench;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;

/**
 * Counts, id by id, what stands in a Bronze table against what the simulators say they sent.
 *
 * <p>An acknowledged id must stand there as often as it was sent on purpose (once, or twice for a
 * deliberate duplicate); each time that the client itself sent it again after a reconnect, it may
 * stand there once more; an id that was never acknowledged may stand there or not.
 *
 * @param rows rows of this run in the table
 * @param lost acknowledged rows that are not there
 * @param doubled rows that stand there more often than the client can have sent them
 */
record BronzeCheck(TableName table, long rows, long lost, long doubled) {

    static BronzeCheck of(Truth.Stream stream, Path location) {
        var counts = new int[stream.events()];
        long rows = 0;
        try (var allocator = new RootAllocator();
                var reader = DeltaTable.read(location, allocator).read(List.of("event_id"))) {
            while (true) {
                try (var batch = reader.next()) {
                    if (batch == null) {
                        break;
                    }
                    rows += count((VarCharVector) batch.vector(0), stream.prefix(), counts);
                }
            }
        }
        return judge(stream, counts, rows);
    }

    private static long count(VarCharVector ids, String prefix, int[] counts) {
        long rows = 0;
        for (int i = 0; i < ids.getValueCount(); i++) {
            var id = new String(ids.get(i), java.nio.charset.StandardCharsets.US_ASCII);
            if (id.startsWith(prefix)) {
                rows++;
                var n = Integer.parseInt(id.substring(prefix.length()));
                if (n < counts.length) {
                    counts[n]++;
                }
            }
        }
        return rows;
    }

    private static BronzeCheck judge(Truth.Stream stream, int[] counts, long rows) {
        long lost = 0;
        long doubled = 0;
        for (int n = 0; n < counts.length; n++) {
            var sent = stream.duplicated().get(n) ? 2 : 1;
            var most = sent + stream.resent().getOrDefault(n, 0);
            var least = stream.unacked().get(n) ? 0 : sent;
            lost += Math.max(0, least - counts[n]);
            doubled += Math.max(0, counts[n] - most);
        }
        return new BronzeCheck(stream.table(), rows, lost, doubled);
    }
}
