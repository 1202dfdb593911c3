package dev.lakemill.capture;

import dev.lakemill.capture.Change.Kind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The history of a state table: a row for each change, never another. Its columns are all that the
 * table ever had. One thread uses it.
 */
final class HistoryTable {
    private static final int BATCH_ROWS = 8_192;

    private final DeltaTable delta;
    private final String application;
    private final BufferAllocator allocator;

    /** Where values of a column go, by its number; those of dropped columns stay. */
    private final Map<Integer, Integer> places = new HashMap<>();

    HistoryTable(
            DeltaTable delta, String application, TableShape shape, BufferAllocator allocator) {
        this.delta = delta;
        this.application = application;
        this.allocator = allocator;
        follow(shape);
    }

    DeltaTable delta() {
        return delta;
    }

    /** The position up to which it has changes; -1 for none. */
    long position() {
        return delta.transaction(application).orElse(-1);
    }

    /** Takes in the columns of a shape. */
    void follow(TableShape shape) {
        var before = delta.schema();
        var grown = LakeColumns.grown(before, shape);
        if (!grown.equals(before)) {
            delta.widen(grown);
        }
        var names = LakeColumns.names(shape);
        for (var column : shape.columns()) {
            var name =
                    LakeColumns.historyName(
                            grown, LakeColumns.name(names, column.number()), column);
            places.put(column.number(), grown.indexOf(name).orElseThrow());
        }
    }

    /** Commits changes that are in order, each once: with the position of the last one. */
    void append(Iterator<Change> changes, long position) {
        var schema = delta.schema();
        var batches =
                new Iterator<Rows>() {
                    @Override
                    public boolean hasNext() {
                        return changes.hasNext();
                    }

                    @Override
                    public Rows next() {
                        return batch(schema, changes);
                    }
                };
        delta.append(batches, new Txn(application, position));
    }

    /** Notes that it has all changes up to a position. */
    void reach(long position) {
        delta.append(List.of(), new long[0], new Txn(application, position));
    }

    private Rows batch(TableSchema schema, Iterator<Change> changes) {
        int kind = schema.indexOf(LakeColumns.CHANGE_TYPE.name()).orElseThrow();
        int lsn = schema.indexOf(LakeColumns.LSN.name()).orElseThrow();
        int xid = schema.indexOf(LakeColumns.XID.name()).orElseThrow();
        int time = schema.indexOf(LakeColumns.TIMESTAMP.name()).orElseThrow();
        int order = schema.indexOf(LakeColumns.SORT_BY.name()).orElseThrow();
        try (var rows = new RowBuilder(schema, allocator)) {
            while (changes.hasNext() && rows.count() < BATCH_ROWS) {
                var change = changes.next();
                setValues(rows, change);
                rows.set(kind, change.kind().text());
                rows.setLong(lsn, change.origin().lsn());
                if (change.origin().xid() != 0) {
                    rows.setLong(xid, change.origin().xid());
                }
                rows.setLong(time, change.origin().commitMicros());
                rows.setLong(order, change.place());
                rows.endRow();
            }
            return rows.build();
        }
    }

    private void setValues(RowBuilder rows, Change change) {
        if (change.kind() == Kind.TRUNCATE) {
            return;
        }
        for (int i = 0; i < change.numbers().length; i++) {
            var place = places.get(change.numbers()[i]);
            var value = change.values()[i];
            if (place != null && value != null) {
                rows.set(place, value);
            }
        }
    }
}
