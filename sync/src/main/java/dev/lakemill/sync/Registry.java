package dev.lakemill.sync;

import dev.lakemill.catalog.Migrations;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Which tables of Postgres belong to which pipeline's sync: {@code lakemill.synced_tables}. */
record Registry(Connection connection, String pipeline) {
    static final Migrations MIGRATIONS =
            new Migrations(
                    "sync",
                    Registry.class,
                    List.of(
                            "0001-state.sql",
                            "0002-sources.sql",
                            "0003-extras.sql",
                            "0004-readers.sql",
                            "0005-sessions.sql",
                            "0006-whole.sql"));

    /** Serializes the syncs of all pipelines until the end of the transaction. */
    void lock() throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("SELECT lakemill.lock('syncs')");
        }
    }

    /** Whose the spec's Postgres table is, when it is another synced table's or pipeline's. */
    Optional<String> ownerOtherThan(SyncedTableSpec spec) throws SQLException {
        var sql =
                """
                SELECT concat(name, ' of the pipeline ' || pipeline) FROM lakemill.synced_tables
                WHERE (postgres_schema, postgres_table) = (?, ?)
                    AND (name <> ? OR pipeline <> ?)
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, spec.postgresSchema());
            query.setString(2, spec.postgresTable());
            query.setString(3, spec.name().toString());
            query.setString(4, pipeline);
            try (var rows = query.executeQuery()) {
                return rows.next() ? Optional.of(rows.getString(1)) : Optional.empty();
            }
        }
    }

    boolean knows(SyncedTableSpec spec) throws SQLException {
        var sql = "SELECT FROM lakemill.synced_tables WHERE name = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, spec.name().toString());
            try (var rows = query.executeQuery()) {
                return rows.next();
            }
        }
    }

    /** Of the group's tables, those with all rows of the versions that the state names. */
    Set<String> whole() throws SQLException {
        var sql = "SELECT name FROM lakemill.synced_tables WHERE pipeline = ? AND whole";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, pipeline);
            try (var rows = query.executeQuery()) {
                var names = new HashSet<String>();
                while (rows.next()) {
                    names.add(rows.getString(1));
                }
                return names;
            }
        }
    }

    /** The table has what the state names, unless that is in doubt. */
    void count(SyncedTableSpec spec, Target.Outcome outcome) throws SQLException {
        var sql =
                """
                UPDATE lakemill.synced_tables
                SET whole = (whole OR ?) AND NOT ?, rows = CASE WHEN ? THEN 0 ELSE rows END + ?
                WHERE name = ?
                """;
        try (var update = connection.prepareStatement(sql)) {
            update.setBoolean(1, outcome.whole());
            update.setBoolean(2, outcome.doubtful());
            update.setBoolean(3, outcome.whole());
            update.setLong(4, outcome.rows());
            update.setString(5, spec.name().toString());
            update.executeUpdate();
        }
    }

    /** The table was compared in full. */
    void setWhole(SyncedTableSpec spec) throws SQLException {
        set(spec, "whole = true WHERE NOT whole");
    }

    /** The others go on without it. */
    void setPartial(SyncedTableSpec spec) throws SQLException {
        set(spec, "whole = false WHERE whole");
    }

    private void set(SyncedTableSpec spec, String change) throws SQLException {
        var sql =
                "UPDATE lakemill.synced_tables SET %s AND name = ? AND pipeline = ?"
                        .formatted(change);
        try (var update = connection.prepareStatement(sql)) {
            update.setString(1, spec.name().toString());
            update.setString(2, pipeline);
            update.executeUpdate();
        }
    }

    /** Declarations of extra columns that the table has, by name. */
    Map<String, String> extraColumns(SyncedTableSpec spec) throws SQLException {
        return texts("extra_columns", spec);
    }

    void putExtraColumns(SyncedTableSpec spec, Map<String, String> columns) throws SQLException {
        putTexts("extra_columns", spec, columns);
    }

    /** Definitions of extra indexes that were begun, by name. */
    Map<String, String> extraIndexes(SyncedTableSpec spec) throws SQLException {
        return texts("extra_indexes", spec);
    }

    void putExtraIndexes(SyncedTableSpec spec, Map<String, String> indexes) throws SQLException {
        putTexts("extra_indexes", spec, indexes);
    }

    private Map<String, String> texts(String column, SyncedTableSpec spec) throws SQLException {
        var sql =
                "SELECT t.key, t.value FROM lakemill.synced_tables s, jsonb_each_text(s.%s) t"
                                .formatted(column)
                        + " WHERE s.name = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, spec.name().toString());
            try (var rows = query.executeQuery()) {
                var texts = new HashMap<String, String>();
                while (rows.next()) {
                    texts.put(rows.getString(1), rows.getString(2));
                }
                return texts;
            }
        }
    }

    private void putTexts(String column, SyncedTableSpec spec, Map<String, String> texts)
            throws SQLException {
        var sql =
                """
                UPDATE lakemill.synced_tables SET %s = coalesce(
                    (SELECT jsonb_object_agg(k, v) FROM unnest(?::text[], ?::text[]) t (k, v)),
                    '{}')
                WHERE name = ?
                """
                        .formatted(column);
        var keys = List.copyOf(texts.keySet());
        try (var update = connection.prepareStatement(sql)) {
            update.setArray(1, connection.createArrayOf("text", keys.toArray()));
            update.setArray(
                    2, connection.createArrayOf("text", keys.stream().map(texts::get).toArray()));
            update.setString(3, spec.name().toString());
            update.executeUpdate();
        }
    }

    /** As they were counted. */
    long rows(SyncedTableSpec spec) throws SQLException {
        var sql = "SELECT rows FROM lakemill.synced_tables WHERE name = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, spec.name().toString());
            try (var rows = query.executeQuery()) {
                return rows.next() ? rows.getLong(1) : 0;
            }
        }
    }

    /** Rows set aside of a table, by reason, as they were counted. */
    Map<SkipReason, Long> skipped(SyncedTableSpec spec) throws SQLException {
        var sql = "SELECT reason, rows FROM lakemill.sync_skipped WHERE name = ? AND rows > 0";
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, spec.name().toString());
            try (var rows = query.executeQuery()) {
                var skipped = new EnumMap<SkipReason, Long>(SkipReason.class);
                while (rows.next()) {
                    var text = rows.getString(1);
                    var count = rows.getLong(2);
                    Stream.of(SkipReason.values())
                            .filter(reason -> reason.text().equals(text))
                            .forEach(reason -> skipped.put(reason, count));
                }
                return skipped;
            }
        }
    }

    /** The synced table is no group's any more, and stays. */
    void release(TableName name) throws SQLException {
        var sql = "UPDATE lakemill.synced_tables SET pipeline = NULL, whole = false WHERE name = ?";
        try (var update = connection.prepareStatement(sql)) {
            update.setString(1, name.toString());
            update.executeUpdate();
        }
    }

    /**
     * The spec's table is the pipeline's, and in order. One that was not is not whole: the state
     * went on without it.
     *
     * @param changed whether it has got columns, or is new
     */
    void put(SyncedTableSpec spec, boolean changed) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.synced_tables
                    (name, pipeline, source, postgres_schema, postgres_table)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET pipeline = EXCLUDED.pipeline,
                    source = EXCLUDED.source, postgres_schema = EXCLUDED.postgres_schema,
                    postgres_table = EXCLUDED.postgres_table, refused = NULL,
                    whole = synced_tables.whole AND NOT ?
                        AND synced_tables.pipeline IS NOT DISTINCT FROM EXCLUDED.pipeline
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, spec.name().toString());
            insert.setString(2, pipeline);
            insert.setString(3, spec.source().toString());
            insert.setString(4, spec.postgresSchema());
            insert.setString(5, spec.postgresTable());
            insert.setBoolean(6, changed);
            insert.executeUpdate();
        }
    }

    /**
     * The spec's table does not change at present; one that is not the pipeline's stays as it is.
     */
    void refuse(SyncedTableSpec spec, String why) throws SQLException {
        var sql =
                """
                UPDATE lakemill.synced_tables SET refused = ? WHERE name = ? AND pipeline = ?
                """;
        try (var update = connection.prepareStatement(sql)) {
            update.setString(1, why);
            update.setString(2, spec.name().toString());
            update.setString(3, pipeline);
            update.executeUpdate();
        }
    }

    /** Tables that the pipeline synced once and does not any more stay, and are nobody's. */
    void release(List<SyncedTableSpec> kept) throws SQLException {
        var sql =
                """
                UPDATE lakemill.synced_tables SET pipeline = NULL, whole = false
                WHERE pipeline = ? AND name <> ALL (?)
                """;
        var names = kept.stream().map(spec -> spec.name().toString()).toArray();
        try (var update = connection.prepareStatement(sql)) {
            update.setString(1, pipeline);
            update.setArray(2, connection.createArrayOf("text", names));
            update.executeUpdate();
        }
    }

    /**
     * Drops the synced table, with the view before it, and forgets it; false when there is none of
     * that name.
     */
    boolean drop(TableName name) throws SQLException {
        var sql =
                """
                DELETE FROM lakemill.synced_tables s WHERE name = ?
                RETURNING coalesce(
                    (SELECT format('DROP TABLE %I.%I CASCADE', h.hidden_schema, h.postgres_table)
                     FROM lakemill.hidden_tables() h
                     WHERE h.postgres_schema = s.postgres_schema
                        AND h.postgres_table = s.postgres_table),
                    format('DROP TABLE IF EXISTS %I.%I', s.postgres_schema, s.postgres_table))
                """;
        try (var delete = connection.prepareStatement(sql)) {
            delete.setString(1, name.toString());
            try (var rows = delete.executeQuery();
                    var statement = connection.createStatement()) {
                return rows.next() && statement.executeUpdate(rows.getString(1)) == 0;
            }
        }
    }
}
