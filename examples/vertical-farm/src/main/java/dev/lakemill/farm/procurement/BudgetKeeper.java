package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Map;

/**
 * Commits a draft that people have approved: its cost is reserved in the month's budget, or the
 * draft is blocked. Books what people have decided of a bill that is not as ordered. No model has a
 * part in it.
 */
public final class BudgetKeeper implements Agent {
    @Override
    public Object run(AgentRun run) throws SQLException {
        return run.input().at("/key/invoice_id").isMissingNode() ? commit(run) : settle(run);
    }

    private static Object settle(AgentRun run) throws SQLException {
        var key = run.input().path("key");
        var rows =
                run.query(
                        "variance",
                        Settlement.DECIDED,
                        key.path("invoice_id").asText(),
                        key.path("rule").asText(),
                        key.path("line").asInt());
        if (rows.isEmpty()) {
            return Map.of("variance", key, "state", "no longer decided");
        }
        var decided = rows.getFirst();
        // Decided anew, as after there was no money, it is booked anew; the ledger's keys hold.
        var once = "settle-%s %s".formatted(key, decided.text("decided_at"));
        var state =
                run.write("settle", once, connection -> new Settlement(decided).book(connection));
        return Map.of("variance", key, "state", state.asText());
    }

    private static Object commit(AgentRun run) throws SQLException {
        var id = run.input().at("/key/id").asText();
        var state = run.write("commit", "commit-" + id, connection -> commit(connection, id));
        return Map.of("email", id, "state", state.asText());
    }

    private static String commit(Connection connection, String id) throws SQLException {
        var sql =
                """
                SELECT rfq_id::text, supplier_id, cost, date_trunc('month', now())::date AS month
                FROM procurement.email_outbox WHERE id = ?::uuid AND state = 'approved'
                FOR UPDATE""";
        try (var select = connection.prepareStatement(sql)) {
            select.setString(1, id);
            try (var rows = select.executeQuery()) {
                if (!rows.next()) {
                    return "no longer approved";
                }
                var rfq = rows.getString("rfq_id");
                var refusal =
                        new Ledger(connection)
                                .commit(
                                        "rfq-" + rfq,
                                        rows.getObject("month", LocalDate.class),
                                        rows.getBigDecimal("cost"),
                                        "request to " + rows.getString("supplier_id"));
                return refusal.isEmpty()
                        ? committed(connection, id)
                        : blocked(connection, id, rfq, refusal.get());
            }
        }
    }

    private static String committed(Connection connection, String id) throws SQLException {
        Sql.write(
                connection,
                "UPDATE procurement.email_outbox SET state = 'committed', committed_at = now()"
                        + " WHERE id = ?::uuid",
                id);
        return "committed";
    }

    private static String blocked(Connection connection, String id, String rfq, String reason)
            throws SQLException {
        Sql.write(
                connection,
                "UPDATE procurement.email_outbox SET state = 'blocked', blocked_reason = ?"
                        + " WHERE id = ?::uuid",
                reason,
                id);
        Sql.write(
                connection, "UPDATE procurement.rfq SET state = 'blocked' WHERE id = ?::uuid", rfq);
        return "blocked";
    }
}
