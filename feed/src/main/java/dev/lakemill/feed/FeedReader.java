package dev.lakemill.feed;

import dev.lakemill.delta.DeltaReader;
import dev.lakemill.feed.TableFeed.BehindMemory;
import dev.lakemill.types.Rows;
import java.util.Arrays;
import org.apache.arrow.vector.util.VectorSchemaRootAppender;
import org.jspecify.annotations.Nullable;

/**
 * Reads memory where the feed still has the rows, and Delta where it has not.
 *
 * <p>The Delta side hands out whole positions too: where a batch of the reader ends inside a
 * position, the next batch is joined to it before anything is returned. After a failure it is
 * opened anew behind the last row that was returned.
 */
final class FeedReader implements TableReader {
    private final TableFeed feed;
    private long position;

    /** Open while Delta is being read; it ends at {@code deltaTo}. */
    private @Nullable DeltaReader delta;

    private long deltaTo;

    /** Read from Delta, not returned yet. */
    private @Nullable TableBatch waiting;

    /** Read one batch further, to see where the position before it ends; grows until it does. */
    private @Nullable TableBatch ahead;

    FeedReader(TableFeed feed, long after) {
        this.feed = feed;
        this.position = after;
    }

    @Override
    public @Nullable TableBatch poll(long to, int rowsMax) {
        if (to <= position) {
            return null;
        }
        try {
            var batch = delta == null ? fromMemory(to, rowsMax) : fromDelta(to, rowsMax);
            if (batch != null) {
                position = batch.lastPosition();
            }
            return batch;
        } catch (RuntimeException | Error e) {
            closeDelta();
            throw e;
        }
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    public void close() {
        closeDelta();
    }

    private @Nullable TableBatch fromMemory(long to, int rowsMax) {
        try {
            return feed.fromMemory(position, to, rowsMax);
        } catch (BehindMemory _) {
            return openDelta() ? fromDelta(to, rowsMax) : null;
        }
    }

    private boolean openDelta() {
        var snapshot = feed.delta().snapshot();
        deltaTo = snapshot.transaction(feed.application()).orElse(0);
        if (deltaTo <= position) {
            return false;
        }
        delta = snapshot.readPositions(position, deltaTo);
        return true;
    }

    private @Nullable TableBatch fromDelta(long to, int rowsMax) {
        if (waiting == null) {
            waiting = readWholePositions();
        }
        var next = waiting;
        if (next == null) {
            position = Math.max(position, Math.min(to, deltaTo));
            closeDelta();
            return to <= position ? null : fromMemory(to, rowsMax);
        }
        var cut = TableFeed.cut(next, position, to, rowsMax);
        if (cut != null && cut.lastPosition() == next.lastPosition()) {
            next.close();
            waiting = null;
        }
        return cut;
    }

    private @Nullable TableBatch readWholePositions() {
        var reader = delta;
        if (reader == null) {
            return null;
        }
        ahead = ahead == null ? read(reader) : ahead;
        while (ahead != null) {
            var first = ahead;
            var second = read(reader);
            if (second == null || second.firstPosition() != first.lastPosition()) {
                ahead = second;
                return first;
            }
            ahead = joined(first, second);
        }
        return null;
    }

    private static @Nullable TableBatch read(DeltaReader reader) {
        while (true) {
            var rows = reader.next();
            if (rows == null) {
                return null;
            }
            if (rows.count() > 0) {
                return new TableBatch(rows, reader.positions(), 0);
            }
            rows.close();
        }
    }

    /** Closes what it joins; the first stays as it is when that fails. */
    private static TableBatch joined(TableBatch first, TableBatch second) {
        var allocator = first.rows().vector(0).getAllocator();
        var rows = Rows.empty(first.rows().schema(), allocator);
        var done = false;
        try (second) {
            VectorSchemaRootAppender.append(false, rows.root(), first.rows().root());
            VectorSchemaRootAppender.append(false, rows.root(), second.rows().root());
            done = true;
        } finally {
            (done ? first.rows() : rows).close();
        }
        var positions =
                Arrays.copyOf(
                        first.positions(), first.positions().length + second.positions().length);
        System.arraycopy(
                second.positions(),
                0,
                positions,
                first.positions().length,
                second.positions().length);
        return new TableBatch(rows, positions, 0);
    }

    private void closeDelta() {
        if (waiting != null) {
            waiting.close();
            waiting = null;
        }
        if (ahead != null) {
            ahead.close();
            ahead = null;
        }
        if (delta != null) {
            delta.close();
            delta = null;
        }
    }
}
