package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.rest.Sight;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a caller is told of the catalog: what it may browse, which who manages or uses it may, and
 * of grants those on what it manages and those that are its own.
 */
final class Visible {
    private final Catalog catalog;
    private final Sight sight;
    private final Caller caller;
    private final Set<UUID> identities;

    Visible(Catalog catalog, Caller caller) {
        this.catalog = catalog;
        this.sight = new Sight(catalog);
        this.caller = caller;
        this.identities =
                Stream.concat(
                                Stream.of(caller.principal()),
                                catalog.principals().groupsOf(caller.principal().id()).stream())
                        .map(Principal::id)
                        .collect(Collectors.toSet());
    }

    boolean sees(Securable securable) {
        return sight.sees(caller, securable);
    }

    boolean manages(Securable securable) {
        return sight.manages(caller, securable);
    }

    boolean tellsLocation(CatalogTable table) {
        return sight.tellsLocation(caller, table);
    }

    boolean isAdmin() {
        return !caller.claim().isNarrow() && catalog.principals().isAdmin(caller.principal().id());
    }

    Stream<SecurableInfo> catalogs() {
        return children(Securable.METASTORE, SecurableType.CATALOG);
    }

    Stream<SecurableInfo> schemas() {
        return catalogs().flatMap(c -> children(c.securable(), SecurableType.SCHEMA));
    }

    Stream<SecurableInfo> children(Securable parent, SecurableType type) {
        return sight.list(caller, parent, type).stream();
    }

    Stream<CatalogTable> tables() {
        return catalog.list().stream().filter(table -> sees(Securable.table(table.name())));
    }

    /** The grants on a securable and its parents that the caller may know of. */
    Stream<Grant> grants(Securable securable) {
        var all = manages(securable);
        return catalog.grants().effective(securable).stream().filter(grant -> all || isOwn(grant));
    }

    boolean isOwn(Grant grant) {
        return identities.contains(grant.principal().id());
    }
}
