package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/**
 * Numbered changes of the schema {@code lakemill}, forward only.
 *
 * <p>Each component has a list of SQL files beside its class, applied in order, once, all in one
 * transaction and under one lock, so that any number of processes may start at once. A file that
 * has been released never changes: the next change is the next file.
 *
 * @param component whose tables these are, for example {@code catalog}
 * @param beside the class in whose package the files lie
 */
public record Migrations(String component, Class<?> beside, List<String> files) {
    private static final String TABLE =
            """
            SELECT pg_advisory_xact_lock(7078);
            CREATE SCHEMA IF NOT EXISTS lakemill;
            CREATE TABLE IF NOT EXISTS lakemill.migrations (
                component text NOT NULL,
                number int NOT NULL,
                file text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (component, number)
            );
            """;

    public Migrations {
        files = List.copyOf(files);
    }

    /** FAILED_PRECONDITION when a newer Lakemill has been here; UNAVAILABLE without Postgres. */
    public void apply(DataSource database) {
        Transactions.run(
                database,
                connection -> {
                    execute(connection, TABLE);
                    var applied = applied(connection);
                    for (var number = applied + 1; number <= files.size(); number++) {
                        execute(connection, SqlResource.read(beside, files.get(number - 1)));
                        record(connection, number);
                    }
                    return applied;
                });
    }

    private int applied(Connection connection) throws SQLException {
        var sql = "SELECT coalesce(max(number), 0) FROM lakemill.migrations WHERE component = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, component);
            try (var rows = query.executeQuery()) {
                rows.next();
                var number = rows.getInt(1);
                if (number > files.size()) {
                    throw newer(number);
                }
                return number;
            }
        }
    }

    private LakemillException newer(int number) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the database has step %d of the %s's tables; this Lakemill knows only %d"
                        .formatted(number, component, files.size()),
                "run the newer Lakemill that was here before, or restore an older backup");
    }

    private void record(Connection connection, int number) throws SQLException {
        var sql = "INSERT INTO lakemill.migrations (component, number, file) VALUES (?, ?, ?)";
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, component);
            insert.setInt(2, number);
            insert.setString(3, files.get(number - 1));
            insert.executeUpdate();
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
