package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What Postgres's own catalog says of one table. */
record PostgresCatalog(Connection connection, String schema, String table) {
    /** A parameter each for the schema and the table. */
    private static final String TABLE =
            """
            (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = ? AND c.relname = ?)
            """;

    boolean hasTable() throws SQLException {
        return !pairs("SELECT 'oid', %s::text".formatted(TABLE)).isEmpty();
    }

    /** Types by column, in the form of format_type(). */
    Map<String, String> columns() throws SQLException {
        return pairs(
                """
                SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
                """
                        .formatted(TABLE));
    }

    /** The primary key's columns in its order; empty for none. */
    List<String> primaryKey() throws SQLException {
        return List.copyOf(
                pairs(
                                """
                                SELECT a.attname, '' FROM pg_index i
                                CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
                                JOIN pg_attribute a
                                    ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                WHERE i.indisprimary AND i.indrelid = %s ORDER BY k.n
                                """
                                        .formatted(TABLE))
                        .keySet());
    }

    /** Whether somebody reads what was there before, within a transaction that is still open. */
    boolean hasOlderReaders() throws SQLException {
        var sql =
                """
                SELECT EXISTS (SELECT FROM pg_stat_activity
                    WHERE state LIKE 'idle in transaction%' AND backend_xmin IS NOT NULL
                        AND datname = current_database() AND pid <> pg_backend_pid())
                """;
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    List<String> indexes() throws SQLException {
        return List.copyOf(
                pairs(
                                """
                                SELECT c.relname, '' FROM pg_index i
                                JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s
                                """
                                        .formatted(TABLE))
                        .keySet());
    }

    /** By column; that of the table itself under the empty name. */
    Map<String, String> comments() throws SQLException {
        return pairs(
                """
                SELECT coalesce(a.attname, ''), d.description FROM pg_description d
                LEFT JOIN pg_attribute a
                    ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
                WHERE d.classoid = 'pg_class'::regclass AND d.objoid = %s
                """
                        .formatted(TABLE));
    }

    void execute(String command) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(command);
        }
    }

    /** Rows of two texts, the second not NULL, in order. */
    private Map<String, String> pairs(String sql) throws SQLException {
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, schema);
            query.setString(2, table);
            try (var rows = query.executeQuery()) {
                var pairs = new LinkedHashMap<String, String>();
                while (rows.next()) {
                    var value = rows.getString(2);
                    if (value != null) {
                        pairs.put(rows.getString(1), value);
                    }
                }
                return pairs;
            }
        }
    }
}
