package dev.lakemill.server.rest;

import dev.lakemill.catalog.Access;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.UUID;

/**
 * What a caller may know of: what it may manage, may use in some way, or has BROWSE on. All else is
 * answered exactly as what is not there, so that names do not leak.
 */
public final class Sight {
    private final Catalog catalog;
    private final Access access;

    public Sight(Catalog catalog) {
        this.catalog = catalog;
        this.access = catalog.access();
    }

    public boolean sees(Caller caller, Securable securable) {
        return may(caller, Privilege.BROWSE, securable);
    }

    boolean may(Caller caller, Privilege privilege, Securable securable) {
        return access.decide(caller, privilege, securable) instanceof Decision.Allowed;
    }

    public boolean manages(Caller caller, Securable securable) {
        return access.mayManage(caller, securable);
    }

    /**
     * Whether a table's location may be told, by any door: where its files lie on a disk, it is as
     * good as they are.
     */
    public boolean tellsLocation(Caller caller, CatalogTable table) {
        var name = Securable.table(table.name());
        return catalog.policies().on(table.name()).told().isEmpty()
                && (may(caller, Privilege.SELECT, name) || manages(caller, name));
    }

    SecurableInfo require(Caller caller, Securable securable) {
        access.requireClaim(caller, Privilege.BROWSE, securable);
        return catalog.securables()
                .find(securable)
                .filter(info -> sees(caller, info.securable()))
                .orElseThrow(() -> missing(securable.type(), securable.name()));
    }

    CatalogTable require(Caller caller, TableName name) {
        access.requireClaim(caller, Privilege.BROWSE, Securable.table(name));
        return catalog.find(name)
                .filter(table -> sees(caller, Securable.table(table.name())))
                .orElseThrow(() -> missing(SecurableType.TABLE, name.toString()));
    }

    SecurableInfo require(Caller caller, UUID id, SecurableType type) {
        return catalog.securables()
                .find(id)
                .filter(info -> info.securable().type() == type)
                .filter(info -> sees(caller, info.securable()))
                .orElseThrow(() -> missing(type, id.toString()));
    }

    public List<SecurableInfo> list(Caller caller, Securable parent, SecurableType type) {
        return catalog.securables().list(parent, type).stream()
                .filter(info -> sees(caller, info.securable()))
                .toList();
    }

    static LakemillException missing(SecurableType type, String name) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no %s %s, or you may not see it".formatted(type, name),
                "%s or BROWSE on it shows it".formatted(use(type)));
    }

    private static String use(SecurableType type) {
        return switch (type) {
            case METASTORE, CATALOG -> "USE CATALOG";
            case SCHEMA -> "USE SCHEMA";
            case TABLE -> "SELECT";
            case VOLUME -> "READ VOLUME";
            case FUNCTION, REGISTERED_MODEL, APP, AGENT -> "EXECUTE";
            case EXTERNAL_LOCATION, CREDENTIAL -> "READ FILES";
        };
    }
}
