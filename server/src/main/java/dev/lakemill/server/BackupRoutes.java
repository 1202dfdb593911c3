package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.server.backup.Backups;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.Map;

/** Backups over REST, for metastore admins alone: a backup holds everything. */
final class BackupRoutes {
    private static final int KEEP_INITIAL = 7;

    private final Routes routes;
    private final Catalog catalog;
    private final Node node;

    private BackupRoutes(Routes routes, Catalog catalog, Node node) {
        this.routes = routes;
        this.catalog = catalog;
        this.node = node;
    }

    static void mount(Routes routes, Catalog catalog, Node node) {
        var backups = new BackupRoutes(routes, catalog, node);
        routes.secured(HttpMethod.GET, "/api/2.0/backups", backups::list);
        routes.secured(HttpMethod.POST, "/api/2.0/backups", backups::create);
    }

    private Object list(RoutingContext context, Caller caller) {
        return backups(caller, "listBackups").status();
    }

    private Object create(RoutingContext context, Caller caller) {
        var backups = backups(caller, "createBackup");
        var keep = routes.body(context).path("keep").asInt(KEEP_INITIAL);
        if (keep < 1) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, "keep is " + keep, "keep one backup or more");
        }
        var made = backups.backup(keep);
        catalog.audit()
                .record(
                        AuditEvent.done(
                                caller,
                                "accounts",
                                "createBackup",
                                Map.of("backup", String.valueOf(made.get("id")))));
        return made;
    }

    private Backups backups(Caller caller, String action) {
        AdminOnly.check(catalog, caller, action, "see and make backups");
        return node.backups()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.FAILED_PRECONDITION,
                                        "this node makes no backups",
                                        "set backup.folder (LAKEMILL_BACKUP_FOLDER) to a folder on"
                                                + " another disk, and start the node again"));
    }
}
