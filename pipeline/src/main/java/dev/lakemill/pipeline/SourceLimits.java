package dev.lakemill.pipeline;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.feed.TableReader;
import dev.lakemill.types.TableName;
import org.jspecify.annotations.Nullable;

/** Up to which position each source is read; it may grow while the pipeline runs. */
@FunctionalInterface
public interface SourceLimits {
    SourceLimits NONE = _ -> Long.MAX_VALUE;

    long of(TableName source);

    /** The rows of a feed up to its limit. */
    default SourceRows limited(TableName source, TableFeed feed) {
        var rows = SourceRows.of(feed);
        return new SourceRows() {
            @Override
            public long position() {
                return Math.min(of(source), rows.position());
            }

            @Override
            public TableReader reader(long after) {
                return new LimitedReader(rows.reader(after), source, SourceLimits.this);
            }
        };
    }

    /** A reader that stops at the limit. */
    record LimitedReader(TableReader reader, TableName source, SourceLimits limits)
            implements TableReader {
        @Override
        public @Nullable TableBatch poll(long to, int rowsMax) {
            return reader.poll(Math.min(to, limits.of(source)), rowsMax);
        }

        @Override
        public long position() {
            return reader.position();
        }

        @Override
        public void close() {
            reader.close();
        }
    }
}
