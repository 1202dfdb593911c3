package dev.lakemill.catalog;

import static dev.lakemill.catalog.Statements.instant;
import static dev.lakemill.catalog.Statements.json;
import static dev.lakemill.catalog.Statements.pairs;
import static dev.lakemill.catalog.Statements.query;
import static dev.lakemill.catalog.Statements.texts;
import static dev.lakemill.catalog.Statements.update;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
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
final class SecurableStore {
    /** Parents before their children. */
    private static final String TREE =
            """
            WITH RECURSIVE tree AS (
                SELECT s.*, 0 AS depth, ''::text AS full_name FROM lakemill.securables s
                WHERE parent_id IS NULL
                UNION ALL
                SELECT s.*, tree.depth + 1,
                    CASE tree.full_name WHEN '' THEN s.name
                    ELSE tree.full_name || '.' || s.name END
                FROM lakemill.securables s JOIN tree ON s.parent_id = tree.id
            )
            SELECT tree.*, t.kind FROM tree LEFT JOIN lakemill.tables t USING (id) ORDER BY depth
            """;

    private SecurableStore() {}

    // Reading all of it.

    static void readGrants(Connection connection, Model model) throws SQLException {
        each(
                connection,
                "SELECT securable_id, principal_id, privilege FROM lakemill.grants",
                row ->
                        model.grant(
                                id(row, "securable_id"),
                                id(row, "principal_id"),
                                Privilege.valueOf(row.getString("privilege"))));
    }

    static Model load(Connection connection) throws SQLException {
        var model = new Model();
        query(
                        connection,
                        SecurableStore::principal,
                        "SELECT id, kind, name, display_name, external_id, active, created_at"
                                + " FROM lakemill.principals")
                .forEach(model::put);
        each(
                connection,
                "SELECT group_id, member_id FROM lakemill.members",
                row -> model.addMember(id(row, "group_id"), id(row, "member_id")));
        var columns = columns(connection);
        each(connection, TREE, row -> putSecurable(model, row, columns));
        readGrants(connection, model);
        each(connection, "SELECT * FROM lakemill.functions", row -> putFunction(model, row));
        each(
                connection,
                "SELECT * FROM lakemill.views",
                row -> model.views.put(id(row, "table_id"), view(row)));
        each(
                connection,
                "SELECT table_id, function_id, columns FROM lakemill.row_filters",
                row -> model.filters.put(id(row, "table_id"), policy(row, "columns")));
        each(
                connection,
                "SELECT table_id, column_name, function_id, using_columns FROM lakemill.column_masks",
                row ->
                        model.putMask(
                                id(row, "table_id"),
                                row.getString("column_name"),
                                policy(row, "using_columns")));
        each(
                connection,
                "SELECT securable_id, column_name, key, value FROM lakemill.tags",
                row ->
                        model.putTag(
                                id(row, "securable_id"),
                                row.getString("column_name"),
                                row.getString("key"),
                                row.getString("value")));
        return model;
    }

    private interface Row {
        void read(ResultSet row) throws SQLException;
    }

    private static void each(Connection connection, String sql, Row reading) throws SQLException {
        query(
                connection,
                row -> {
                    reading.read(row);
                    return true;
                },
                sql);
    }

    private static PrincipalInfo principal(ResultSet row) throws SQLException {
        return new PrincipalInfo(
                new Principal(
                        id(row, "id"),
                        PrincipalKind.valueOf(row.getString("kind")),
                        row.getString("name")),
                row.getString("display_name"),
                row.getString("external_id"),
                row.getBoolean("active"),
                instant(row, "created_at"));
    }

    private static void putSecurable(Model model, ResultSet row, Map<UUID, List<Column>> columns)
            throws SQLException {
        var name = new Securable(type(row), row.getString("full_name"));
        var info = securable(model, row, name);
        if (name.type() == SecurableType.TABLE) {
            model.put(info, tableFacts(row, columns.getOrDefault(info.id(), List.of())));
        } else {
            model.put(info);
        }
    }

    private static Model.TableFacts tableFacts(ResultSet row, List<Column> columns)
            throws SQLException {
        return new Model.TableFacts(
                TableKind.valueOf(row.getString("kind")), new TableSchema(columns));
    }

    private static SecurableInfo securable(Model model, ResultSet row, Securable name)
            throws SQLException {
        return new SecurableInfo(
                id(row, "id"),
                name,
                model.requirePrincipal(id(row, "owner_id")).principal(),
                row.getString("comment"),
                pairs(row, "properties"),
                row.getString("location"),
                instant(row, "created_at"),
                row.getString("created_by"),
                instant(row, "updated_at"),
                row.getString("updated_by"));
    }

    /** Equal columns are one object: most tables share many. */
    private static Map<UUID, List<Column>> columns(Connection connection) throws SQLException {
        var types = new HashMap<String, DataType>();
        var known = new HashMap<Column, Column>();
        var columns = new HashMap<UUID, List<Column>>();
        each(
                connection,
                """
                SELECT table_id, name, type_json, nullable, comment
                FROM lakemill.columns ORDER BY table_id, position
                """,
                row -> {
                    var text = row.getString("type_json");
                    var type = types.get(text);
                    if (type == null) {
                        type = TypeJson.read(json(row, "type_json"));
                        types.put(text, type);
                    }
                    var column =
                            new Column(
                                    row.getString("name"),
                                    type,
                                    row.getBoolean("nullable"),
                                    row.getString("comment"));
                    columns.computeIfAbsent(id(row, "table_id"), _ -> new ArrayList<>())
                            .add(known.computeIfAbsent(column, c -> c));
                });
        return columns;
    }

    private static void putFunction(Model model, ResultSet row) throws SQLException {
        var id = id(row, "id");
        var info = model.securable(id).orElseThrow();
        var parameters = (DataType.Struct) TypeJson.read(json(row, "parameters"));
        model.functions.put(
                id,
                new PolicyFunction(
                        info.securable().name(),
                        parameters.fields(),
                        TypeJson.read(json(row, "returns")),
                        row.getString("body"),
                        row.getString("duck_sql"),
                        row.getString("postgres_sql"),
                        info.comment()));
    }

    private static ViewDefinition view(ResultSet row) throws SQLException {
        return new ViewDefinition(
                row.getString("text"),
                new NameDefaults(row.getString("default_catalog"), row.getString("default_schema")),
                texts(row, "query_columns"),
                texts(row, "sources").stream().map(TableName::parse).toList());
    }

    private static Model.Policy policy(ResultSet row, String columns) throws SQLException {
        return new Model.Policy(id(row, "function_id"), texts(row, columns));
    }

    private static UUID id(ResultSet row, String column) throws SQLException {
        return row.getObject(column, UUID.class);
    }

    private static SecurableType type(ResultSet row) throws SQLException {
        return SecurableType.valueOf(row.getString("type"));
    }

    // Writing one change.

    /** False when the name is taken, which the caller did not know: others write here too. */
    static boolean insert(Connection connection, UUID parent, SecurableInfo info)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.securables (id, parent_id, type, name, owner_id, comment,
                    properties, location, created_at, created_by, updated_at, updated_by)
                VALUES (?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
                """;
        return update(
                        connection,
                        sql,
                        info.id(),
                        parent,
                        info.securable().type().name(),
                        last(info.securable()),
                        info.owner().id(),
                        info.comment(),
                        json(info.properties()),
                        info.location(),
                        info.createdAt(),
                        info.createdBy(),
                        info.updatedAt(),
                        info.updatedBy())
                == 1;
    }

    /** The row that another process made under the name. */
    static Optional<SecurableInfo> find(
            Connection connection, Model model, UUID parent, Securable name) throws SQLException {
        var sql =
                """
                SELECT * FROM lakemill.securables
                WHERE parent_id = ? AND type = ? AND lower(name) = lower(?)
                """;
        return Statements.first(
                connection,
                row -> securable(model, row, name),
                sql,
                parent,
                name.type().name(),
                last(name));
    }

    static void insertTable(Connection connection, UUID id, Model.TableFacts facts)
            throws SQLException {
        update(
                connection,
                "INSERT INTO lakemill.tables (id, kind) VALUES (?, ?)",
                id,
                facts.kind().name());
        insertColumns(connection, id, facts.schema());
    }

    static void replaceColumns(Connection connection, UUID id, TableSchema schema)
            throws SQLException {
        update(connection, "DELETE FROM lakemill.columns WHERE table_id = ?", id);
        insertColumns(connection, id, schema);
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

    static void insertFunction(Connection connection, UUID id, PolicyFunction function)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.functions
                    (id, parameters, returns, body, duck_sql, postgres_sql)
                VALUES (?, ?::jsonb, ?::jsonb, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET parameters = EXCLUDED.parameters,
                    returns = EXCLUDED.returns, body = EXCLUDED.body,
                    duck_sql = EXCLUDED.duck_sql, postgres_sql = EXCLUDED.postgres_sql
                """;
        update(
                connection,
                sql,
                id,
                TypeJson.write(new DataType.Struct(function.parameters())).toString(),
                TypeJson.write(function.returns()).toString(),
                function.body(),
                function.duckSql(),
                function.postgresSql());
    }

    static void putView(Connection connection, UUID id, ViewDefinition view) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.views
                    (table_id, text, default_catalog, default_schema, query_columns, sources)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (table_id) DO UPDATE SET text = EXCLUDED.text,
                    default_catalog = EXCLUDED.default_catalog,
                    default_schema = EXCLUDED.default_schema,
                    query_columns = EXCLUDED.query_columns, sources = EXCLUDED.sources
                """;
        update(
                connection,
                sql,
                id,
                view.text(),
                view.defaults().catalog(),
                view.defaults().schema(),
                view.queryColumns(),
                view.sources().stream().map(TableName::toString).toList());
    }

    /** All of it but its parent. */
    static void save(Connection connection, SecurableInfo info) throws SQLException {
        var sql =
                """
                UPDATE lakemill.securables SET name = ?, owner_id = ?, comment = ?,
                    properties = ?::jsonb, location = ?, updated_at = ?, updated_by = ?
                WHERE id = ?
                """;
        update(
                connection,
                sql,
                last(info.securable()),
                info.owner().id(),
                info.comment(),
                json(info.properties()),
                info.location(),
                info.updatedAt(),
                info.updatedBy(),
                info.id());
    }

    /** Takes along what is below it and all that is said of that. */
    static void delete(Connection connection, UUID id) throws SQLException {
        update(connection, "DELETE FROM lakemill.securables WHERE id = ?", id);
    }

    private static String last(Securable securable) {
        return securable.name().substring(securable.name().lastIndexOf('.') + 1);
    }
}
