package dev.lakemill.capture;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A state table with a key as it stands: the last row of each key, with the columns that the table
 * has. One thread uses it.
 *
 * <p>It never has a change that the history does not have, so that what it holds is always the row
 * before the next change of the history. From there come the values that Postgres did not send.
 */
final class CurrentTable {
    private static final Logger LOG = LoggerFactory.getLogger(CurrentTable.class);

    private final DeltaTable delta;
    private final String application;
    private final BufferAllocator allocator;
    private TableShape shape;
    private int[] key;
    private Map<Integer, Integer> indexes;

    /** What some changes leave: the last row of each key that they touched; null where it went. */
    private final class Net {
        private final Map<String, byte @Nullable [][]> rows = new LinkedHashMap<>();
        private final Map<String, byte[][]> keys = new HashMap<>();
        private boolean emptied;

        byte @Nullable [][] get(String name) {
            return rows.get(name);
        }

        void put(byte[][] row) {
            var name = keyOf(row);
            if (name != null) {
                rows.put(name, row);
                keys.putIfAbsent(name, row);
            }
        }

        void remove(byte[][] row) {
            var name = keyOf(row);
            if (name != null) {
                rows.put(name, null);
                keys.putIfAbsent(name, row);
            }
        }

        void empty() {
            rows.clear();
            keys.clear();
            emptied = true;
        }
    }

    CurrentTable(
            DeltaTable delta, String application, TableShape shape, BufferAllocator allocator) {
        this.delta = delta;
        this.application = application;
        this.allocator = allocator;
        this.shape = shape;
        this.indexes = indexes(shape);
        this.key = key(shape, indexes);
    }

    DeltaTable delta() {
        return delta;
    }

    TableShape shape() {
        return shape;
    }

    /** The position up to which it has changes; -1 for none. */
    long position() {
        return delta.transaction(application).orElse(-1);
    }

    /** Notes that it has all changes up to a position. */
    void reach(long position) {
        delta.append(List.of(), new long[0], new Txn(application, position));
    }

    private static Map<Integer, Integer> indexes(TableShape shape) {
        var indexes = new HashMap<Integer, Integer>();
        for (int i = 0; i < shape.columns().size(); i++) {
            indexes.put(shape.columns().get(i).number(), i);
        }
        return indexes;
    }

    private static int[] key(TableShape shape, Map<Integer, Integer> indexes) {
        return shape.key().stream().mapToInt(n -> indexes.getOrDefault(n, -1)).toArray();
    }

    /**
     * Takes on the columns of a shape; rows that are there keep their values under new names, and
     * in new types as far as they can be written in them.
     *
     * @param told the shapes that one transaction gave it in turn; the last one stays
     * @param position just before the transaction
     * @return whether rows may have values in Postgres that the log does not tell
     */
    boolean follow(List<TableShape> told, long position) {
        var before = shape;
        var next = told.getLast();
        var wanted = LakeColumns.current(next);
        var present = delta.schema();
        adopt(next);
        if (present.equals(wanted)) {
            return hasUnknown(before, told);
        }
        if (isGrowth(before, next, present, wanted)) {
            delta.widen(wanted);
            return hasUnknown(before, told);
        }
        var old = LakeColumns.names(before);
        if (next.key().stream()
                .anyMatch(n -> present.indexOf(LakeColumns.name(old, n)).isEmpty())) {
            // After a restore, rows may be older than the names that their table has now.
            reset(next, position);
            return true;
        }
        delta.replace(
                wanted,
                new ReshapedRows(delta.snapshot().read(List.of()), old, next, allocator),
                new Txn(application, position));
        return hasUnknown(before, told);
    }

    /** Whether only columns come that are NULL in all rows, and types get wider. */
    private static boolean isGrowth(
            TableShape before, TableShape next, TableSchema present, TableSchema wanted) {
        if (wanted.size() < present.size()) {
            return false;
        }
        for (int i = 0; i < wanted.size(); i++) {
            var column = wanted.column(i);
            if (i >= present.size()) {
                if (!column.nullable() || next.columns().get(i).missing() != null) {
                    return false;
                }
                continue;
            }
            var had = present.column(i);
            if (!had.name().equals(column.name())
                    || had.nullable() != column.nullable()
                    || before.columns().size() <= i
                    || before.columns().get(i).number() != next.columns().get(i).number()
                    || !(LakeColumns.same(had.type(), column.type())
                            || TypeWidening.isAllowed(had.type(), column.type()))) {
                return false;
            }
        }
        return true;
    }

    /** Whether rows may get values that the log does not tell. */
    static boolean hasUnknown(TableShape before, List<TableShape> told) {
        var last = before;
        for (var next : told) {
            if (hasUnknown(last, next)) {
                return true;
            }
            last = next;
        }
        return false;
    }

    private static boolean hasUnknown(TableShape before, TableShape next) {
        return next.columns().stream()
                .anyMatch(
                        column -> {
                            var had = before.column(column.number());
                            if (had.isEmpty()) {
                                return column.filled() && column.missing() == null;
                            }
                            return !LakeColumns.same(had.get().type(), column.type())
                                    && !TypeWidening.isAllowed(had.get().type(), column.type());
                        });
    }

    /**
     * Fills in what Postgres did not send, and takes the changes in.
     *
     * @param changes in order, all behind {@link #position}
     * @return the same changes, whole, for the history, and how to commit them here
     */
    Prepared prepare(List<Change> changes) {
        var net = new Net();
        var found = find(changes);
        var whole = new ArrayList<Change>(changes.size());
        for (var change : changes) {
            whole.add(take(change, net, found));
        }
        return new Prepared(whole, net);
    }

    /** Changes that are whole, and what they leave. */
    final class Prepared {
        private final List<Change> changes;
        private final Net net;

        private Prepared(List<Change> changes, Net net) {
            this.changes = changes;
            this.net = net;
        }

        List<Change> changes() {
            return changes;
        }

        /** Commits what they leave. */
        void commit(long position) {
            CurrentTable.this.commit(net, position);
        }
    }

    private Change take(Change change, Net net, Map<String, byte[][]> found) {
        return switch (change.kind()) {
            case TRUNCATE -> {
                net.empty();
                found.clear();
                yield change;
            }
            case DELETE -> {
                net.remove(arranged(change.numbers(), change.values()));
                yield change;
            }
            case UPDATE_PREIMAGE -> change;
            case INSERT, UPDATE -> takeRow(change, net, found);
        };
    }

    private Change takeRow(Change change, Net net, Map<String, byte[][]> found) {
        var row = arranged(change.numbers(), change.values());
        var whole = change;
        var old = change.old() == null ? null : arranged(change.oldNumbers(), change.old());
        if (change.isIncomplete()) {
            whole = filled(change, old, lastRow(old == null ? row : old, net, found));
            row = arranged(whole.numbers(), whole.values());
        }
        if (old != null) {
            net.remove(old);
        }
        net.put(row);
        return whole;
    }

    private byte @Nullable [][] lastRow(byte[][] of, Net net, Map<String, byte[][]> found) {
        var name = keyOf(of);
        if (name == null) {
            return null;
        }
        return net.rows.containsKey(name) ? net.get(name) : found.get(name);
    }

    /** With the values that did not change; the old row that Postgres sent comes first. */
    private Change filled(Change change, byte @Nullable [][] old, byte @Nullable [][] last) {
        var values = change.values().clone();
        for (int i = 0; i < values.length; i++) {
            if (PgOutput.isUnchanged(values[i])) {
                var index = indexes.getOrDefault(change.numbers()[i], -1);
                values[i] = index < 0 ? null : value(old, last, index);
            }
        }
        if (last == null && old == null) {
            LOG.warn("{}: a value that did not change is not known", shape.fullName());
        }
        return new Change(
                change.kind(),
                change.numbers(),
                values,
                change.oldNumbers(),
                change.old(),
                change.origin(),
                change.place());
    }

    private static byte @Nullable [] value(
            byte @Nullable [][] old, byte @Nullable [][] last, int index) {
        if (old != null && old[index] != null) {
            return old[index];
        }
        return last == null ? null : last[index];
    }

    /** Values in the order of the shape's columns. */
    private byte[][] arranged(int[] numbers, byte[][] values) {
        var row = new byte[shape.columns().size()][];
        for (int i = 0; i < numbers.length; i++) {
            var index = indexes.getOrDefault(numbers[i], -1);
            if (index >= 0) {
                row[index] = values[i];
            }
        }
        return row;
    }

    /** The name of a row's key; null when a part of it is NULL. */
    @Nullable String keyOf(byte[][] row) {
        var name = new StringBuilder();
        for (int index : key) {
            var value = index < 0 ? null : row[index];
            if (value == null || PgOutput.isUnchanged(value)) {
                return null;
            }
            var text = TextValues.canonical(shape.columns().get(index).type(), value);
            if (key.length == 1) {
                return text;
            }
            name.append(text.length()).append(':').append(text);
        }
        return name.toString();
    }

    /** The rows that stand now, of the keys of changes that are not whole. */
    private Map<String, byte[][]> find(List<Change> changes) {
        var wanted = new LinkedHashMap<String, byte[][]>();
        for (var change : changes) {
            if (change.isIncomplete()) {
                var row =
                        change.old() == null
                                ? arranged(change.numbers(), change.values())
                                : arranged(change.oldNumbers(), change.old());
                var name = keyOf(row);
                if (name != null) {
                    wanted.put(name, row);
                }
            }
        }
        var found = new HashMap<String, byte[][]>();
        if (wanted.isEmpty()) {
            return found;
        }
        try (var keys = keys(wanted.values())) {
            for (var rows : delta.find(keys)) {
                try (rows) {
                    for (int row = 0; row < rows.count(); row++) {
                        var values = values(rows, row);
                        var name = keyOf(values);
                        if (name != null) {
                            found.put(name, values);
                        }
                    }
                }
            }
        }
        return found;
    }

    private byte[][] values(Rows rows, int row) {
        var values = new byte[rows.schema().size()][];
        for (int i = 0; i < values.length; i++) {
            values[i] = TextValues.get(rows.vector(i), row);
        }
        return values;
    }

    private Rows keys(Collection<byte[][]> rows) {
        var schema = LakeColumns.current(shape);
        var columns = Arrays.stream(key).mapToObj(schema::column).toList();
        try (var keys = new RowBuilder(new TableSchema(columns), allocator)) {
            for (var row : rows) {
                for (int i = 0; i < key.length; i++) {
                    keys.set(i, row[key[i]]);
                }
                keys.endRow();
            }
            return keys.build();
        }
    }

    private Rows rows(Collection<byte @Nullable [][]> all) {
        try (var rows = new RowBuilder(LakeColumns.current(shape), allocator)) {
            for (var row : all) {
                if (row != null) {
                    for (int i = 0; i < row.length; i++) {
                        if (row[i] != null) {
                            rows.set(i, row[i]);
                        }
                    }
                    rows.endRow();
                }
            }
            return rows.build();
        }
    }

    private void commit(Net net, long position) {
        var txn = new Txn(application, position);
        try (var rows = rows(net.rows.values())) {
            if (net.emptied) {
                delta.replace(List.of(rows.retain()).iterator(), txn);
            } else if (!net.keys.isEmpty()) {
                try (var keys = keys(net.keys.values())) {
                    delta.upsert(rows, keys, txn);
                }
            }
        }
    }

    /** Rows as they would stand here: every value in its one form. */
    List<byte[][]> canonical(Collection<byte @Nullable [][]> texts) {
        var same = new ArrayList<byte[][]>();
        try (var rows = rows(texts)) {
            for (int row = 0; row < rows.count(); row++) {
                same.add(values(rows, row));
            }
        }
        return same;
    }

    /** All rows that stand. */
    void forEach(Consumer<byte[][]> taker) {
        try (var reader = delta.snapshot().read(List.of())) {
            for (var next = reader.next(); next != null; next = reader.next()) {
                try (var rows = next) {
                    for (int row = 0; row < rows.count(); row++) {
                        taker.accept(values(rows, row));
                    }
                }
            }
        }
    }

    /** A row with nothing but its key. */
    byte[][] keyAlone(byte[][] row) {
        var alone = new byte[row.length][];
        for (int index : key) {
            alone[index] = row[index];
        }
        return alone;
    }

    /** Its first rows. */
    void load(Iterator<Rows> rows, long position) {
        delta.replace(rows, new Txn(application, position));
    }

    boolean isEmpty() {
        return delta.snapshot().rowCount() == 0;
    }

    /** Reads by another shape, which its rows have already. */
    void adopt(TableShape next) {
        shape = next;
        indexes = indexes(next);
        key = key(next, indexes);
    }

    /** Empties it for another table of the same name. */
    void reset(TableShape next, long position) {
        adopt(next);
        delta.replace(
                LakeColumns.current(next),
                List.<Rows>of().iterator(),
                new Txn(application, position));
    }
}
