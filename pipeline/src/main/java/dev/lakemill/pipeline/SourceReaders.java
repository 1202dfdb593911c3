package dev.lakemill.pipeline;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableReader;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Cuts the rows of all sources into batches. One thread uses it.
 *
 * <p>Positions of one node's tables come from one log, so they order rows across tables. Sources
 * are read side by side, one stretch of positions after the other, so that a pipeline that is
 * behind sees, say, a product before the orders that name it, though the orders are many more.
 */
final class SourceReaders implements AutoCloseable {
    /** Log bytes that all sources are read over before any source is read further. */
    private static final long STRETCH_BYTES = 1L << 20;

    private final Map<TableName, SourceRows> sources;
    private final Map<TableName, TableReader> readers = new TreeMap<>();

    /** Up to here, all sources were read. */
    private long reached;

    /** Rows of a batch to be repeated that are not all there yet. */
    private final Map<TableName, List<TableBatch>> waiting = new LinkedHashMap<>();

    /**
     * @param positions reached; a source that is not named starts at its first row
     */
    SourceReaders(Map<TableName, SourceRows> sources, Map<TableName, Long> positions) {
        this.sources = sources;
        sources.forEach(
                (table, rows) -> {
                    var position = positions.getOrDefault(table, 0L);
                    readers.put(table, rows.reader(position));
                    reached = Math.max(reached, position);
                });
    }

    /**
     * What is there now, within the limits. After a failure the readers are beyond rows that nobody
     * got: it is not to be called again.
     */
    Gathered gather(PipelineConfig.Batches limits) {
        var budget = new Budget(limits);
        var rows = new LinkedHashMap<TableName, List<TableBatch>>();
        var newest = sources.values().stream().mapToLong(SourceRows::position).max().orElse(0);
        try {
            do {
                var to = Math.min(newest, reached + STRETCH_BYTES);
                for (var reader : readers.entrySet()) {
                    read(reader.getKey(), reader.getValue(), to, budget, rows);
                }
                if (!budget.isLeft()) {
                    break;
                }
                reached = Math.max(reached, to);
            } while (reached < newest);
        } catch (RuntimeException | Error e) {
            rows.values().forEach(batches -> batches.forEach(TableBatch::close));
            throw e;
        }
        return new Gathered(rows, positions());
    }

    /** Exactly the rows up to the positions; empty while some are not there yet. */
    Optional<Gathered> upTo(Map<TableName, Long> positions) {
        var whole = true;
        for (var reader : readers.entrySet()) {
            var to = positions.getOrDefault(reader.getKey(), 0L);
            read(reader.getKey(), reader.getValue(), to, new Budget(), waiting);
            whole &= reader.getValue().position() >= to;
            reached = Math.max(reached, to);
        }
        if (!whole) {
            return Optional.empty();
        }
        var gathered = new Gathered(new LinkedHashMap<>(waiting), positions());
        waiting.clear();
        return Optional.of(gathered);
    }

    /** Reached, of every source. */
    Map<TableName, Long> positions() {
        var positions = new TreeMap<TableName, Long>();
        readers.forEach((table, reader) -> positions.put(table, reader.position()));
        return positions;
    }

    @Override
    public void close() {
        waiting.values().forEach(batches -> batches.forEach(TableBatch::close));
        waiting.clear();
        readers.values().forEach(TableReader::close);
    }

    private static void read(
            TableName table,
            TableReader reader,
            long to,
            Budget budget,
            Map<TableName, List<TableBatch>> rows) {
        while (budget.isLeft()) {
            var batch = reader.poll(to, budget.rows());
            if (batch == null) {
                return;
            }
            budget.take(batch);
            rows.computeIfAbsent(table, _ -> new ArrayList<>()).add(batch);
        }
    }

    /** What a batch may still take. */
    private static final class Budget {
        private long rows;
        private long bytes;

        Budget(PipelineConfig.Batches limits) {
            rows = limits.rowsMax();
            bytes = limits.bytesMax();
        }

        Budget() {
            rows = Long.MAX_VALUE;
            bytes = Long.MAX_VALUE;
        }

        boolean isLeft() {
            return rows > 0 && bytes > 0;
        }

        int rows() {
            return (int) Math.min(rows, Integer.MAX_VALUE);
        }

        void take(TableBatch batch) {
            rows -= batch.rows().count();
            bytes -= batch.rows().sizeBytes();
        }
    }
}
