package dev.lakemill.bench;

import dev.lakemill.delta.DeltaTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.IntVector;

/**
 * What stands in the table, held against what the producers remember.
 *
 * @param rows in the table
 * @param lost acknowledged rows that are not there
 * @param doubled rows that stand there once more than their producer can have sent them
 * @param reordered rows that stand behind a later row of their stream, first appearances only
 */
record History(long rows, long lost, long doubled, long reordered) {
    static final History NONE = new History(0, 0, 0, 0);

    static History of(Path location, List<RecordedStream> producers) {
        var stored = read(location);
        var sum = NONE;
        for (var producer : producers) {
            var rows = stored.getOrDefault(producer.number(), List.of());
            sum = sum.plus(judge(producer, rows));
        }
        return sum;
    }

    History plus(History other) {
        return new History(
                rows + other.rows,
                lost + other.lost,
                doubled + other.doubled,
                reordered + other.reordered);
    }

    private static Map<Integer, List<Long>> read(Path location) {
        var rows = new HashMap<Integer, List<Long>>();
        try (var allocator = new RootAllocator();
                var reader = DeltaTable.read(location, allocator).read(List.of("stream", "n"))) {
            for (var batch = reader.next(); batch != null; batch = reader.next()) {
                var streams = (IntVector) batch.vector(0);
                var numbers = (BigIntVector) batch.vector(1);
                for (int i = 0; i < batch.count(); i++) {
                    rows.computeIfAbsent(streams.get(i), _ -> new ArrayList<>())
                            .add(numbers.get(i));
                }
                batch.close();
            }
        }
        return rows;
    }

    private static History judge(RecordedStream producer, List<Long> rows) {
        var seen = new HashSet<Long>();
        long doubled = 0;
        long reordered = 0;
        long newest = -1;
        for (long row : rows) {
            if (!seen.add(row)) {
                doubled += producer.mayBeDoubled(row) ? 0 : 1;
            } else if (row < newest) {
                reordered++;
            }
            newest = Math.max(newest, row);
        }
        long lost = 0;
        for (long row = 0; row < producer.acknowledgedRows(); row++) {
            lost += seen.contains(row) ? 0 : 1;
        }
        return new History(rows.size(), lost, doubled, reordered);
    }
}
