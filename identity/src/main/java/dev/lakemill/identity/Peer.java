package dev.lakemill.identity;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The other end of a connection, before and after it is known who that is.
 *
 * @param door see {@link Caller#door()}
 */
public record Peer(String door, String address, String requestId, String userAgent) {
    /** Who is refused, as the audit names it. */
    private static final Principal NOBODY =
            new Principal(new UUID(0, 0), PrincipalKind.USER, "anonymous");

    private static final int TEXT_LENGTH_MAX = 256;

    public Caller caller(Principal principal) {
        return new Caller(principal, null, door, address, requestId);
    }

    /** For what is refused before it is known who asks. */
    public Caller stranger() {
        return caller(NOBODY);
    }

    AuditEvent done(Principal principal, String action, Map<String, String> parameters) {
        return new AuditEvent(caller(principal), "accounts", action, told(parameters), 200, "");
    }

    AuditEvent refused(String action, Map<String, String> parameters, int status, String error) {
        return new AuditEvent(
                stranger(), "accounts", action, told(parameters), status, clipped(error));
    }

    private Map<String, String> told(Map<String, String> parameters) {
        var told = new HashMap<String, String>();
        parameters.forEach((name, value) -> told.put(name, clipped(value)));
        told.put(AuditEvent.USER_AGENT, clipped(userAgent));
        return told;
    }

    /** What strangers send is kept short, and is text that Postgres can hold. */
    private static String clipped(String text) {
        var clean = text.replace('\0', ' ');
        return clean.length() <= TEXT_LENGTH_MAX ? clean : clean.substring(0, TEXT_LENGTH_MAX);
    }
}
