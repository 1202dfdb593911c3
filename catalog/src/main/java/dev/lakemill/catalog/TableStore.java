package dev.lakemill.catalog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The catalog's rows in Postgres: SQL in, words out. Stateless. */
final class TableStore {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, String>> PAIRS = new TypeReference<>() {};

    /** What there is to say of a table beside its name and columns. */
    record Description(
            TableKind kind, String location, String comment, Map<String, String> properties) {}

    private TableStore() {}

    static List<CatalogTable> all(Connection connection) throws SQLException {
        var columns = columns(connection);
        var sql =
                """
                SELECT t.id, c.name, s.name, t.name, t.kind, t.location, t.comment,
                       t.properties, t.created_at
                FROM lakemill.tables t
                JOIN lakemill.schemas s ON s.id = t.schema_id
                JOIN lakemill.catalogs c ON c.id = s.catalog_id
                """;
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            var tables = new ArrayList<CatalogTable>();
            while (rows.next()) {
                var id = rows.getObject(1, UUID.class);
                tables.add(table(rows, id, columns.getOrDefault(id, List.of())));
            }
            return tables;
        }
    }

    private static CatalogTable table(ResultSet row, UUID id, List<Column> columns)
            throws SQLException {
        return new CatalogTable(
                id,
                new TableName(row.getString(2), row.getString(3), row.getString(4)),
                TableKind.valueOf(row.getString(5)),
                new TableSchema(columns),
                row.getString(6),
                row.getString(7),
                pairs(row.getString(8)),
                row.getTimestamp(9).toInstant());
    }

    private static Map<UUID, List<Column>> columns(Connection connection) throws SQLException {
        var sql =
                """
                SELECT table_id, name, type_json, nullable, comment
                FROM lakemill.columns ORDER BY table_id, position
                """;
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            var columns = new HashMap<UUID, List<Column>>();
            while (rows.next()) {
                columns.computeIfAbsent(rows.getObject(1, UUID.class), _ -> new ArrayList<>())
                        .add(column(rows));
            }
            return columns;
        }
    }

    private static Column column(ResultSet row) throws SQLException {
        try {
            return new Column(
                    row.getString(2),
                    TypeJson.read(JSON.readTree(row.getString(3))),
                    row.getBoolean(4),
                    row.getString(5));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Empty when the name is taken. */
    static Optional<CatalogTable> insert(
            Connection connection, TableName name, TableSchema schema, Description description)
            throws SQLException {
        var schemaId = schemaId(connection, catalogId(connection, name), name);
        var sql =
                """
                INSERT INTO lakemill.tables
                    (schema_id, name, kind, location, comment, properties)
                VALUES (?, ?, ?, ?, ?, ?::jsonb)
                ON CONFLICT DO NOTHING RETURNING id, created_at
                """;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setObject(1, schemaId);
            insert.setString(2, name.table());
            insert.setString(3, description.kind().name());
            insert.setString(4, description.location());
            insert.setString(5, description.comment());
            insert.setString(6, json(description.properties()));
            try (var rows = insert.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                var id = rows.getObject(1, UUID.class);
                insertColumns(connection, id, schema);
                return Optional.of(
                        new CatalogTable(
                                id,
                                name,
                                description.kind(),
                                schema,
                                description.location(),
                                description.comment(),
                                description.properties(),
                                rows.getTimestamp(2).toInstant()));
            }
        }
    }

    private static UUID catalogId(Connection connection, TableName name) throws SQLException {
        return id(
                connection,
                "INSERT INTO lakemill.catalogs (name) VALUES (?) ON CONFLICT DO NOTHING",
                "SELECT id FROM lakemill.catalogs WHERE lower(name) = lower(?)",
                name.catalog());
    }

    private static UUID schemaId(Connection connection, UUID catalog, TableName name)
            throws SQLException {
        return id(
                connection,
                "INSERT INTO lakemill.schemas (catalog_id, name) VALUES (?, ?)"
                        + " ON CONFLICT DO NOTHING",
                "SELECT id FROM lakemill.schemas WHERE catalog_id = ? AND lower(name) = lower(?)",
                catalog,
                name.schema());
    }

    /** The row's id, whether it was there or is made now, also beside others who make it. */
    private static UUID id(
            Connection connection, String insertSql, String querySql, Object... values)
            throws SQLException {
        try (var insert = connection.prepareStatement(insertSql);
                var query = connection.prepareStatement(querySql)) {
            for (var i = 0; i < values.length; i++) {
                insert.setObject(i + 1, values[i]);
                query.setObject(i + 1, values[i]);
            }
            insert.executeUpdate();
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getObject(1, UUID.class);
            }
        }
    }

    private static void insertColumns(Connection connection, UUID table, TableSchema schema)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.columns
                    (table_id, position, name, type_text, type_json, nullable, comment)
                VALUES (?, ?, ?, ?, ?::jsonb, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            for (var position = 0; position < schema.size(); position++) {
                var column = schema.column(position);
                insert.setObject(1, table);
                insert.setInt(2, position);
                insert.setString(3, column.name());
                insert.setString(4, column.type().sql());
                insert.setString(5, TypeJson.write(column.type()).toString());
                insert.setBoolean(6, column.nullable());
                insert.setString(7, column.comment());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    static int update(Connection connection, CatalogTable before, CatalogTable after)
            throws SQLException {
        if (!after.schema().equals(before.schema())) {
            delete(connection, "DELETE FROM lakemill.columns WHERE table_id = ?", after.id());
            insertColumns(connection, after.id(), after.schema());
        }
        var sql =
                """
                UPDATE lakemill.tables SET comment = ?, properties = ?::jsonb, updated_at = now()
                WHERE id = ?
                """;
        try (var update = connection.prepareStatement(sql)) {
            update.setString(1, after.comment());
            update.setString(2, json(after.properties()));
            update.setObject(3, after.id());
            return update.executeUpdate();
        }
    }

    static int delete(Connection connection, UUID table) throws SQLException {
        return delete(connection, "DELETE FROM lakemill.tables WHERE id = ?", table);
    }

    private static int delete(Connection connection, String sql, UUID table) throws SQLException {
        try (var delete = connection.prepareStatement(sql)) {
            delete.setObject(1, table);
            return delete.executeUpdate();
        }
    }

    private static Map<String, String> pairs(String json) {
        try {
            return JSON.readValue(json, PAIRS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String json(Map<String, String> pairs) {
        try {
            return JSON.writeValueAsString(pairs);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
