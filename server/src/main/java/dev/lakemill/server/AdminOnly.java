package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.Map;

/** What only the metastore's admins may do. */
final class AdminOnly {
    private AdminOnly() {}

    /**
     * Records the refusal of all others.
     *
     * @param action as the audit log calls it
     * @param what metastore admins may do, for the message
     * @throws LakemillException PERMISSION_DENIED
     */
    static void check(Catalog catalog, Caller caller, String action, String what) {
        if (!catalog.principals().isAdmin(caller.principal().id())) {
            var problem = "only metastore admins may " + what;
            catalog.audit()
                    .record(new AuditEvent(caller, "accounts", action, Map.of(), 403, problem));
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    problem,
                    "a member of the group admins can add you to it");
        }
    }
}
