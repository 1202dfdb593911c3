package dev.lakemill.catalog;

import java.time.Instant;

/**
 * Which audit records; an empty text asks for any.
 *
 * @param before exclusive
 */
public record AuditFilter(
        Instant from, Instant before, String email, String service, String action) {
    public static final AuditFilter ALL =
            new AuditFilter(Instant.EPOCH, Instant.parse("9999-01-01T00:00:00Z"), "", "", "");
}
