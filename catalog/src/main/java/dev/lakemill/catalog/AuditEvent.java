package dev.lakemill.catalog;

import java.util.Map;
import java.util.Objects;

/**
 * What was done or refused, in the words of Databricks' {@code system.access.audit}.
 *
 * @param service {@code unityCatalog}, {@code accounts}, {@code zerobus}, {@code postgres}, {@code
 *     databaseInstances}, {@code pipelines}, {@code modelServing}, {@code mcp}, {@code apps} or
 *     {@code agents}
 * @param action in camel case, for example {@code getTable}, {@code updatePermissions}, {@code
 *     tokenLogin}, {@code openStream}
 * @param parameters what it was about; never a secret. {@link #USER_AGENT} and {@link #SESSION_ID}
 *     among them become the columns of these names
 * @param status as HTTP says it: 200, 401, 403, …
 * @param error empty when it went well
 */
public record AuditEvent(
        Caller caller,
        String service,
        String action,
        Map<String, String> parameters,
        int status,
        String error) {
    public static final String USER_AGENT = "user_agent";
    public static final String SESSION_ID = "session_id";

    public AuditEvent {
        Objects.requireNonNull(caller, "caller is null");
        parameters = Map.copyOf(parameters);
    }

    /** Something that went well. */
    public static AuditEvent done(
            Caller caller, String service, String action, Map<String, String> parameters) {
        return new AuditEvent(caller, service, action, parameters, 200, "");
    }
}
