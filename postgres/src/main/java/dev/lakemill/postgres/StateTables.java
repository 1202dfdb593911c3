package dev.lakemill.postgres;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The catalog follows what principals did to tables by SQL: a table made, altered or dropped is one
 * in the catalog too, of the kind STATE and owned by who made it.
 */
final class StateTables {
    private static final Logger LOG = LoggerFactory.getLogger(StateTables.class);

    private static final String CHANGES =
            """
            SELECT number, action, principal, catalog_schema, postgres_schema, postgres_table
            FROM lakemill.table_changes ORDER BY number
            """;

    private final Catalog catalog;
    private final RowAudit audit;

    StateTables(Catalog catalog, RowAudit audit) {
        this.catalog = catalog;
        this.audit = audit;
    }

    private record Change(String creator, String catalogSchema, List<Long> numbers) {}

    /** Looks at each table that changed as it is now, and forgets the changes. */
    void follow(Connection connection) throws SQLException {
        var changes = new LinkedHashMap<Relation, Change>();
        try (var query = connection.prepareStatement(CHANGES);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                var table = new Relation(rows.getString(5), rows.getString(6));
                var creator = rows.getString(3);
                var schema = rows.getString(4);
                var change =
                        changes.computeIfAbsent(
                                table, _ -> new Change(creator, schema, new ArrayList<>()));
                change.numbers().add(rows.getLong(1));
            }
        }
        for (var entry : changes.entrySet()) {
            follow(connection, entry.getKey(), entry.getValue());
            forget(connection, entry.getValue().numbers());
        }
    }

    private void follow(Connection connection, Relation table, Change change) throws SQLException {
        var parts = change.catalogSchema().split("\\.", 2);
        var name = new TableName(parts[0], parts[1], table.name());
        var known =
                catalog.find(name)
                        .filter(t -> t.location().equals("postgres:" + table))
                        .isPresent();
        var schema = PostgresTypes.columns(connection, table.schema(), table.name());
        try {
            if (schema.isEmpty() && known) {
                catalog.drop(name);
            } else if (schema.isPresent() && known) {
                var before = catalog.find(name).orElseThrow();
                if (!before.schema().equals(schema.get())) {
                    catalog.update(name, schema.get(), before.comment(), before.properties());
                }
            } else if (schema.isPresent()) {
                var creator = catalog.principals().find(change.creator());
                if (creator.isPresent()) {
                    var caller = new Caller(creator.get().principal(), null, "postgres", "", "");
                    audit.attach(connection, caller, table.schema(), table.name());
                    adopt(caller, name, schema.get(), "postgres:" + table);
                }
            }
        } catch (LakemillException e) {
            LOG.warn("the catalog does not follow the table {}: {}", table, e.getMessage());
        }
    }

    /**
     * Postgres let its maker make it. When the right has been taken away since, the node enters it
     * for them: a table that the catalog does not know would be nobody's.
     */
    private void adopt(Caller maker, TableName name, TableSchema schema, String location) {
        try {
            catalog.create(maker, name, TableKind.STATE, schema, location, "", Map.of());
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.PERMISSION_DENIED) {
                throw e;
            }
            var node = catalog.system();
            catalog.create(node, name, TableKind.STATE, schema, location, "", Map.of());
            catalog.grants().transfer(node, Securable.table(name), maker.principal().name());
        }
    }

    private static void forget(Connection connection, List<Long> numbers) throws SQLException {
        var sql = "DELETE FROM lakemill.table_changes WHERE number = ANY (?)";
        try (var delete = connection.prepareStatement(sql)) {
            delete.setArray(1, connection.createArrayOf("bigint", numbers.toArray()));
            delete.executeUpdate();
        }
        connection.commit();
    }
}
