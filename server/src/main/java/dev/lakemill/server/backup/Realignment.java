package dev.lakemill.server.backup;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Makes what a restored Postgres says of the lake true again: it may stand a little behind the
 * moment that Postgres stands at, and in another folder than before.
 */
final class Realignment {
    private static final String COMPARE_IN_FULL =
            """
            DO $$ BEGIN UPDATE lakemill.synced_tables SET whole = false;
            EXCEPTION WHEN undefined_column THEN NULL; END $$
            """;

    private Realignment() {}

    /**
     * @param before the data folder when the backup was made
     * @param after what it will be
     * @param now where its files are meanwhile
     */
    static void run(Connection connection, Path before, Path after, Path now)
            throws SQLException, IOException {
        if (!before.equals(after)) {
            move(connection, before, after);
        }
        if (exists(connection, "lakemill.sync_state")) {
            // A sync that knows of nothing compares all its tables with Delta, in full, at once.
            Restore.run(connection, "DELETE FROM lakemill.sync_state");
            Restore.run(connection, COMPARE_IN_FULL);
        }
        if (exists(connection, "lakemill.managed_commits")) {
            for (var table : managed(connection)) {
                trim(connection, table, inside(table.location(), after, now));
            }
        }
    }

    private static void move(Connection connection, Path before, Path after) throws SQLException {
        var from = "file://" + before + "/";
        var to = "file://" + after + "/";
        var columns =
                List.of(
                        "securables.location",
                        "model_versions.location",
                        "model_versions.source",
                        "staging_tables.location");
        for (var column : columns) {
            var parts = column.split("\\.", 2);
            if (exists(connection, "lakemill." + parts[0])) {
                Restore.run(
                        connection,
                        """
                        UPDATE lakemill.%1$s SET %2$s = ? || substr(%2$s, length(?) + 1)
                        WHERE starts_with(%2$s, ?)
                        """
                                .formatted(parts[0], parts[1]),
                        to,
                        from,
                        from);
            }
        }
    }

    private record Managed(UUID id, String location) {}

    private static List<Managed> managed(Connection connection) throws SQLException {
        var tables = new ArrayList<Managed>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT m.table_id, s.location FROM lakemill.managed_tables m
                                JOIN lakemill.securables s ON s.id = m.table_id
                                WHERE starts_with(s.location, 'file:')
                                """)) {
            while (rows.next()) {
                tables.add(new Managed(rows.getObject(1, UUID.class), rows.getString(2)));
            }
        }
        return tables;
    }

    private static Path inside(String location, Path after, Path now) {
        var path = Path.of(URI.create(location));
        return path.startsWith(after) ? now.resolve(after.relativize(path)) : path;
    }

    /** Commits whose files are younger than the mark are no commits any more. */
    private static void trim(Connection connection, Managed table, Path folder)
            throws SQLException {
        var sql =
                """
                SELECT version, file_name FROM lakemill.managed_commits
                WHERE table_id = ? ORDER BY version
                """;
        var newest = -1L;
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, table.id());
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    var log = folder.resolve("_delta_log");
                    var published = log.resolve("%020d.json".formatted(rows.getLong(1)));
                    var staged = log.resolve("_staged_commits").resolve(rows.getString(2));
                    if (!Files.exists(published) && !Files.exists(staged)) {
                        break;
                    }
                    newest = rows.getLong(1);
                }
            }
        }
        if (newest >= 0) {
            Restore.run(
                    connection,
                    "DELETE FROM lakemill.managed_commits WHERE table_id = ? AND version > ?",
                    table.id(),
                    newest);
            Restore.run(
                    connection,
                    """
                    UPDATE lakemill.managed_tables SET revision = revision + 1,
                        latest_version = least(latest_version, ?),
                        backfilled_version = least(backfilled_version, ?)
                    WHERE table_id = ?
                    """,
                    newest,
                    newest,
                    table.id());
        }
    }

    static boolean exists(Connection connection, String table) throws SQLException {
        try (var query = connection.prepareStatement("SELECT to_regclass(?) IS NOT NULL")) {
            query.setString(1, table);
            try (var row = query.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }
}
