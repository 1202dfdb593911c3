package dev.lakemill.pipeline;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.feed.TableReader;
import dev.lakemill.types.TableName;
import java.util.Map;
import java.util.TreeMap;

/** The rows of a source, by position. */
interface SourceRows {
    /** The position of the newest row. */
    long position();

    /** A reader of the rows whose position is above {@code after}. */
    TableReader reader(long after);

    /** How far each source's newest row is ahead of the positions. */
    static Map<TableName, Long> ahead(
            Map<TableName, SourceRows> sources, Map<TableName, Long> positions) {
        var ahead = new TreeMap<TableName, Long>();
        sources.forEach(
                (name, rows) ->
                        ahead.put(
                                name,
                                Math.max(0, rows.position() - positions.getOrDefault(name, 0L))));
        return ahead;
    }

    static SourceRows of(TableFeed feed) {
        return new SourceRows() {
            @Override
            public long position() {
                return feed.position();
            }

            @Override
            public TableReader reader(long after) {
                return feed.reader(after);
            }
        };
    }
}
