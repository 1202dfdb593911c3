package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.postgres.FrontDoorAudit;
import dev.lakemill.postgres.FrontDoorConnection;
import dev.lakemill.types.Principal;
import java.net.InetSocketAddress;
import java.util.Map;

/** Puts every login at the front door into the audit log, with the client's own address. */
record DoorAudit(Catalog catalog) implements FrontDoorAudit {
    private static final String SERVICE = "postgres";
    private static final int UNAUTHORIZED = 401;

    @Override
    public void opened(FrontDoorConnection connection) {
        catalog.audit()
                .record(
                        AuditEvent.done(
                                caller(connection), SERVICE, "login", parameters(connection)));
    }

    @Override
    public void closed(FrontDoorConnection connection, String reason) {
        var event =
                new AuditEvent(
                        caller(connection), SERVICE, "logout", parameters(connection), 200, reason);
        catalog.audit().record(event);
    }

    /** The user is what the client said; so the record is on our own account. */
    @Override
    public void refused(InetSocketAddress peer, String user, String problem) {
        var system = catalog.system().principal();
        catalog.audit()
                .record(
                        new AuditEvent(
                                new Caller(system, null, SERVICE, address(peer), ""),
                                SERVICE,
                                "login",
                                Map.of("user", user),
                                UNAUTHORIZED,
                                problem));
    }

    private Caller caller(FrontDoorConnection connection) {
        return new Caller(
                principal(connection.login().principal()),
                null,
                SERVICE,
                address(connection.peer()),
                "session-%d-%d"
                        .formatted(connection.backendPid(), connection.since().getEpochSecond()));
    }

    /** The reader of this machine's user is none of the catalog's. */
    private Principal principal(String name) {
        return catalog.principals()
                .find(name)
                .map(PrincipalInfo::principal)
                .orElseGet(() -> catalog.system().principal());
    }

    private static Map<String, String> parameters(FrontDoorConnection connection) {
        return Map.of(
                "user",
                connection.role(),
                "database",
                connection.database(),
                "token_id",
                connection.login().tokenId(),
                "encrypted",
                Boolean.toString(connection.encrypted()),
                "pid",
                Integer.toString(connection.backendPid()),
                AuditEvent.USER_AGENT,
                connection.application());
    }

    private static String address(InetSocketAddress peer) {
        return peer.getAddress().getHostAddress();
    }
}
