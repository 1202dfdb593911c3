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

    private final Map<TableName, TableReader> readers = new HashMap<>();

    /** The rows behind a position, up to a limit; the caller closes them. */
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
            for (var batch = reader.poll(Long.MAX_VALUE, ROWS_MAX);
                    batch != null;
                    batch = rows < ROWS_MAX ? reader.poll(Long.MAX_VALUE, ROWS_MAX - rows) : null) {
                batches.add(batch);
                rows += batch.rows().count();
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
