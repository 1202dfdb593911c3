package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;

/**
 * Which synced tables a principal may see live, and as whom they are read.
 *
 * <p>A table without row filter and masks shows everybody the same, so it is read once for all by
 * the reader role; any other is read in a session of the principal's own role, where Postgres
 * itself applies them.
 */
final class LiveReads {
    private final Catalog catalog;
    private final Postgres postgres;

    /**
     * A table as somebody sees it.
     *
     * @param role empty when all see the same
     */
    record View(TableName table, String role) {
        String sql() {
            return "\"%s\".\"%s\"".formatted(table.schema(), table.table());
        }
    }

    LiveReads(Catalog catalog, Postgres postgres) {
        this.catalog = catalog;
        this.postgres = postgres;
    }

    /** NOT_FOUND when no synced table has the name {@code schema.table}. */
    TableName find(String table) {
        return catalog.list().stream()
                .filter(t -> t.kind() == TableKind.SYNCED)
                .map(CatalogTable::name)
                .filter(name -> table.equals(name.schema() + "." + name.table()))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no synced table '%s'".formatted(table),
                                        "GET /api/status lists the tables; write schema.table"));
    }

    /** PERMISSION_DENIED when the caller may not read it. */
    void require(Caller caller, TableName table) {
        catalog.access().require(caller, Privilege.SELECT, Securable.table(table));
    }

    boolean mayRead(Principal principal, Collection<TableName> tables) {
        return tables.stream()
                .map(Securable::table)
                .map(on -> catalog.access().decide(principal.id(), Privilege.SELECT, on))
                .allMatch(Decision.Allowed.class::isInstance);
    }

    View view(Principal principal, TableName table) {
        var same =
                catalog.policies().rowFilter(table).isEmpty()
                        && catalog.policies().masks(table).isEmpty();
        return new View(table, same ? "" : principal.name());
    }

    Connection connect(View view) throws SQLException {
        return view.role().isEmpty() ? postgres.reader().getConnection() : postgres.as(view.role());
    }
}
