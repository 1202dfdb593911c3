package dev.lakemill.postgres;

import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Privileges;
import dev.lakemill.catalog.SqlResource;
import dev.lakemill.types.SecurableType;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** Our functions and event triggers in Postgres, made anew at each start. */
final class GovernanceSql {
    private static final Migrations MIGRATIONS =
            new Migrations("projection", GovernanceSql.class, List.of("0001-projection.sql"));

    private GovernanceSql() {}

    /** Where tables lie, for those who write to them: before the catalog is opened. */
    static void installLayout(Connection connection) throws SQLException {
        execute(connection, SqlResource.read(GovernanceSql.class, "layout.sql"));
    }

    /**
     * The catalog of the same database has been opened before. Returns whether event triggers watch
     * over principals' own commands, which takes a superuser.
     */
    static boolean install(DataSource database) throws SQLException {
        MIGRATIONS.apply(database);
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            var guarded = isSuperuser(connection);
            execute(connection, "SELECT pg_advisory_xact_lock(7077)");
            execute(connection, SqlResource.read(GovernanceSql.class, "functions.sql"));
            writePrivileges(connection);
            if (guarded) {
                execute(connection, SqlResource.read(GovernanceSql.class, "guard.sql"));
            }
            connection.commit();
            return guarded;
        }
    }

    private static boolean isSuperuser(Connection connection) throws SQLException {
        var sql = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() && rows.getBoolean(1);
        }
    }

    private static void writePrivileges(Connection connection) throws SQLException {
        execute(connection, "DELETE FROM lakemill.grantable_privileges");
        var sql = "INSERT INTO lakemill.grantable_privileges VALUES (?, ?)";
        try (var insert = connection.prepareStatement(sql)) {
            for (var type : SecurableType.values()) {
                for (var privilege : Privileges.grantable(type)) {
                    insert.setString(1, type.name());
                    insert.setString(2, privilege.name());
                    insert.addBatch();
                }
            }
            insert.executeBatch();
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
