package dev.lakemill.bench;

import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.jspecify.annotations.Nullable;

/**
 * Holds a table's history in the lake against the ledger of its changes in Postgres.
 *
 * <p>What was followed must be there transaction by transaction, each once and in the order of the
 * commits. What was read or compared (no transaction) must lead to what the table was at some point
 * of the ledger, and the transactions go on from there. A table can have been the same at two such
 * points, as after each truncate, and a comparison that finds no difference leaves no rows: so
 * where tables are compared, transactions that change nothing on the whole may be missing.
 */
final class ChaosHistory {
    record Change(String op, @Nullable Long id, @Nullable Long version) {}

    record Event(long lsn, long place, @Nullable Long xid, Change change) {}

    record Transaction(long number, long xid, List<Change> changes) {}

    /** Rows by their id, and a number that is the same for the same rows. */
    private static final class State {
        private final Map<Long, Long> rows = new HashMap<>();
        private long sum;

        void apply(Change change) {
            if (change.op().equals("truncate")) {
                rows.clear();
                sum = 0;
                return;
            }
            long id = change.id() == null ? -1 : change.id();
            var version = change.version();
            var before =
                    change.op().equals("delete") || version == null
                            ? rows.remove(id)
                            : rows.put(id, version);
            sum -= before == null ? 0 : hash(id, before);
            sum += rows.containsKey(id) ? hash(id, rows.get(id)) : 0;
        }

        State copy() {
            var same = new State();
            same.rows.putAll(rows);
            same.sum = sum;
            return same;
        }

        private static long hash(long id, long version) {
            long mixed = (id * 0x9e3779b97f4a7c15L) ^ (version + 0x632be59bd9b4e019L);
            mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
            return mixed ^ (mixed >>> 27);
        }
    }

    private final String table;
    private final boolean comparable;
    private final List<Event> events;
    private final List<Transaction> ledger;
    private final State lake = new State();
    private State truth = new State();
    private int at;
    private int followed;
    private int comparedLater;

    private ChaosHistory(
            String table, List<Event> events, List<Transaction> ledger, boolean comparable) {
        this.table = table;
        this.comparable = comparable;
        this.events = events;
        this.ledger = ledger;
    }

    /**
     * What is wrong with it; empty when nothing is.
     *
     * @param comparable whether rows may have been compared with Postgres later than at first
     */
    static String differences(ChaosNode node, Connection postgres, String table, boolean comparable)
            throws SQLException {
        return differences(table, events(node, table), ledger(postgres, table), comparable);
    }

    /** The same of a history in its order, and of a ledger. */
    static String differences(
            String table, List<Event> events, List<Transaction> ledger, boolean comparable) {
        var history = new ChaosHistory(table, events, ledger, comparable);
        var wrong = history.compare();
        if (!wrong.isEmpty()) {
            return wrong;
        }
        return history.comparedLater > 0 && !comparable
                ? "%s was compared with Postgres, and its history lacks changes".formatted(table)
                : "";
    }

    private String compare() {
        for (int i = 0; i < events.size(); ) {
            int end = i + 1;
            while (end < events.size() && isSame(events.get(i), events.get(end))) {
                end++;
            }
            var block = events.subList(i, end).stream().map(Event::change).toList();
            var xid = events.get(i).xid();
            if (xid != null && comparable && !isNext(xid)) {
                pass(xid);
            }
            block.forEach(lake::apply);
            var wrong =
                    xid == null
                            ? jump(end == events.size() ? null : events.get(end).xid())
                            : follow(xid, block);
            if (!wrong.isEmpty()) {
                return wrong + " (at lsn %d of %s)".formatted(events.get(i).lsn(), table);
            }
            i = end;
        }
        return at == ledger.size() || (comparable && pass(null))
                ? ""
                : "%s_history lacks transaction %d and those behind it, of %d"
                        .formatted(table, ledger.get(at).number(), ledger.getLast().number());
    }

    private static boolean isSame(Event one, Event other) {
        return one.lsn() == other.lsn() && java.util.Objects.equals(one.xid(), other.xid());
    }

    /** The next transaction of the ledger, change by change. */
    private String follow(long xid, List<Change> block) {
        if (at == ledger.size()) {
            return "%s_history has transaction %d, which the ledger has not".formatted(table, xid);
        }
        var expected = ledger.get(at++);
        expected.changes().forEach(truth::apply);
        followed++;
        if (expected.xid() != xid || !expected.changes().equals(block)) {
            return "%s_history has transaction %d %s, and the next is %d (%d) %s"
                    .formatted(
                            table,
                            xid,
                            block,
                            expected.xid(),
                            expected.number(),
                            expected.changes());
        }
        return "";
    }

    /** The point of the ledger that rows without a transaction lead to. */
    private String jump(@Nullable Long nextXid) {
        comparedLater += followed > 0 ? 1 : 0;
        while (truth.sum != lake.sum || !(nextXid == null || isNext(nextXid))) {
            if (at == ledger.size()) {
                return "%s_history has rows that were read, and the table never was so"
                        .formatted(table);
            }
            ledger.get(at++).changes().forEach(truth::apply);
        }
        return "";
    }

    private boolean isNext(long xid) {
        return at < ledger.size() && ledger.get(at).xid() == xid;
    }

    /**
     * Passes over the transactions before another, or over all that are left, where the table is
     * behind them as it was before; says whether it is.
     */
    private boolean pass(@Nullable Long nextXid) {
        var behind = truth.copy();
        int to = at;
        while (to < ledger.size() && !(nextXid != null && ledger.get(to).xid() == nextXid)) {
            ledger.get(to++).changes().forEach(behind::apply);
        }
        if ((nextXid != null && to == ledger.size()) || behind.sum != lake.sum) {
            return false;
        }
        at = to;
        truth = behind;
        return true;
    }

    private static List<Transaction> ledger(Connection postgres, String table) throws SQLException {
        var transactions = new ArrayList<Transaction>();
        var sql =
                "SELECT tx, xid, op, id, ver FROM proof.ledger WHERE name = '%s' ORDER BY tx, seq"
                        .formatted(table);
        try (var statement = postgres.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                if (transactions.isEmpty() || transactions.getLast().number() != rows.getLong(1)) {
                    transactions.add(
                            new Transaction(rows.getLong(1), rows.getLong(2), new ArrayList<>()));
                }
                transactions
                        .getLast()
                        .changes()
                        .add(
                                new Change(
                                        rows.getString(3),
                                        rows.getObject(4, Long.class),
                                        rows.getObject(5, Long.class)));
            }
        }
        return transactions;
    }

    private static List<Event> events(ChaosNode node, String table) {
        var events = new ArrayList<Event>();
        var columns = List.of("_pg_change_type", "_pg_lsn", "_sort_by", "_pg_xid", "id", "ver");
        var name = new TableName("bench", "app", table + "_history");
        try (var allocator = new RootAllocator();
                var reader = node.read(name, allocator).read(columns)) {
            for (var batch = reader.next(); batch != null; batch = reader.next()) {
                try (var rows = batch) {
                    for (int i = 0; i < rows.count(); i++) {
                        var op = String.valueOf(rows.vector(0).getObject(i));
                        if (op.equals("update_preimage")) {
                            continue;
                        }
                        var version = op.equals("delete") ? null : number(rows.vector(5), i);
                        events.add(
                                new Event(
                                        ((BigIntVector) rows.vector(1)).get(i),
                                        ((BigIntVector) rows.vector(2)).get(i),
                                        number(rows.vector(3), i),
                                        new Change(op, number(rows.vector(4), i), version)));
                    }
                }
            }
        }
        events.sort(Comparator.comparingLong(Event::lsn).thenComparingLong(Event::place));
        return events;
    }

    private static @Nullable Long number(FieldVector vector, int row) {
        return vector.isNull(row) ? null : ((Number) vector.getObject(row)).longValue();
    }
}
