package dev.lakemill.server.rest;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.List;
import java.util.Map;

/**
 * Who may have files themselves, past this process: the rule of docs/reference/rest.md.
 *
 * <p>Whoever has the files of a table sees all of its rows and columns, so a table with a row
 * filter or a mask is never vended, to nobody; nor is a path that touches one. What the node writes
 * is vended for reading only.
 */
final class Vending {
    private final Catalog catalog;
    private final Locations locations;

    Vending(Catalog catalog, Locations locations) {
        this.catalog = catalog;
        this.locations = locations;
    }

    /** PERMISSION_DENIED with the reason; audited either way. */
    void requireTable(Caller caller, CatalogTable table, boolean write) {
        var name = Securable.table(table.name());
        catalog.access().require(caller, Privilege.SELECT, name);
        if (write) {
            catalog.access().require(caller, Privilege.MODIFY, name);
        }
        catalog.access()
                .require(caller, Privilege.EXTERNAL_USE_SCHEMA, name.parent().orElseThrow());
        if (write && table.kind().fed()) {
            throw refused(
                    caller,
                    name.name(),
                    "%s is written by this node alone".formatted(table.name()),
                    "ask for READ; rows go in through gRPC or its pipeline");
        }
        var policies = policies(table);
        if (!policies.isEmpty()) {
            throw refused(caller, name.name(), reason(table, policies), "read it with SQL");
        }
        vended(caller, name.name(), write);
    }

    /** Why {@link Sight#tellsLocation} says no. */
    LakemillException withheld(CatalogTable table) {
        var policies = policies(table);
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                policies.isEmpty()
                        ? "the files of %s need SELECT on it".formatted(table.name())
                        : reason(table, policies),
                policies.isEmpty() ? "ask its owner for SELECT" : "read it with SQL");
    }

    void requireVolume(Caller caller, SecurableInfo volume, boolean write) {
        var name = volume.securable();
        catalog.access().require(caller, Privilege.READ_VOLUME, name);
        if (write) {
            catalog.access().require(caller, Privilege.WRITE_VOLUME, name);
        }
        vended(caller, name.name(), write);
    }

    /** A model's files: EXECUTE reads them; who may manage it writes them. */
    void requireModel(Caller caller, Securable model, boolean write, Sight sight) {
        if (!write) {
            catalog.access().require(caller, Privilege.EXECUTE, model);
        } else if (!sight.manages(caller, model)) {
            catalog.access().require(caller, Privilege.MANAGE, model);
        }
        vended(caller, model.name(), write);
    }

    /** A path by itself: the external location's privileges, and nothing that is governed there. */
    void requirePath(Caller caller, String url, List<Privilege> privileges) {
        var location =
                locations
                        .covering(url)
                        .orElseThrow(
                                () ->
                                        refused(
                                                caller,
                                                url,
                                                "no external location holds " + url,
                                                "an admin makes one over it"));
        privileges.forEach(p -> catalog.access().require(caller, p, location.securable()));
        locations
                .taken(url)
                .ifPresent(
                        what -> {
                            throw refused(
                                    caller,
                                    url,
                                    "%s overlaps %s, whose grants count".formatted(url, what),
                                    "ask for the credentials of that");
                        });
        vended(caller, url, privileges.contains(Privilege.WRITE_FILES));
    }

    /**
     * CREATE EXTERNAL TABLE or VOLUME on the location around a new thing, and nothing there yet.
     */
    void requireNew(Caller caller, String url, Privilege privilege) {
        var location =
                locations
                        .covering(url)
                        .orElseThrow(
                                () ->
                                        refused(
                                                caller,
                                                url,
                                                "no external location holds " + url,
                                                "an admin makes one over it"));
        catalog.access().require(caller, privilege, location.securable());
        locations.requireFree(url);
    }

    static boolean isDelta(CatalogTable table) {
        return switch (table.kind()) {
            case INGESTED, STREAMING_TABLE, MATERIALIZED_VIEW, QUARANTINE, EXTERNAL, MANAGED ->
                    true;
            case SYNCED, STATE, VIEW -> false;
        };
    }

    private List<String> policies(CatalogTable table) {
        return catalog.policies().on(table.name()).told();
    }

    private static String reason(CatalogTable table, List<String> policies) {
        return "the files of %s would show what %s hides"
                .formatted(table.name(), String.join(" and ", policies));
    }

    private LakemillException refused(Caller caller, String what, String problem, String hint) {
        record(caller, what, 403, problem);
        return new LakemillException(ErrorCode.PERMISSION_DENIED, problem, hint);
    }

    private void vended(Caller caller, String what, boolean write) {
        record(caller, (write ? "READ_WRITE " : "READ ") + what, 200, "");
    }

    private void record(Caller caller, String what, int status, String error) {
        catalog.audit()
                .record(
                        new AuditEvent(
                                caller,
                                "unityCatalog",
                                "generateTemporaryCredentials",
                                Map.of("resource", what),
                                status,
                                error));
    }
}
