package dev.lakemill.server.backup;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/** Restores a backup into a temporary folder, reads everything in it, and deletes it again. */
public final class Verify {
    /**
     * @param in where the temporary folder is made
     * @param moment the last that is in; null for all there is
     */
    public record Order(Path from, Path in, @Nullable Instant moment) {}

    /** What was found; no problems means that all is well. */
    public record Verdict(
            String base,
            String mark,
            int deltaTables,
            long deltaRows,
            int postgresTables,
            List<String> problems) {
        public Verdict {
            problems = List.copyOf(problems);
        }
    }

    private static final String TABLES =
            """
            SELECT c.oid::regclass::text, c.oid::bigint FROM pg_class c
            WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' ORDER BY 1
            """;

    private static final String INDEXES =
            """
            SELECT c.oid::regclass::text, c.oid::bigint FROM pg_class c
            JOIN pg_am a ON a.oid = c.relam JOIN pg_index i ON i.indexrelid = c.oid
            WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence = 'p'
                AND i.indisvalid ORDER BY 1
            """;

    private final Order order;
    private final Function<Path, PostgresConfig> postgres;
    private final Consumer<String> progress;
    private final List<String> problems = new ArrayList<>();
    private long rows;

    public Verify(Order order, Function<Path, PostgresConfig> postgres, Consumer<String> progress) {
        this.order = order;
        this.postgres = postgres;
        this.progress = progress;
    }

    /**
     * @throws LakemillException when it cannot even be restored
     */
    public Verdict run() throws IOException {
        var folder = Files.createTempDirectory(order.in(), "lakemill-verify-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        try {
            var data = folder.resolve("data");
            var restored =
                    new Restore(
                                    new Restore.Order(order.from(), data, order.moment()),
                                    postgres,
                                    progress)
                            .run();
            try (var started = Postgres.start(postgres.apply(data))) {
                var tables = postgres(started);
                var lake = lake(started, data);
                return new Verdict(restored.base(), restored.mark(), lake, rows, tables, problems);
            }
        } finally {
            Retention.delete(folder);
        }
    }

    private int postgres(Postgres started) {
        progress.accept("every page and index of Postgres");
        try (var connection = started.ownerUnpooled().getConnection()) {
            var tables = objects(connection, TABLES);
            for (var table : tables) {
                check(connection, table, "SELECT count(t.*) FROM " + table.name() + " t");
            }
            if (hasCheck(connection)) {
                for (var index : objects(connection, INDEXES)) {
                    check(
                            connection,
                            index,
                            "SELECT bt_index_check(%d::regclass, true)".formatted(index.oid()));
                }
            }
            return tables.size();
        } catch (SQLException e) {
            problems.add("Postgres: " + e.getMessage());
            return 0;
        }
    }

    private record Named(String name, long oid) {}

    private static List<Named> objects(Connection connection, String query) throws SQLException {
        var found = new ArrayList<Named>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            while (rows.next()) {
                found.add(new Named(rows.getString(1), rows.getLong(2)));
            }
        }
        return found;
    }

    /** Reads all of it: Postgres checks each page's checksum. */
    private void check(Connection connection, Named object, String query) {
        try (var statement = connection.createStatement()) {
            statement.execute(query);
        } catch (SQLException e) {
            problems.add("Postgres's %s: %s".formatted(object.name(), e.getMessage()));
        }
    }

    private static boolean hasCheck(Connection connection) {
        try (var statement = connection.createStatement()) {
            statement.execute("CREATE EXTENSION IF NOT EXISTS amcheck");
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    private int lake(Postgres started, Path data) throws IOException {
        var catalog = Catalog.open(started.owner());
        try (var _ = catalog.audit();
                var allocator = new RootAllocator()) {
            var stands = DataFolder.of(data).tables();
            for (var table : stands) {
                progress.accept("every row of " + data.relativize(table));
                read(table, allocator);
            }
            for (var table : catalog.list()) {
                if (isIn(table, data) && !stands.contains(folder(table))) {
                    problems.add(
                            "the catalog has %s, and there is no Delta table at %s"
                                    .formatted(table.name(), table.location()));
                }
            }
            return stands.size();
        }
    }

    private void read(Path folder, BufferAllocator allocator) {
        try {
            var snapshot = DeltaTable.read(folder, allocator);
            var count = 0L;
            try (var reader = snapshot.read(List.of())) {
                for (var next = reader.next(); next != null; next = reader.next()) {
                    try (var batch = next) {
                        count += batch.root().getRowCount();
                    }
                }
            }
            rows += count;
            if (count != snapshot.rowCount()) {
                problems.add(
                        "%s has %d rows, and its log says %d"
                                .formatted(folder, count, snapshot.rowCount()));
            }
        } catch (RuntimeException e) {
            problems.add("%s cannot be read: %s".formatted(folder, e.getMessage()));
        }
    }

    private static boolean isIn(CatalogTable table, Path data) {
        return table.location().startsWith("file:") && folder(table).startsWith(data);
    }

    private static Path folder(CatalogTable table) {
        return Path.of(URI.create(table.location()));
    }
}
