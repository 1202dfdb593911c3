package dev.lakemill.server.apps;

import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Apps and versions in the schema {@code lakemill}. One transaction each. */
final class AppStore {
    /** As on Databricks, for a workspace. */
    static final int APPS_MAX = 100;

    private static final Migrations MIGRATIONS =
            new Migrations("apps", AppStore.class, List.of("0001-apps.sql"));
    private static final int MESSAGE_CHARS_MAX = 4_000;

    private final DataSource database;

    private AppStore(DataSource database) {
        this.database = database;
    }

    static AppStore open(DataSource database) {
        MIGRATIONS.apply(database);
        return new AppStore(database);
    }

    List<AppRow> all() {
        return Transactions.run(
                database,
                connection -> {
                    var sql =
                            "SELECT id, name, principal_id, slot, wanted, active_version"
                                    + " FROM lakemill.apps ORDER BY name";
                    var found = new ArrayList<AppRow>();
                    try (var query = connection.prepareStatement(sql);
                            var rows = query.executeQuery()) {
                        while (rows.next()) {
                            found.add(row(rows));
                        }
                    }
                    return found;
                });
    }

    Optional<AppRow> find(String name) {
        return all().stream().filter(row -> row.name().equals(name)).findFirst();
    }

    private static AppRow row(ResultSet rows) throws SQLException {
        var active = rows.getInt(6);
        var none = rows.wasNull();
        return new AppRow(
                rows.getObject(1, UUID.class),
                rows.getString(2),
                rows.getObject(3, UUID.class),
                rows.getInt(4),
                rows.getString(5).equals("RUNNING"),
                none ? null : active);
    }

    /** Takes the lowest free slot; RESOURCE_EXHAUSTED when there is none. */
    AppRow create(UUID id, String name, UUID principal) {
        return Transactions.run(
                database,
                connection -> {
                    run(connection, "SELECT lakemill.lock('apps')");
                    var slot = freeSlot(connection);
                    run(
                            connection,
                            "INSERT INTO lakemill.apps (id, name, principal_id, slot)"
                                    + " VALUES (?, ?, ?, ?)",
                            id,
                            name,
                            principal,
                            slot);
                    return new AppRow(id, name, principal, slot, true, null);
                });
    }

    private static int freeSlot(Connection connection) throws SQLException {
        var taken = new HashSet<Integer>();
        try (var query = connection.prepareStatement("SELECT slot FROM lakemill.apps");
                var rows = query.executeQuery()) {
            while (rows.next()) {
                taken.add(rows.getInt(1));
            }
        }
        for (int slot = 0; slot < APPS_MAX; slot++) {
            if (!taken.contains(slot)) {
                return slot;
            }
        }
        throw new LakemillException(
                ErrorCode.RESOURCE_EXHAUSTED,
                "there are %d apps".formatted(APPS_MAX),
                "delete those that nobody uses");
    }

    void delete(UUID app) {
        write("DELETE FROM lakemill.apps WHERE id = ?", app);
    }

    void want(UUID app, boolean running) {
        write(
                "UPDATE lakemill.apps SET wanted = ? WHERE id = ?",
                running ? "RUNNING" : "STOPPED",
                app);
    }

    /** The next version, which is being made. */
    AppVersion begin(UUID app, UUID deployment, String by) {
        var number =
                Transactions.run(
                        database,
                        connection -> {
                            run(
                                    connection,
                                    "SELECT FROM lakemill.apps WHERE id = ? FOR NO KEY UPDATE",
                                    app);
                            var sql =
                                    """
                                    INSERT INTO lakemill.app_versions
                                        (app_id, number, deployment_id, status, created_by)
                                    SELECT ?, coalesce(max(number), 0) + 1, ?, 'IN_PROGRESS', ?
                                    FROM lakemill.app_versions WHERE app_id = ?
                                    RETURNING number
                                    """;
                            try (var insert = prepared(connection, sql, app, deployment, by, app);
                                    var rows = insert.executeQuery()) {
                                rows.next();
                                return rows.getInt(1);
                            }
                        });
        return version(app, number).orElseThrow();
    }

    void unpacked(UUID app, int number, AppArchive.Unpacked content) {
        write(
                "UPDATE lakemill.app_versions SET digest = ?, files = ?, bytes = ?"
                        + " WHERE app_id = ? AND number = ?",
                content.digest(),
                content.files(),
                content.bytes(),
                app,
                number);
    }

    void failed(UUID app, int number, String message) {
        write(
                "UPDATE lakemill.app_versions SET status = 'FAILED', message = ?,"
                        + " updated_at = now() WHERE app_id = ? AND number = ?",
                clipped(message),
                app,
                number);
    }

    private static String clipped(String message) {
        var clean = message.replace('\0', ' ');
        return clean.substring(0, Math.min(clean.length(), MESSAGE_CHARS_MAX));
    }

    /** The version runs from now on: the one moment of a deployment. */
    void activate(UUID app, int number) {
        Transactions.run(
                database,
                connection -> {
                    run(
                            connection,
                            "UPDATE lakemill.app_versions SET status = 'SUCCEEDED', message = '',"
                                    + " updated_at = now() WHERE app_id = ? AND number = ?",
                            app,
                            number);
                    run(
                            connection,
                            "UPDATE lakemill.apps SET active_version = ?, wanted = 'RUNNING'"
                                    + " WHERE id = ?",
                            number,
                            app);
                    return true;
                });
    }

    void forget(UUID app, int number) {
        write("DELETE FROM lakemill.app_versions WHERE app_id = ? AND number = ?", app, number);
    }

    Optional<AppVersion> version(UUID app, int number) {
        return versions(app).stream().filter(v -> v.number() == number).findFirst();
    }

    /** Newest first. */
    List<AppVersion> versions(UUID app) {
        return Transactions.run(
                database,
                connection -> {
                    var sql =
                            "SELECT number, deployment_id, status, message, files, bytes, digest,"
                                    + " created_by, created_at, updated_at"
                                    + " FROM lakemill.app_versions WHERE app_id = ?"
                                    + " ORDER BY number DESC";
                    var found = new ArrayList<AppVersion>();
                    try (var query = prepared(connection, sql, app);
                            var rows = query.executeQuery()) {
                        while (rows.next()) {
                            found.add(version(rows));
                        }
                    }
                    return found;
                });
    }

    private static AppVersion version(ResultSet rows) throws SQLException {
        return new AppVersion(
                rows.getInt(1),
                rows.getObject(2, UUID.class),
                AppVersion.Status.valueOf(rows.getString(3)),
                rows.getString(4),
                new AppArchive.Unpacked(rows.getInt(5), rows.getLong(6), rows.getString(7)),
                rows.getString(8),
                rows.getTimestamp(9).toInstant(),
                rows.getTimestamp(10).toInstant());
    }

    private void write(String sql, Object... values) {
        Transactions.run(database, connection -> run(connection, sql, values));
    }

    private static boolean run(Connection connection, String sql, Object... values)
            throws SQLException {
        try (var statement = prepared(connection, sql, values)) {
            return statement.execute();
        }
    }

    private static PreparedStatement prepared(Connection connection, String sql, Object... values)
            throws SQLException {
        var statement = connection.prepareStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 1, values[i]);
        }
        return statement;
    }
}
