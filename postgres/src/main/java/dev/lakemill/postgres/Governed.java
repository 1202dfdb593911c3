package dev.lakemill.postgres;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;

/**
 * What the catalog says at one version, as far as Postgres must know it.
 *
 * @param members direct members by group; the group of all users is left out
 * @param owners by {@link #key}, of catalogs, schemas and the tables in Postgres
 * @param schemas all of the catalog
 * @param tables those whose rows lie in Postgres
 * @param readOnly principals that read-only logins are for
 * @param guarded whether event triggers watch over principals' own commands
 */
record Governed(
        List<PrincipalInfo> principals,
        Map<UUID, List<UUID>> members,
        List<Grant> grants,
        Map<Securable, UUID> owners,
        List<Securable> schemas,
        List<Table> tables,
        Set<UUID> readOnly,
        boolean guarded) {
    private static final String IN_POSTGRES = "postgres:";

    /** A table in Postgres with its policies. */
    record Table(CatalogTable table, List<FilterUse> filters, List<MaskUse> masks) {
        Relation relation() {
            var name = table.name();
            if (table.kind() == TableKind.SYNCED) {
                return new Relation(
                        name.schema().toLowerCase(Locale.ROOT),
                        name.table().toLowerCase(Locale.ROOT));
            }
            var parts = table.location().substring(IN_POSTGRES.length()).split("\\.", 2);
            return new Relation(parts[0], parts[1]);
        }
    }

    record FilterUse(RowFilter filter, PolicyFunction function) {}

    record MaskUse(ColumnMask mask, PolicyFunction function) {}

    /** Reads until nothing changes meanwhile. */
    static Governed of(Catalog catalog, Set<UUID> readOnly, boolean guarded) {
        while (true) {
            var version = catalog.access().version();
            var governed = read(catalog, readOnly, guarded);
            if (catalog.access().version() == version) {
                return governed;
            }
        }
    }

    private static Governed read(Catalog catalog, Set<UUID> readOnly, boolean guarded) {
        var principals = new ArrayList<PrincipalInfo>();
        for (var kind : PrincipalKind.values()) {
            principals.addAll(catalog.principals().list(kind));
        }
        // The node itself has no login: it is the owner of the database.
        var node = catalog.system().principal().id();
        principals.removeIf(info -> info.principal().id().equals(node));
        // Whoever is called as another's read-only login has none at all.
        principals.removeIf(
                info -> info.principal().name().startsWith(FrontDoorBackend.READ_ONLY_PREFIX));
        var members = new HashMap<UUID, List<UUID>>();
        for (var info : principals) {
            var principal = info.principal();
            if (principal.kind() == PrincipalKind.GROUP && !isUsers(principal.name())) {
                var direct = catalog.principals().members(principal.id());
                members.put(principal.id(), direct.stream().map(m -> m.id()).toList());
            }
        }
        var schemas = new ArrayList<Securable>();
        var owners = new HashMap<Securable, UUID>();
        for (var parent : children(catalog, Securable.METASTORE, SecurableType.CATALOG)) {
            owners.put(key(parent.securable()), parent.owner().id());
            for (var schema : children(catalog, parent.securable(), SecurableType.SCHEMA)) {
                owners.put(key(schema.securable()), schema.owner().id());
                schemas.add(schema.securable());
            }
        }
        var tables = new ArrayList<Table>();
        for (var table : catalog.list()) {
            if (table.kind() == TableKind.SYNCED || table.location().startsWith(IN_POSTGRES)) {
                var securable = Securable.table(table.name());
                owners.put(key(securable), catalog.grants().owner(securable).id());
                tables.add(table(catalog, table));
            }
        }
        return new Governed(
                principals,
                members,
                catalog.grants().all(),
                owners,
                schemas,
                tables,
                Set.copyOf(readOnly),
                guarded);
    }

    UUID owner(Securable securable) {
        return Objects.requireNonNull(owners.get(key(securable)));
    }

    private static List<SecurableInfo> children(
            Catalog catalog, Securable parent, SecurableType type) {
        return catalog.securables().list(parent, type);
    }

    private static Table table(Catalog catalog, CatalogTable table) {
        var policies = catalog.policies();
        var filters =
                policies.rowFilter(table.name()).stream()
                        .map(f -> new FilterUse(f, function(catalog, table.name(), f.function())))
                        .toList();
        var masks =
                policies.masks(table.name()).stream()
                        .map(m -> new MaskUse(m, function(catalog, table.name(), m.function())))
                        .toList();
        return new Table(table, filters, masks);
    }

    private static PolicyFunction function(Catalog catalog, TableName table, String name) {
        return catalog.policies()
                .function(name)
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        "%s has a policy of the missing function %s"
                                                .formatted(table, name)));
    }

    static boolean isUsers(String name) {
        return name.equalsIgnoreCase(Principals.USERS);
    }

    /** The same for names that differ in case alone. */
    static Securable key(Securable securable) {
        return new Securable(securable.type(), securable.name().toLowerCase(Locale.ROOT));
    }
}
