package dev.lakemill.capture;

import dev.lakemill.capture.Lake.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A state table with its history and, where it has a key, its current state; and the changes that
 * are not in them yet. One thread uses it.
 *
 * <p>A change is committed to the history first, then to the current state, each time with the
 * position of the last transaction that it has whole. What comes again after a crash is below that
 * position, and passed over.
 */
final class CapturedTable {
    /**
     * What a table is opened with.
     *
     * @param setBack whether the history may have changes, from before Postgres was set back, at
     *     places of the log that come again
     * @param steps is told of each step that a crash may come behind
     */
    record Parts(
            Lake lake,
            String application,
            boolean setBack,
            BufferAllocator allocator,
            Consumer<Step> steps) {}

    private final Parts parts;
    private final String lakeSchema;
    private final String lakeTable;
    private final HistoryTable history;
    private final List<Change> pending = new ArrayList<>();
    private TableShape shape;
    private long followed;
    private @Nullable CurrentTable current;

    /** Opens its tables, which are made where they are missing. */
    CapturedTable(Parts parts, CaptureStore.Known known) {
        this.parts = parts;
        this.lakeSchema = known.lakeSchema();
        this.lakeTable = known.lakeTable();
        this.shape = known.shape();
        this.followed = known.followed();
        var delta =
                parts.lake().open(lakeSchema, lakeTable, Part.HISTORY, LakeColumns.history(shape));
        var before = delta.schema();
        this.history = new HistoryTable(delta, parts.application(), shape, parts.allocator());
        if (!delta.schema().equals(before)) {
            parts.lake().changed(lakeSchema, lakeTable, Part.HISTORY, delta.schema());
        }
        this.current = openCurrent();
    }

    private @Nullable CurrentTable openCurrent() {
        if (shape.key().isEmpty()) {
            return null;
        }
        var delta =
                parts.lake().open(lakeSchema, lakeTable, Part.CURRENT, LakeColumns.current(shape));
        return new CurrentTable(delta, parts.application(), shape, parts.allocator());
    }

    TableShape shape() {
        return shape;
    }

    /** The place of the log up to which its commands are in its shape. */
    long followed() {
        return followed;
    }

    /** Under which it stands in the lake: the name that it was first captured by. */
    String lakeSchema() {
        return lakeSchema;
    }

    String lakeTable() {
        return lakeTable;
    }

    HistoryTable history() {
        return history;
    }

    @Nullable CurrentTable current() {
        return current;
    }

    Consumer<Step> steps() {
        return parts.steps();
    }

    boolean isSetBack() {
        return parts.setBack();
    }

    /** Empties the current state, whose rows are to be read anew. */
    void reset() {
        var now = current;
        if (now != null) {
            now.reset(shape, history.position());
            tellCurrent(now);
        }
    }

    /** Whether the current state has the columns that the table has. */
    boolean isWhole() {
        return current == null || isCurrentColumns(current);
    }

    /** The first moment of it: it was made just behind a position, and is empty. */
    void born(long position) {
        followed = position;
        if (history.position() < position) {
            history.reach(position);
        }
        var now = current;
        if (now == null || now.position() >= position) {
            return;
        }
        if (now.delta().snapshot().rowCount() > 0 || !isCurrentColumns(now)) {
            now.reset(shape, position);
            tellCurrent(now);
        } else {
            now.reach(position);
        }
    }

    private boolean isCurrentColumns(CurrentTable now) {
        return now.delta().schema().equals(LakeColumns.current(shape));
    }

    private void tellCurrent(CurrentTable now) {
        parts.lake().changed(lakeSchema, lakeTable, Part.CURRENT, now.delta().schema());
    }

    /**
     * Takes on another shape; there are no pending changes.
     *
     * @param told the shapes that one transaction gave it in turn; the last one stays
     * @param position just before the transaction
     * @return whether rows may have values in Postgres that the log does not tell
     */
    boolean follow(List<TableShape> told, long position) {
        var before = shape;
        var next = told.getLast();
        shape = next;
        followed = position;
        var columns = history.delta().schema();
        told.forEach(history::follow);
        if (!history.delta().schema().equals(columns)) {
            parts.lake().changed(lakeSchema, lakeTable, Part.HISTORY, history.delta().schema());
        }
        var now = current;
        if (now == null || next.key().isEmpty()) {
            current = openCurrent();
            return current != null;
        }
        if (position <= now.position()) {
            now.adopt(next);
            // A crash may have come before it was written down that rows are to be compared.
            return CurrentTable.hasUnknown(before, told);
        }
        var unknown = now.follow(told, position);
        if (!before.columns().equals(next.columns())) {
            tellCurrent(now);
        }
        parts.steps().accept(Step.COLUMNS_CHANGED);
        now.reach(position);
        return unknown;
    }

    /** Takes a change that belongs to a transaction behind what the history has. */
    void add(Change change) {
        pending.add(change);
    }

    boolean isPending() {
        return !pending.isEmpty();
    }

    /** Forgets changes that are not committed. */
    void forget() {
        pending.clear();
    }

    /** Commits what is pending, all of it up to a position; returns how many changes. */
    int commit(long position) {
        var forHistory = history.position();
        var fresh = pending.stream().filter(c -> c.origin().lsn() > forHistory).toList();
        var now = current;
        if (now == null) {
            var whole = fresh.stream().map(Change::filledFromOld).toList();
            if (!whole.isEmpty()) {
                history.append(whole.iterator(), position);
            }
        } else {
            var forCurrent = now.position();
            var prepared =
                    now.prepare(
                            pending.stream().filter(c -> c.origin().lsn() > forCurrent).toList());
            var whole =
                    prepared.changes().stream()
                            .filter(c -> c.origin().lsn() > forHistory)
                            .iterator();
            if (!fresh.isEmpty()) {
                history.append(whole, position);
            }
            parts.steps().accept(Step.HISTORY_COMMITTED);
            prepared.commit(position);
        }
        parts.steps().accept(Step.TABLE_COMMITTED);
        pending.clear();
        return fresh.size();
    }
}
