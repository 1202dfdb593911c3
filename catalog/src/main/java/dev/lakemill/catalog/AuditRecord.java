package dev.lakemill.catalog;

import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/**
 * A record of the audit log.
 *
 * @param sequence its place in the chain; 0 until it is sealed
 * @param hash its seal in hexadecimal; empty until it is sealed
 */
public record AuditRecord(
        UUID eventId,
        Instant time,
        String version,
        String address,
        String userAgent,
        String sessionId,
        String email,
        String subjectName,
        String service,
        String action,
        String requestId,
        Map<String, String> parameters,
        int status,
        String error,
        String level,
        String runBy,
        String runAs,
        String door,
        long sequence,
        String hash) {
    public AuditRecord {
        parameters = Map.copyOf(parameters);
    }
}
