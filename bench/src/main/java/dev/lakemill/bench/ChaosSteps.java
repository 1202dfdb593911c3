package dev.lakemill.bench;

import dev.lakemill.types.TableName;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the node is at when it is killed, beside its load. Each step can be done again, which is
 * what whoever asked for it does when the node is back.
 */
final class ChaosSteps {
    /** What it is at. */
    enum Step {
        /** A synced table of a mode that the seed decides is made and filled. */
        FIRST_COPY,
        /** Synced tables follow, and those that do not by themselves are refreshed. */
        SYNC,
        /** Columns come, go, get other names and types; indexes come. */
        SCHEMA_CHANGE,
        /** A state table that has rows already is captured. */
        FIRST_READING,
        /** State tables are captured. */
        CAPTURE,
        /** A base backup is made. */
        BACKUP,
        /** A data folder is made from backups, and a second node started on it. */
        RESTORE;

        private static final List<Step> ALL = wanted();

        private static List<Step> wanted() {
            var names = System.getProperty("lakemill.chaos.steps", "");
            return names.isEmpty()
                    ? List.of(values())
                    : Arrays.stream(names.split(",")).map(Step::valueOf).toList();
        }

        static Step any(Random random) {
            return ALL.get(random.nextInt(ALL.size()));
        }
    }

    private static final List<String> MODES = List.of("snapshot", "triggered", "continuous");
    private static final int FIRST_ROWS_MAX = 20_000;

    private final ChaosNode node;
    private final Map<TableName, TableName> synced = new LinkedHashMap<>();
    private final Set<String> indexes = new TreeSet<>();
    private final Map<String, Integer> read = new LinkedHashMap<>();

    ChaosSteps(ChaosNode node) {
        this.node = node;
        synced.put(name("serving.buckets"), name("gold.buckets"));
    }

    /** The same tables on another node. */
    ChaosSteps on(ChaosNode other) {
        var same = new ChaosSteps(other);
        same.synced.putAll(synced);
        same.indexes.addAll(indexes);
        same.read.putAll(read);
        return same;
    }

    private static TableName name(String rest) {
        return TableName.parse("bench." + rest);
    }

    /** Synced tables that must be there, with their sources. */
    Map<TableName, TableName> synced() {
        return Map.copyOf(synced);
    }

    /** Indexes that must be there, as {@code schema.name}. */
    Set<String> indexes() {
        return Set.copyOf(indexes);
    }

    /** State tables whose rows were there before their capture, with how many. */
    Map<String, Integer> read() {
        return Map.copyOf(read);
    }

    /** Makes what is there in all rounds. */
    void install() throws IOException, InterruptedException {
        sync("orders_back", "app.orders_current", "id", "continuous");
        sync("buckets_triggered", "gold.buckets", "stream, bucket", "triggered");
        sync("buckets_snapshot", "gold.buckets", "stream, bucket", "snapshot");
    }

    private void sync(String table, String source, String key, String mode)
            throws IOException, InterruptedException {
        node.server()
                .rest()
                .run(
                        """
                        CREATE SYNCED TABLE IF NOT EXISTS bench.serving.%s FROM bench.%s
                        PRIMARY KEY (%s) WITH (mode = '%s')
                        """
                                .formatted(table, source, key, mode));
        synced.put(name("serving." + table), name(source));
    }

    /** Synced tables that follow when they are asked to. */
    List<TableName> refreshed() {
        return synced.keySet().stream()
                .filter(t -> !List.of("buckets", "orders_back").contains(t.table()))
                .toList();
    }

    private void refresh() throws IOException, InterruptedException {
        for (var table : refreshed()) {
            node.server().rest().statement("REFRESH SYNCED TABLE " + table);
        }
    }

    /** Does a step of a round; those that are only load do nothing here. */
    void run(Step step, long round) throws IOException, InterruptedException, SQLException {
        switch (step) {
            case FIRST_COPY -> firstCopy(round);
            case SYNC -> refresh();
            case SCHEMA_CHANGE -> changeSchema(round);
            case FIRST_READING -> firstReading(round);
            case BACKUP -> backup();
            case CAPTURE, RESTORE -> {}
        }
    }

    void backup() throws IOException, InterruptedException {
        var answer = node.server().rest().post("/api/2.0/backups", Map.of("keep", 2));
        if (!answer.ok()) {
            throw new IOException("no backup: " + answer.body());
        }
    }

    private void firstCopy(long round) throws IOException, InterruptedException {
        var fresh = "copy_" + round;
        for (var table : List.copyOf(synced.keySet())) {
            if (table.table().startsWith("copy_") && !table.table().equals(fresh)) {
                node.server().rest().run("DROP SYNCED TABLE IF EXISTS " + table);
                synced.remove(table);
            }
        }
        var mode = MODES.get(Math.floorMod(round, MODES.size()));
        sync(fresh, "bronze.history", "stream, n", mode);
    }

    private void changeSchema(long round) throws SQLException, IOException, InterruptedException {
        try (var connection = node.superuser()) {
            var app = "SET SESSION AUTHORIZATION chaos_app";
            ChaosState.execute(connection, app);
            var orders = "ALTER TABLE app.orders ";
            ChaosState.execute(
                    connection,
                    orders + "ADD COLUMN IF NOT EXISTS c%1$d int DEFAULT %1$d".formatted(round));
            ChaosState.execute(connection, orders + "ALTER c%d TYPE bigint".formatted(round));
            index(connection, "app", "orders_%d".formatted(round % 4), "app.orders (ver)");
            changeNotes(connection, round);
            ChaosState.execute(connection, "RESET SESSION AUTHORIZATION");
            index(
                    connection,
                    "serving",
                    "back_%d".formatted(round % 3),
                    "serving.orders_back (ver, id)");
        }
        var column = List.of("events", "newest", "total").get((int) (round % 3));
        node.server()
                .rest()
                .run(
                        "ALTER SYNCED TABLE bench.serving.buckets_triggered ADD INDEX (%s)"
                                .formatted(column));
    }

    private void index(Connection connection, String schema, String name, String on)
            throws SQLException {
        ChaosState.execute(connection, "CREATE INDEX IF NOT EXISTS %s ON %s".formatted(name, on));
        indexes.add(schema + "." + name);
    }

    /** Adds a column, or changes or drops one that an earlier round added. */
    private static void changeNotes(Connection connection, long round) throws SQLException {
        var columns = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT attname FROM pg_attribute WHERE attrelid = 'app.notes'::regclass
                                AND attname LIKE 'x%' AND attnum > 0 AND NOT attisdropped ORDER BY attname
                                """)) {
            while (rows.next()) {
                columns.add(rows.getString(1));
            }
        }
        var random = new Random(round);
        var column = columns.isEmpty() ? "" : columns.get(random.nextInt(columns.size()));
        var notes = "ALTER TABLE app.notes ";
        ChaosState.execute(
                connection,
                switch (column.isEmpty() ? 0 : random.nextInt(4)) {
                    case 1 -> notes + "DROP COLUMN " + column;
                    case 2 ->
                            notes
                                    + "RENAME COLUMN %s TO x%d_%s"
                                            .formatted(
                                                    column,
                                                    round,
                                                    Long.toString(System.nanoTime(), 36));
                    case 3 -> notes + "ALTER %s TYPE text".formatted(column);
                    default ->
                            notes
                                    + "ADD COLUMN IF NOT EXISTS x%1$d int DEFAULT %1$d"
                                            .formatted(round);
                });
    }

    private void firstReading(long round) throws SQLException {
        var fresh = "first_" + round;
        int count = 1 + new Random(round).nextInt(FIRST_ROWS_MAX);
        try (var connection = node.superuser()) {
            for (var old : List.copyOf(read.keySet())) {
                if (!old.equals(fresh)) {
                    ChaosState.execute(connection, "DROP TABLE IF EXISTS app." + old);
                    read.remove(old);
                }
            }
            ChaosState.execute(
                    connection,
                    """
                    DO $$ BEGIN IF to_regclass('app.%1$s') IS NULL THEN
                        DROP TABLE IF EXISTS stage.%1$s;
                        CREATE TABLE stage.%1$s (id bigint PRIMARY KEY, note text);
                        INSERT INTO stage.%1$s SELECT g, md5(g::text) FROM generate_series(1, %2$d) g;
                        ALTER TABLE stage.%1$s SET SCHEMA app;
                    END IF; END $$
                    """
                            .formatted(fresh, count));
        }
        read.put(fresh, count);
    }
}
