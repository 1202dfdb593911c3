package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.AuditChain;
import dev.lakemill.catalog.AuditChain.Verdict;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditFilter;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.AuditRecord;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The audit log over REST, for metastore admins alone. Refusals are audited, too. */
final class AuditRoutes {
    private static final List<AuditChain> CHAINS = List.of(AuditLog.CHAIN, RowAudit.CHAIN);
    private static final int PAGE_RECORDS = 100;

    private final Routes routes;
    private final Catalog catalog;
    private final DataSource database;
    private final AuditReader reader;
    private final ReentrantLock verifying = new ReentrantLock();

    private AuditRoutes(Routes routes, Catalog catalog, DataSource database) {
        this.routes = routes;
        this.catalog = catalog;
        this.database = database;
        this.reader = new AuditReader(database);
    }

    static void mount(Routes routes, Catalog catalog, DataSource database) {
        var audit = new AuditRoutes(routes, catalog, database);
        routes.secured(HttpMethod.GET, "/api/2.0/audit/events", audit::events);
        routes.secured(HttpMethod.POST, "/api/2.0/audit/verify", audit::verify);
    }

    private Object events(RoutingContext context, Caller caller) {
        requireAdmin(caller, "listAuditEvents");
        var filter =
                new AuditFilter(
                        instant(context, "start_time", AuditFilter.ALL.from()),
                        instant(context, "end_time", AuditFilter.ALL.before()),
                        text(context, "email"),
                        text(context, "service_name"),
                        text(context, "action_name"));
        var page = reader.events(filter, recordsMax(context), text(context, "page_token"));
        var answer = new LinkedHashMap<String, Object>();
        answer.put("events", page.records().stream().map(AuditRoutes::json).toList());
        if (!page.nextToken().isEmpty()) {
            answer.put("next_page_token", page.nextToken());
        }
        return answer;
    }

    /** Walks every chain; the body may name an older head that the chain must still contain. */
    private Object verify(RoutingContext context, Caller caller) {
        requireAdmin(caller, "verifyAudit");
        var body = routes.body(context);
        if (!verifying.tryLock()) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "the audit log is being verified already",
                    "wait for its end");
        }
        try {
            var chains = new ArrayList<Map<String, Object>>();
            var whole = true;
            for (var chain : CHAINS) {
                var verdict = chain.verify(database, known(body, chain));
                whole &= verdict instanceof Verdict.Whole;
                chains.add(json(chain, verdict));
            }
            catalog.audit()
                    .record(
                            AuditEvent.done(
                                    caller,
                                    "accounts",
                                    "verifyAudit",
                                    Map.of("whole", String.valueOf(whole))));
            return Map.of("whole", whole, "chains", chains);
        } finally {
            verifying.unlock();
        }
    }

    private static AuditChain.@Nullable Head known(JsonNode body, AuditChain chain) {
        var known = body.path("known").path(chain.name());
        return known.isMissingNode()
                ? null
                : new AuditChain.Head(
                        known.path("sequence").asLong(), known.path("hash").asText(""));
    }

    private static Map<String, Object> json(AuditChain chain, Verdict verdict) {
        var json = new LinkedHashMap<String, Object>();
        json.put("name", chain.name());
        switch (verdict) {
            case Verdict.Whole(long expired, AuditChain.Head head, long unsealed) -> {
                json.put("whole", true);
                json.put("expired", expired);
                json.put("sequence", head.sequence());
                json.put("hash", head.hash());
                json.put("unsealed", unsealed);
            }
            case Verdict.Broken(long sequence, long number, String problem) -> {
                json.put("whole", false);
                json.put("sequence", sequence);
                json.put("number", number);
                json.put("problem", problem);
            }
        }
        return json;
    }

    /** In the form of Databricks' system.access.audit, and the door and the seal. */
    private static Map<String, Object> json(AuditRecord record) {
        var json = new LinkedHashMap<String, Object>();
        json.put("event_id", record.eventId().toString());
        json.put("event_time", record.time().toString());
        json.put("event_date", record.time().atOffset(ZoneOffset.UTC).toLocalDate().toString());
        json.put("version", record.version());
        json.put("source_ip_address", record.address());
        json.put("user_agent", record.userAgent());
        json.put("session_id", record.sessionId());
        json.put(
                "user_identity",
                Map.of("email", record.email(), "subject_name", record.subjectName()));
        json.put("service_name", record.service());
        json.put("action_name", record.action());
        json.put("request_id", record.requestId());
        json.put("request_params", record.parameters());
        json.put(
                "response",
                Map.of("status_code", record.status(), "error_message", record.error()));
        json.put("audit_level", record.level());
        json.put("identity_metadata", Map.of("run_by", record.runBy(), "run_as", record.runAs()));
        json.put("door", record.door());
        json.put("sequence", record.sequence());
        json.put("hash", record.hash());
        return json;
    }

    private void requireAdmin(Caller caller, String action) {
        AdminOnly.check(catalog, caller, action, "see the audit log");
    }

    private static String text(RoutingContext context, String name) {
        var values = context.queryParam(name);
        return values.isEmpty() ? "" : values.getFirst();
    }

    private static int recordsMax(RoutingContext context) {
        var text = text(context, "max_results");
        try {
            var number = text.isEmpty() ? PAGE_RECORDS : Integer.parseInt(text);
            if (number >= 1 && number <= AuditReader.PAGE_RECORDS_MAX) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below, with the same words as a number out of bounds.
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "max_results is '%s'".formatted(text),
                "send a number from 1 to " + AuditReader.PAGE_RECORDS_MAX);
    }

    private static Instant instant(RoutingContext context, String name, Instant usual) {
        var text = text(context, name);
        try {
            return text.isEmpty() ? usual : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s is '%s'".formatted(name, text),
                    "write it as 2026-03-01T10:00:00Z",
                    e);
        }
    }
}
