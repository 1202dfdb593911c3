package dev.lakemill.capture;

import dev.lakemill.capture.Change.Kind;
import dev.lakemill.capture.Change.Origin;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.types.Column;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a table's lake tables to where Postgres stands in a snapshot whose place in the log is
 * known. Of a table that is not empty in the lake, only differences are written. One thread uses
 * it.
 *
 * <p>The history gets it first, in one commit; from there the current state gets it. So a crash in
 * between is mended by reading the history, and no difference is written twice.
 */
final class SnapshotReader {
    private static final Logger LOG = LoggerFactory.getLogger(SnapshotReader.class);
    private static final int BATCH_ROWS = 4_096;
    private static final int FIRST_XID = 0;

    private final Connection connection;
    private final long lsn;
    private final Origin origin;

    /**
     * @param connection in a transaction with the snapshot
     * @param lsn the snapshot's place in the log
     */
    SnapshotReader(Connection connection, long lsn, long nowMicros) {
        this.connection = connection;
        this.lsn = lsn;
        this.origin = new Origin(lsn, FIRST_XID, nowMicros);
    }

    /** Reads a table, which has taken on the snapshot's shape. */
    void read(CapturedTable table) throws SQLException {
        var current = table.current();
        if (current == null) {
            readAll(table);
        } else if (current.isEmpty()) {
            readAll(table);
            table.steps().accept(Step.SNAPSHOT_IN_HISTORY);
            load(table.history(), current, lsn);
        } else {
            var differences = differences(current, table.shape());
            LOG.info("{}: {} differences", table.shape().fullName(), differences.size());
            if (!differences.isEmpty()) {
                table.history().append(differences.iterator(), lsn);
                table.steps().accept(Step.SNAPSHOT_IN_HISTORY);
                current.prepare(differences).commit(lsn);
            }
        }
        reach(table);
        table.steps().accept(Step.SNAPSHOT_COMMITTED);
    }

    private void reach(CapturedTable table) {
        if (table.history().position() < lsn) {
            table.history().reach(lsn);
        }
        var current = table.current();
        if (current != null && current.position() < lsn) {
            current.reach(lsn);
        }
    }

    /** All rows as inserts; a history that has rows already says before that all went. */
    private void readAll(CapturedTable table) throws SQLException {
        var history = table.history();
        try (var rows = new TableSnapshot(connection, table.shape(), origin)) {
            if (history.delta().snapshot().rowCount() == 0) {
                history.append(rows, lsn);
            } else {
                var gone = Change.of(Kind.TRUNCATE, new int[0], new byte[0][], origin, 0);
                history.append(new Behind(gone, rows), lsn);
            }
        }
    }

    /** One change, and others behind it. */
    private static final class Behind implements Iterator<Change> {
        private final Iterator<Change> rest;
        private @Nullable Change first;

        Behind(Change first, Iterator<Change> rest) {
            this.first = first;
            this.rest = rest;
        }

        @Override
        public boolean hasNext() {
            return first != null || rest.hasNext();
        }

        @Override
        public Change next() {
            var given = first;
            if (given == null) {
                return rest.next();
            }
            first = null;
            return given;
        }
    }

    /** What to do to the current state so that it is as Postgres is. */
    private List<Change> differences(CurrentTable current, TableShape shape) throws SQLException {
        var hashes = new HashMap<String, Long>();
        var keys = new HashMap<String, byte[][]>();
        current.forEach(
                row -> {
                    var name = current.keyOf(row);
                    if (name != null) {
                        hashes.put(name, hash(row));
                        keys.put(name, current.keyAlone(row));
                    }
                });
        var differences = new ArrayList<Change>();
        try (var rows = new TableSnapshot(connection, shape, origin)) {
            while (rows.hasNext()) {
                var batch = new ArrayList<Change>();
                while (rows.hasNext() && batch.size() < BATCH_ROWS) {
                    batch.add(rows.next());
                }
                var same = current.canonical(batch.stream().map(Change::values).toList());
                for (int i = 0; i < batch.size(); i++) {
                    var name = current.keyOf(same.get(i));
                    var had = name == null ? null : hashes.remove(name);
                    if (had == null || had != hash(same.get(i))) {
                        var kind = had == null ? Kind.INSERT : Kind.UPDATE;
                        differences.add(
                                Change.of(
                                        kind,
                                        batch.get(i).numbers(),
                                        batch.get(i).values(),
                                        origin,
                                        batch.get(i).place()));
                    }
                }
            }
        }
        var numbers = shape.columns().stream().mapToInt(c -> c.number()).toArray();
        for (var name : hashes.keySet()) {
            var row = keys.get(name);
            if (row != null) {
                differences.add(Change.of(Kind.DELETE, numbers, row, origin, differences.size()));
            }
        }
        return differences;
    }

    private static long hash(byte[][] values) {
        long hash = 0xcbf29ce484222325L;
        for (var value : values) {
            if (value == null) {
                hash = (hash ^ 0x1ff) * 0x100000001b3L;
                continue;
            }
            for (var b : value) {
                hash = (hash ^ b) * 0x100000001b3L;
            }
            hash = (hash ^ 0x2ff) * 0x100000001b3L;
        }
        return hash;
    }

    /**
     * The same where the table's columns may be others than those of its current state, as after a
     * restore. Then it is emptied: its rows are read anew, behind a truncate.
     */
    static void settle(CapturedTable table) {
        var current = table.current();
        if (current != null && current.position() < table.history().position()) {
            if (table.isWhole()) {
                catchUp(table);
            } else {
                table.reset();
            }
        }
    }

    /** Brings a current state to where its history is, after a crash between the two. */
    static void catchUp(CapturedTable table) {
        var current = table.current();
        var upTo = table.history().position();
        if (current == null || current.position() >= upTo) {
            return;
        }
        var from = current.position();
        if (from < 0 && current.isEmpty()) {
            load(table.history(), current, upTo);
            return;
        }
        if (table.isSetBack()) {
            table.reset();
            return;
        }
        var changes = new ArrayList<Change>();
        var shape = table.shape();
        try (var behind =
                new HistoryRows(table.history(), from < 0 ? upTo - 1 : from, upTo, false)) {
            while (behind.hasNext()) {
                try (var rows = behind.next()) {
                    changes(rows, shape, upTo).forEach(changes::add);
                }
            }
        }
        current.prepare(changes).commit(upTo);
        if (current.position() < upTo) {
            current.reach(upTo);
        }
    }

    /** Fills an empty current state with the rows of a snapshot that a history has at a place. */
    private static void load(HistoryTable history, CurrentTable current, long at) {
        var wanted = current.delta().schema();
        var names = historyNames(history.delta().schema(), current.shape());
        try (var inserted = new HistoryRows(history, at - 1, at, true)) {
            current.load(
                    new Iterator<>() {
                        @Override
                        public boolean hasNext() {
                            return inserted.hasNext();
                        }

                        @Override
                        public Rows next() {
                            try (var rows = inserted.next()) {
                                return renamed(rows, names, wanted);
                            }
                        }
                    },
                    at);
        }
    }

    /** Columns by their names in a history, under the names of a schema and in its types. */
    private static Rows renamed(Rows rows, List<String> names, TableSchema wanted) {
        var places = names.stream().map(name -> place(rows, name)).toList();
        var columns = new ArrayList<Column>();
        for (int i = 0; i < places.size(); i++) {
            var type = rows.schema().column(places.get(i)).type();
            columns.add(Column.nullable(wanted.column(i).name(), type));
        }
        try (var some = rows.select(places);
                var same = new Rows(new TableSchema(columns), some.root().slice(0, some.count()))) {
            return same.conformed(wanted);
        }
    }

    private static List<String> historyNames(TableSchema history, TableShape shape) {
        var names = LakeColumns.names(shape);
        return shape.columns().stream()
                .map(c -> LakeColumns.historyName(history, LakeColumns.name(names, c.number()), c))
                .toList();
    }

    private static List<Change> changes(Rows rows, TableShape shape, long lsn) {
        var names = historyNames(rows.schema(), shape);
        var numbers = shape.columns().stream().mapToInt(c -> c.number()).toArray();
        var kinds = (VarCharVector) rows.vector(place(rows, LakeColumns.CHANGE_TYPE.name()));
        var changes = new ArrayList<Change>();
        for (int row = 0; row < rows.count(); row++) {
            var values = new byte[numbers.length][];
            for (int i = 0; i < numbers.length; i++) {
                values[i] = TextValues.get(rows.vector(place(rows, names.get(i))), row);
            }
            var told = Kind.of(kinds.getObject(row).toString());
            var kind = told == Kind.UPDATE_PREIMAGE ? Kind.DELETE : told;
            changes.add(Change.of(kind, numbers, values, new Origin(lsn, 0, 0), row));
        }
        return changes;
    }

    private static int place(Rows rows, String column) {
        return rows.schema().indexOf(column).orElseThrow();
    }

    /** Rows of a history whose place is in a range, in order. */
    private static final class HistoryRows implements Iterator<Rows>, AutoCloseable {
        private final DeltaReader reader;
        private final long after;
        private final long to;
        private final boolean ofSnapshot;
        private @Nullable Rows next;

        /**
         * @param ofSnapshot whether only rows that a snapshot inserted are wanted
         */
        HistoryRows(HistoryTable history, long after, long to, boolean ofSnapshot) {
            this.ofSnapshot = ofSnapshot;
            this.reader = history.delta().snapshot().read(List.of());
            this.after = after;
            this.to = to;
        }

        @Override
        public boolean hasNext() {
            while (next == null) {
                var rows = reader.next();
                if (rows == null) {
                    return false;
                }
                try (rows) {
                    var wanted =
                            IntStream.range(0, rows.count())
                                    .filter(row -> isWanted(rows, row))
                                    .toArray();
                    next = wanted.length == 0 ? null : rows.pick(wanted);
                }
            }
            return true;
        }

        private boolean isWanted(Rows rows, int row) {
            var lsn = ((BigIntVector) rows.vector(place(rows, LakeColumns.LSN.name()))).get(row);
            if (lsn <= after || lsn > to) {
                return false;
            }
            var kind = rows.vector(place(rows, LakeColumns.CHANGE_TYPE.name())).getObject(row);
            return !ofSnapshot
                    || (Kind.INSERT.text().equals(String.valueOf(kind))
                            && rows.vector(place(rows, LakeColumns.XID.name())).isNull(row));
        }

        @Override
        public Rows next() {
            var given = hasNext() ? next : null;
            if (given == null) {
                throw new NoSuchElementException();
            }
            next = null;
            return given;
        }

        @Override
        public void close() {
            reader.close();
            if (next != null) {
                next.close();
            }
        }
    }
}
