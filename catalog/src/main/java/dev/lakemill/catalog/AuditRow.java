package dev.lakemill.catalog;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way into {@code lakemill.audit}. Its texts are cut and cleaned, so that Postgres
 * takes every one: a caller cannot escape its record by what it sends.
 */
record AuditRow(UUID id, Instant time, AuditEvent event) {
    /** What the chain seals of a row, as text, in this order, which never changes. */
    static final List<String> SEALED_TEXTS =
            List.of(
                    "event_id::text",
                    "(extract(epoch FROM event_time) * 1000000)::bigint::text",
                    "version",
                    "source_ip_address",
                    "user_agent",
                    "session_id",
                    "user_email",
                    "user_subject_name",
                    "service_name",
                    "action_name",
                    "request_id",
                    "request_params::text",
                    "status_code::text",
                    "error_message",
                    "audit_level",
                    "run_by",
                    "run_as",
                    "door");

    private static final int TEXT_CHARS_MAX = 4_096;
    private static final int PARAMETERS_MAX = 64;
    private static final Set<String> ACCOUNT_SERVICES = Set.of("accounts", "unityCatalog");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String INSERT =
            """
            INSERT INTO lakemill.audit
                (event_id, event_time, source_ip_address, user_agent, session_id,
                user_email, user_subject_name, service_name, action_name, request_id,
                request_params, status_code, error_message, audit_level, run_by, run_as, door)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (event_id) DO NOTHING
            """;

    static AuditRow of(AuditEvent event, Instant time) {
        return new AuditRow(UUID.randomUUID(), time.truncatedTo(ChronoUnit.MICROS), event);
    }

    /** Returns how many were given. */
    static int insert(Connection connection, List<AuditRow> rows) throws SQLException {
        try (var insert = connection.prepareStatement(INSERT)) {
            for (var row : rows) {
                var values = row.values();
                for (var i = 0; i < values.size(); i++) {
                    insert.setObject(i + 1, values.get(i));
                }
                insert.addBatch();
            }
            insert.executeBatch();
            return rows.size();
        }
    }

    private List<Object> values() {
        var caller = event.caller();
        var principal = caller.principal();
        var runBy = caller.onBehalfOf() == null ? principal : caller.onBehalfOf();
        return List.of(
                id,
                time.atOffset(ZoneOffset.UTC),
                text(caller.address()),
                text(event.parameters().get(AuditEvent.USER_AGENT)),
                text(event.parameters().get(AuditEvent.SESSION_ID)),
                text(principal.name()),
                principal.id().toString(),
                text(event.service()),
                text(event.action()),
                text(caller.requestId()),
                parameters(),
                event.status(),
                text(event.error()),
                ACCOUNT_SERVICES.contains(event.service()) ? "ACCOUNT_LEVEL" : "WORKSPACE_LEVEL",
                text(runBy.name()),
                text(principal.name()),
                text(caller.door()));
    }

    private String parameters() {
        var kept = new TreeMap<String, String>();
        event.parameters().entrySet().stream()
                .filter(e -> !e.getKey().equals(AuditEvent.USER_AGENT))
                .filter(e -> !e.getKey().equals(AuditEvent.SESSION_ID))
                .sorted(Map.Entry.comparingByKey())
                .limit(PARAMETERS_MAX)
                .forEach(e -> kept.put(text(e.getKey()), text(e.getValue())));
        try {
            return JSON.writeValueAsString(kept);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Without what Postgres cannot hold: U+0000 and halves of surrogate pairs. */
    private static String text(@Nullable String text) {
        if (text == null) {
            return "";
        }
        var cut = text.length() > TEXT_CHARS_MAX ? text.substring(0, TEXT_CHARS_MAX) + "…" : text;
        return new String(cut.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
                .replace('\0', '\uFFFD');
    }
}
