package dev.lakemill.postgres.imports;

import dev.lakemill.catalog.Migrations;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/** What is known of imports in the target itself: so a crash loses nothing of it. */
final class ImportStore {
    /** Held by whoever works at an import. */
    static final int LOCK = 7083;

    private static final Migrations MIGRATIONS =
            new Migrations("imports", ImportStore.class, List.of("0001-imports.sql"));

    private static final String OPEN =
            """
            SELECT id, source, schemas, left_out, catalog, owner, structure, state
            FROM lakemill.imports WHERE state <> 'DONE'
            """;

    /** How far an import has come, whatever of its rows and steps is done. */
    enum State {
        /** Rows are copied, then the steps after them are taken. */
        MOVING,
        /** Rows, objects and sequences are all here and equal the source's. */
        MOVED,
        /** The tables are the catalog's. */
        DONE
    }

    record Known(
            UUID id,
            String source,
            List<String> schemas,
            Set<String> leftOut,
            String catalog,
            String owner,
            String structure,
            State state) {
        boolean isOf(ImportRequest request) {
            return source.equals(request.source().label())
                    && schemas.equals(request.schemas())
                    && leftOut.equals(request.leftOut())
                    && catalog.equals(request.catalog())
                    && owner.equals(request.owner());
        }
    }

    record KnownStep(int number, Blueprint.Step step, boolean done) {}

    record KnownTable(int number, Blueprint.Table table, boolean copied, RowCopy.Content content) {}

    private ImportStore() {}

    static void migrate(DataSource database) {
        MIGRATIONS.apply(database);
    }

    /** The one that is not done, if there is one. */
    static Optional<Known> open(Connection connection) throws SQLException {
        try (var query = connection.prepareStatement(OPEN);
                var row = query.executeQuery()) {
            if (!row.next()) {
                return Optional.empty();
            }
            return Optional.of(
                    new Known(
                            row.getObject(1, UUID.class),
                            row.getString(2),
                            texts(row, 3),
                            Set.copyOf(texts(row, 4)),
                            row.getString(5),
                            row.getString(6),
                            row.getString(7),
                            State.valueOf(row.getString(8))));
        }
    }

    private static List<String> texts(ResultSet row, int column) throws SQLException {
        return Arrays.asList((String[]) row.getArray(column).getArray());
    }

    static Known begin(
            Connection connection,
            ImportRequest request,
            Blueprint blueprint,
            Rehearsal.Order order,
            String startedBy)
            throws SQLException {
        var id = UUID.randomUUID();
        var sql =
                """
                INSERT INTO lakemill.imports (id, source, schemas, left_out, catalog, owner,
                    structure, state, started_by) VALUES (?, ?, ?, ?, ?, ?, ?, 'MOVING', ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setObject(1, id);
            insert.setString(2, request.source().label());
            insert.setArray(3, array(connection, request.schemas()));
            insert.setArray(4, array(connection, request.leftOut().stream().sorted().toList()));
            insert.setString(5, request.catalog());
            insert.setString(6, request.owner());
            insert.setString(7, blueprint.fingerprint());
            insert.setString(8, startedBy);
            insert.executeUpdate();
        }
        insertSteps(connection, id, order);
        insertTables(connection, id, blueprint.tables());
        return open(connection).orElseThrow();
    }

    private static java.sql.Array array(Connection connection, List<String> texts)
            throws SQLException {
        return connection.createArrayOf("text", texts.toArray());
    }

    private static void insertSteps(Connection connection, UUID id, Rehearsal.Order order)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.import_steps
                    (import_id, number, before_rows, object, command, undo, done)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            var number = 0;
            for (var step : order.before()) {
                addStep(insert, id, number++, step, true);
            }
            for (var step : order.after()) {
                addStep(insert, id, number++, step, false);
            }
            insert.executeBatch();
        }
    }

    /** Those before the rows are taken in the transaction that begins the import. */
    private static void addStep(
            PreparedStatement insert, UUID id, int number, Blueprint.Step step, boolean before)
            throws SQLException {
        insert.setObject(1, id);
        insert.setInt(2, number);
        insert.setBoolean(3, before);
        insert.setString(4, step.object());
        insert.setString(5, step.command());
        insert.setString(6, step.undo());
        insert.setBoolean(7, before);
        insert.addBatch();
    }

    private static void insertTables(Connection connection, UUID id, List<Blueprint.Table> tables)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.import_tables (import_id, number, postgres_schema,
                    postgres_table, kind, rows_estimated, columns, is_binary, comment)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            for (var number = 0; number < tables.size(); number++) {
                var table = tables.get(number);
                insert.setObject(1, id);
                insert.setInt(2, number);
                insert.setString(3, table.schema());
                insert.setString(4, table.name());
                insert.setString(5, table.kind());
                insert.setLong(6, table.rowsEstimated());
                insert.setArray(7, array(connection, table.columns()));
                insert.setBoolean(8, table.isBinary());
                insert.setString(9, table.comment());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    /** Those after the rows, or all of them in the order in which they are undone. */
    static List<KnownStep> steps(Connection connection, UUID id, boolean undoing)
            throws SQLException {
        var sql =
                "SELECT number, object, command, undo, done FROM lakemill.import_steps"
                        + " WHERE import_id = ? "
                        + (undoing
                                ? "ORDER BY number DESC"
                                : "AND NOT before_rows ORDER BY number");
        var steps = new ArrayList<KnownStep>();
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            try (var row = query.executeQuery()) {
                while (row.next()) {
                    var step =
                            new Blueprint.Step(
                                    row.getString(2), row.getString(3), row.getString(4));
                    steps.add(new KnownStep(row.getInt(1), step, row.getBoolean(5)));
                }
            }
        }
        return steps;
    }

    static List<KnownTable> tables(Connection connection, UUID id) throws SQLException {
        var sql =
                """
                SELECT number, postgres_schema, postgres_table, kind, rows_estimated, columns,
                    is_binary, comment, copied, row_count, checksum
                FROM lakemill.import_tables WHERE import_id = ? ORDER BY number
                """;
        var tables = new ArrayList<KnownTable>();
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            try (var row = query.executeQuery()) {
                while (row.next()) {
                    var table =
                            new Blueprint.Table(
                                    row.getString(2),
                                    row.getString(3),
                                    row.getString(4),
                                    row.getLong(5),
                                    texts(row, 6),
                                    row.getBoolean(7),
                                    row.getString(8));
                    var content = new RowCopy.Content(row.getLong(10), row.getString(11));
                    tables.add(new KnownTable(row.getInt(1), table, row.getBoolean(9), content));
                }
            }
        }
        return tables;
    }

    static void setStep(Connection connection, UUID id, int number, boolean done)
            throws SQLException {
        update(
                connection,
                "UPDATE lakemill.import_steps SET done = ? WHERE import_id = ? AND number = ?",
                done,
                id,
                number);
    }

    static void setCopied(Connection connection, UUID id, int number, boolean copied)
            throws SQLException {
        update(
                connection,
                "UPDATE lakemill.import_tables SET copied = ? WHERE import_id = ? AND number = ?",
                copied,
                id,
                number);
    }

    static void setContent(Connection connection, UUID id, int number, RowCopy.Content content)
            throws SQLException {
        update(
                connection,
                """
                UPDATE lakemill.import_tables SET row_count = ?, checksum = ?
                WHERE import_id = ? AND number = ?
                """,
                content.rows(),
                content.checksum(),
                id,
                number);
    }

    /** One that is done keeps its counts and checksums, and its steps no longer. */
    static void setState(Connection connection, UUID id, State state) throws SQLException {
        if (state == State.DONE) {
            update(connection, "DELETE FROM lakemill.import_steps WHERE import_id = ?", id);
            update(connection, "UPDATE lakemill.imports SET ended_at = now() WHERE id = ?", id);
        }
        update(connection, "UPDATE lakemill.imports SET state = ? WHERE id = ?", state.name(), id);
    }

    static void delete(Connection connection, UUID id) throws SQLException {
        update(connection, "DELETE FROM lakemill.imports WHERE id = ?", id);
    }

    private static void update(Connection connection, String sql, Object... values)
            throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (var i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.executeUpdate();
        }
    }
}
