package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** What people decide: what agents ask them, and what is wrong with invoices. */
final class Decisions {
    private static final Set<String> DECISIONS =
            Set.of("accept", "edit", "respond", "ignore", "delegate");

    /** What a variance may become. */
    private static final Map<String, Set<String>> VARIANCE =
            Map.of(
                    "open", Set.of("accepted", "disputed", "closed"),
                    "disputed", Set.of("accepted", "closed"),
                    "accepted", Set.of("closed"));

    private Decisions() {}

    /** Who somebody is here, and what they may do. */
    static Map<String, Object> rights(Connection user, Visitor visitor) throws SQLException {
        var sql =
                """
                SELECT lakemill.agent_may_decide('{farm_buyers}'),
                  EXISTS (
                    SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'procurement' AND c.relname = 'rfq'
                      AND has_schema_privilege(n.oid, 'USAGE')
                      AND has_table_privilege(c.oid, 'INSERT'))""";
        try (var statement = user.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            var told = new LinkedHashMap<String, Object>();
            told.put("user", visitor.name());
            told.put("email", visitor.email());
            told.put("can_decide", rows.getBoolean(1));
            told.put("can_request", rows.getBoolean(2));
            return told;
        }
    }

    /** Takes a decision, or hands it on; Postgres says whether the person may. */
    static Map<String, String> approval(Connection user, String id, Body body) throws SQLException {
        var decision = body.oneOf("decision", DECISIONS);
        var approval = uuid(id);
        var isHandedOn = decision.equals("delegate");
        var sql =
                isHandedOn
                        ? "SELECT lakemill.agent_delegate(?, ?)"
                        : "SELECT lakemill.agent_decide(?, ?, ?::jsonb, ?)";
        try (var call = user.prepareStatement(sql)) {
            call.setObject(1, approval);
            if (isHandedOn) {
                call.setString(2, body.text("to", 255));
            } else {
                call.setString(2, decision);
                call.setString(3, decision.equals("edit") ? args(body) : null);
                call.setString(4, body.optionalText("text", 10_000));
            }
            call.execute();
        }
        return Map.of("outcome", decision);
    }

    private static String args(Body body) {
        var args = body.json().path("args");
        if (!args.isObject()) {
            throw Body.invalid("an edit has 'args'");
        }
        return args.toString();
    }

    private static UUID uuid(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException _) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND, "there is no approval '%s'".formatted(text), "");
        }
    }

    /** Says what becomes of a variance, if it still is what the page shows. */
    static Map<String, String> variance(Connection user, Body body) throws SQLException {
        var from = body.oneOf("from", VARIANCE.keySet());
        var to = body.oneOf("to", VARIANCE.getOrDefault(from, Set.of()));
        var sql =
                """
                UPDATE procurement.variance_review SET state = ?, decided_by = session_user,
                  decided_at = now(), note = ?
                WHERE invoice_id = ? AND rule = ? AND line = ? AND state = ?""";
        try (var update = user.prepareStatement(sql)) {
            update.setString(1, to);
            update.setString(2, body.optionalText("note", 2_000));
            update.setString(3, body.text("invoice_id", 200));
            update.setString(4, body.text("rule", 100));
            update.setInt(5, (int) body.number("line", 0, Integer.MAX_VALUE));
            update.setString(6, from);
            if (update.executeUpdate() == 0) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "the variance is not %s any more, or not there".formatted(from),
                        "look again: somebody has decided it");
            }
        }
        return Map.of("state", to);
    }
}
