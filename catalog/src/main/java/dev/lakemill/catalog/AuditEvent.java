package dev.lakemill.catalog;

import java.util.Map;

/**
 * What was done or refused, in the words of Databricks' {@code system.access.audit}.
 *
 * @param service {@code unityCatalog}, {@code accounts}, {@code zerobus}, {@code postgres}, {@code
 *     pipelines}, {@code apps} or {@code agents}
 * @param action in camel case, for example {@code getTable}, {@code updatePermissions}, {@code
 *     tokenLogin}, {@code openStream}
 * @param parameters what it was about; never a secret
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
    public AuditEvent {
        parameters = Map.copyOf(parameters);
    }
}
