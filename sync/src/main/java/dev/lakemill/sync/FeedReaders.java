package dev.lakemill.sync;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.feed.TableReader;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Readers of feeds, each where its table's rows end. One thread uses it. */
final class FeedReaders implements AutoCloseable {
    private static final int ROWS_MAX = 50_000;
    private static final long BYTES_MAX = 16 << 20;

    private final Map<TableName, TableReader> readers = new HashMap<>();

    /**
     * The rows behind a position, up to a limit of rows, and one of bytes that the last batch may
     * pass; the caller closes them.
     */
    List<TableBatch> poll(TableName table, TableFeed feed, long after) {
        var reader = readers.get(table);
        if (reader == null || reader.position() != after) {
            forget(table);
            reader = feed.reader(after);
            readers.put(table, reader);
        }
        var batches = new ArrayList<TableBatch>();
        try {
            var rows = 0;
            var bytes = 0L;
            while (rows < ROWS_MAX && bytes < BYTES_MAX) {
                var batch = reader.poll(Long.MAX_VALUE, ROWS_MAX - rows);
                if (batch == null) {
                    break;
                }
                batches.add(batch);
                rows += batch.rows().count();
                bytes += batch.rows().sizeBytes();
            }
            return batches;
        } catch (RuntimeException | Error e) {
            batches.forEach(TableBatch::close);
            throw e;
        }
    }

    void forget(TableName table) {
        var reader = readers.remove(table);
        if (reader != null) {
            reader.close();
        }
    }

    @Override
    public void close() {
        readers.values().forEach(TableReader::close);
        readers.clear();
    }
}
