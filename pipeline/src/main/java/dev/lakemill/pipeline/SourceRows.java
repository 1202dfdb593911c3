package dev.lakemill.pipeline;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.feed.TableReader;

/** The rows of a source, by position. */
interface SourceRows {
    /** The position of the newest row. */
    long position();

    /** A reader of the rows whose position is above {@code after}. */
    TableReader reader(long after);

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
