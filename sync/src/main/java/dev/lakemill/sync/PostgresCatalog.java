package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What Postgres's own catalog says of one table. */
record PostgresCatalog(Connection connection, String schema, String table) {
    /** How sessions of syncs call themselves: none of them reads twice by one snapshot. */
    static final String SYNC = "lakemill sync";

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

    /**
     * Whether somebody has read before in a transaction that may read again with the same snapshot:
     * one that is idle, or at work on more than its first statement.
     */
    boolean hasOlderReaders() throws SQLException {
        var sql =
                """
                SELECT EXISTS (SELECT FROM pg_stat_activity
                    WHERE backend_xmin IS NOT NULL AND backend_type = 'client backend'
                        AND (state LIKE 'idle in transaction%%' OR xact_start < query_start)
                        AND datname = current_database() AND pid <> pg_backend_pid()
                        AND application_name <> '%s')
                """
                        .formatted(SYNC);
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    /** Storage parameters, as text. */
    String storageOptions() throws SQLException {
        return pairs("SELECT '', reloptions::text FROM pg_class WHERE oid = %s".formatted(TABLE))
                .getOrDefault("", "");
    }

    Set<String> indexes() throws SQLException {
        return indexes("true");
    }

    /** Those whose building was ended. */
    Set<String> invalidIndexes() throws SQLException {
        return indexes("NOT (i.indisvalid AND i.indisready)");
    }

    private Set<String> indexes(String condition) throws SQLException {
        return pairs(
                        """
                        SELECT c.relname, '' FROM pg_index i
                        JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %s AND %s
                        """
                                .formatted(TABLE, condition))
                .keySet();
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

    /** Whether rows are told apart by the primary key, or by the index that is to become it. */
    boolean hasUniqueKey(String indexName) throws SQLException {
        return !primaryKey().isEmpty() || indexes().contains(indexName);
    }

    long number(String sql) throws SQLException {
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        }
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
