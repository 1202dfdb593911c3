package dev.lakemill.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** A folder of Delta tables, and a capture of one schema of the test's Postgres into it. */
final class TestLake implements Lake, AutoCloseable {
    private final BufferAllocator allocator = new RootAllocator();
    private Path folder;
    private final Map<String, DeltaTable> tables = new ConcurrentHashMap<>();
    private final CaptureConfig config;
    private final Consumer<Step> steps;
    private Postgres postgres;
    private Capture capture;

    TestLake(Path folder, String schema) {
        this(folder, schema, 64L << 20, _ -> {});
    }

    TestLake(Path folder, String schema, long pendingBytesMax, Consumer<Step> steps) {
        this(folder, schema, pendingBytesMax, steps, TestPostgres.postgres());
    }

    /** Of another Postgres than that of all tests. */
    TestLake(Path folder, String schema, Postgres postgres) {
        this(folder, schema, 64L << 20, _ -> {}, postgres);
    }

    TestLake(
            Path folder,
            String schema,
            long pendingBytesMax,
            Consumer<Step> steps,
            Postgres postgres) {
        this.folder = folder;
        this.postgres = postgres;
        this.steps = steps;
        this.config =
                new CaptureConfig(
                        "lakemill_" + schema,
                        List.of(schema),
                        Duration.ofMillis(50),
                        pendingBytesMax);
        this.capture = start();
    }

    private Capture start() {
        return Capture.start(config, postgres, this, allocator, steps);
    }

    CaptureConfig config() {
        return config;
    }

    Capture capture() {
        return capture;
    }

    /** Rows by their key as the history's changes make them, in its order. */
    List<String> replayed(String history, String... columns) {
        var state = new TreeMap<String, String>();
        var wanted = new ArrayList<>(List.of("_pg_change_type"));
        wanted.addAll(List.of(columns));
        for (var line : rows(history, wanted.toArray(String[]::new))) {
            var parts = line.split("\\|", 3);
            switch (parts[0]) {
                case "insert" ->
                        assertThat(state.put(parts[1], parts[1] + "|" + parts[2]))
                                .as(line)
                                .isNull();
                case "update_postimage" ->
                        assertThat(state.put(parts[1], parts[1] + "|" + parts[2]))
                                .as(line)
                                .isNotNull();
                case "truncate" -> state.clear();
                default -> assertThat(state.remove(parts[1])).as(line).isNotNull();
            }
        }
        return List.copyOf(state.values());
    }

    void stop() {
        capture.close();
        tables.values().forEach(DeltaTable::close);
        tables.clear();
    }

    /** Stands in another folder from the next start on. */
    void move(Path other) {
        folder = other;
    }

    /** With a Postgres that was started anew. */
    void restart(Postgres other) {
        postgres = other;
        restart();
    }

    void restart() {
        capture = start();
    }

    @Override
    public DeltaTable open(String schema, String table, Part part, TableSchema columns) {
        var name = schema + "." + table + (part == Part.HISTORY ? "_history" : "_current");
        return tables.computeIfAbsent(
                name,
                _ -> {
                    var at = folder.resolve(name);
                    return DeltaTable.exists(at)
                            ? DeltaTable.open(at, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())
                            : DeltaTable.create(
                                    at, columns, DeltaConfig.DEFAULT, allocator, Clock.systemUTC());
                });
    }

    @Override
    public void changed(String schema, String table, Part part, TableSchema columns) {
        assert tables.containsKey(
                schema + "." + table + (part == Part.HISTORY ? "_history" : "_current"));
    }

    boolean has(String name) {
        return DeltaTable.exists(folder.resolve(name));
    }

    /** Columns of a table of the lake, joined; in order of the texts where asked. */
    List<String> rows(String name, String... columns) {
        var found = new ArrayList<String>();
        if (!has(name)) {
            return found;
        }
        try (var table =
                        DeltaTable.open(
                                folder.resolve(name),
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC());
                var reader = table.snapshot().read(Arrays.asList(columns))) {
            for (var next = reader.next(); next != null; next = reader.next()) {
                try (var rows = next) {
                    for (int row = 0; row < rows.count(); row++) {
                        found.add(text(rows, row));
                    }
                }
            }
        }
        return found;
    }

    List<String> sorted(String name, String... columns) {
        return rows(name, columns).stream().sorted().toList();
    }

    List<String> columns(String name) {
        try (var table =
                DeltaTable.open(
                        folder.resolve(name), DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            return table.schema().columns().stream()
                    .map(c -> c.name() + " " + c.type().sql())
                    .toList();
        }
    }

    /** How many rows each version of a table has more than the one before. */
    List<Long> sizes(String name) {
        var sizes = new ArrayList<Long>();
        try (var table =
                DeltaTable.open(
                        folder.resolve(name), DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            long before = 0;
            for (long v = 0; v <= table.snapshot().version(); v++) {
                var rows = table.snapshot(v).rowCount();
                sizes.add(rows - before);
                before = rows;
            }
        }
        return sizes;
    }

    private static String text(Rows rows, int row) {
        return rows.root().getFieldVectors().stream()
                .map(v -> String.valueOf(v.getObject(row)))
                .collect(Collectors.joining("|"));
    }

    /** Until everything that was committed in Postgres by now is in the lake. */
    void awaitAll() throws SQLException {
        var lsn = Long.parseLong(ask("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"));
        TestPostgres.await(
                "the lake has all: " + capture.status(),
                () -> {
                    // A transaction of others makes Postgres send what it has read by now.
                    ask("SELECT pg_logical_emit_message(true, 'test', '')");
                    return capture.status().confirmedLsn() >= lsn;
                });
    }

    private String ask(String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection()) {
            return String.valueOf(TestPostgres.query(connection, sql).getFirst().getFirst());
        }
    }

    @Override
    public void close() {
        stop();
        Capture.end(config, postgres);
        allocator.close();
    }
}
