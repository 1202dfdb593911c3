package dev.lakemill.bench;

import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;

/** Everything that must be true of a node once it has caught up, however it was killed. */
@SuppressWarnings("InlineFormatString") // SQL is read better by itself.
final class ChaosCheck {
    private static final TableName BRONZE = TableName.parse("bench.bronze.history");
    private static final TableName GOLD = TableName.parse("bench.gold.buckets");
    private static final long PAUSE_MILLIS = 150;
    private static final int REFRESH_EVERY = 20;

    private final ChaosNode node;
    private final ChaosSteps steps;
    private final boolean restored;

    /**
     * @param restored whether the node was made from backups: what the slot lost is compared then
     */
    ChaosCheck(ChaosNode node, ChaosSteps steps, boolean restored) {
        this.node = node;
        this.steps = steps;
        this.restored = restored;
    }

    /** Waits until nothing differs; returns what differs after all patience. */
    List<String> settle(List<RecordedStream> producers, Set<Long> acknowledged)
            throws InterruptedException {
        var deadline = System.nanoTime() + ChaosNode.PATIENCE.toNanos();
        var found = List.of("nothing was looked at");
        for (int i = 0; System.nanoTime() < deadline; i++) {
            try {
                if (i == 0) {
                    awaitCapture();
                }
                if (i % REFRESH_EVERY == 0) {
                    refresh();
                }
                found = differences(producers, acknowledged);
                if (found.isEmpty()) {
                    return found;
                }
            } catch (SQLException | IOException | LakemillException e) {
                found = List.of("cannot be looked at: " + e);
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return found;
    }

    private void refresh() throws IOException, InterruptedException {
        for (var table : steps.refreshed()) {
            node.server().rest().statement("REFRESH SYNCED TABLE " + table);
        }
    }

    /** Until the slot was told of all that is committed: the costly looks come after that. */
    private void awaitCapture() throws SQLException, InterruptedException {
        try (var connection = node.superuser()) {
            var lsn = ask(connection, "SELECT pg_current_wal_lsn()::text");
            var confirmed =
                    "SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'lakemill%%'"
                            + " AND confirmed_flush_lsn >= '%s'::pg_lsn";
            var deadline = System.nanoTime() + ChaosNode.PATIENCE.toNanos() / 4;
            while (ask(connection, confirmed.formatted(lsn)).equals("0")
                    && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
        }
    }

    private List<String> differences(List<RecordedStream> producers, Set<Long> acknowledged)
            throws SQLException, IOException {
        var found = new ArrayList<String>();
        try (var connection = node.superuser()) {
            rows(producers, found);
            for (var entry : steps.synced().entrySet()) {
                same(connection, entry.getKey(), entry.getValue(), found);
            }
            state(connection, acknowledged, found);
            rights(connection, found);
            indexes(connection, found);
        }
        return found;
    }

    private void rows(List<RecordedStream> producers, List<String> found) {
        var history = History.of(node.location(BRONZE), producers);
        if (!history.equals(new History(history.rows(), 0, 0, 0))) {
            found.add("acknowledged rows in Bronze: " + history);
        }
        try (var allocator = new RootAllocator();
                var reader = node.read(GOLD, allocator).read(List.of("events"))) {
            long counted = 0;
            for (var batch = reader.next(); batch != null; batch = reader.next()) {
                try (var rows = batch) {
                    for (int i = 0; i < rows.count(); i++) {
                        counted += ((BigIntVector) rows.vector(0)).get(i);
                    }
                }
            }
            var rows = node.read(BRONZE, allocator).rowCount();
            if (rows != counted) {
                found.add("Bronze has %d rows, Gold is of %d".formatted(rows, counted));
            }
        }
    }

    private void same(Connection connection, TableName table, TableName of, List<String> found)
            throws SQLException {
        try (var allocator = new RootAllocator()) {
            var delta = node.read(of, allocator);
            var lake = TableContent.ofDelta(delta);
            var shown = TableContent.ofPostgres(connection, table, delta.schema());
            // What producers sent twice stands in the lake twice, and here once.
            if (!lake.keySet().equals(shown.keySet())) {
                var more = new TreeSet<>(lake.keySet());
                more.removeAll(shown.keySet());
                var others = new TreeSet<>(shown.keySet());
                others.removeAll(lake.keySet());
                found.add(
                        "%s has %d rows, %s %d; in the lake alone %s, in Postgres alone %s"
                                .formatted(
                                        table,
                                        shown.size(),
                                        of,
                                        lake.size(),
                                        more.stream().limit(2).toList(),
                                        others.stream().limit(2).toList()));
            }
        }
    }

    private void state(Connection connection, Set<Long> acknowledged, List<String> found)
            throws SQLException {
        for (var table : ChaosState.TABLES) {
            if (!table.equals("events")) {
                var current = new TableName("bench", "app", table + "_current");
                same(connection, new TableName("bench", "app", table), current, found);
            }
            var comparable = restored || table.equals("notes");
            var wrong = ChaosHistory.differences(node, connection, table, comparable);
            if (!wrong.isEmpty()) {
                found.add(wrong);
            }
        }
        for (var entry : steps.read().entrySet()) {
            var table = new TableName("bench", "app", entry.getKey());
            same(
                    connection,
                    table,
                    new TableName("bench", "app", table.table() + "_current"),
                    found);
            var history = new TableName("bench", "app", table.table() + "_history");
            try (var allocator = new RootAllocator()) {
                var rows = node.read(history, allocator).rowCount();
                if (rows != entry.getValue()) {
                    found.add(
                            "%s was read as %d rows, it has %d"
                                    .formatted(table, rows, entry.getValue()));
                }
            }
        }
        var there = new TreeSet<Long>();
        for (var number : list(connection, "SELECT tx FROM proof.ledger WHERE name = ''")) {
            there.add(Long.valueOf(number));
        }
        if (!there.containsAll(acknowledged)) {
            found.add("Postgres lost transactions whose commit it acknowledged");
        }
    }

    private void rights(Connection connection, List<String> found) throws SQLException {
        var tables = new ArrayList<String>();
        steps.synced().keySet().forEach(table -> tables.add("serving." + table.table()));
        ChaosState.TABLES.forEach(table -> tables.add("app." + table));
        for (var table : tables) {
            var sql =
                    """
                    SELECT has_table_privilege('chaos_reader', '%1$s', 'SELECT')
                        AND NOT has_table_privilege('chaos_reader', '%1$s', 'INSERT, UPDATE, DELETE')
                        AND has_schema_privilege('chaos_reader', '%2$s', 'USAGE')
                    """;
            var schema = table.substring(0, table.indexOf('.'));
            if (!ask(connection, sql.formatted(table, schema)).equals("t")) {
                found.add("the grants on %s are gone".formatted(table));
            }
        }
    }

    private void indexes(Connection connection, List<String> found) throws SQLException {
        var there =
                list(
                        connection,
                        """
                        SELECT n.nspname || '.' || c.relname FROM pg_index i
                        JOIN pg_class c ON c.oid = i.indexrelid
                        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indisvalid
                        """);
        for (var index : steps.indexes()) {
            if (!there.contains(index)) {
                found.add("the index %s is gone".formatted(index));
            }
        }
    }

    static String ask(Connection connection, String sql) throws SQLException {
        return list(connection, sql).getFirst();
    }

    private static List<String> list(Connection connection, String sql) throws SQLException {
        var values = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(String.valueOf(rows.getString(1)));
            }
        }
        return values;
    }
}
