package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.Approval;
import dev.lakemill.api.agent.Decision;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.api.agent.Row;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;

/**
 * Drafts the e-mail of each new request for a quotation, and has people decide of it. What is
 * bought, of whom and for how much, stands in the request: the model words it.
 */
public final class Negotiator implements Agent {
    private static final String REQUEST =
            """
            SELECT r.id::text AS id, r.sku, coalesce(p.name, r.sku) AS name, r.supplier_id,
              coalesce(s.supplier_name, r.supplier_id) AS supplier_name, r.grams,
              r.quoted_price_per_kg, r.currency, r.expected_cost, r.needed_by::date::text AS needed_by,
              r.reason, s.rank, s.score, s.lead_time_hours
            FROM procurement.rfq AS r
            LEFT JOIN serving.stock_position AS p ON p.sku = r.sku
            LEFT JOIN serving.supplier_leaderboard AS s
              ON s.sku = r.sku AND s.supplier_id = r.supplier_id
            WHERE r.id = ?::uuid AND r.state = 'requested'""";

    private static final String INSTRUCTIONS =
            """
            Write a short, polite request for a quotation from a vertical farm to a supplier of seed.
            Name the seed, the grams, the day by which it is needed and the price of the supplier's
            current quote. Promise nothing and ask for nothing else.""";

    /** What is sent, as people may edit it. */
    record Draft(String subject, String body) {}

    @Override
    public Object run(AgentRun run) throws SQLException {
        var id = run.input().at("/key/id").asText();
        var rows = run.query("request", REQUEST, id);
        if (rows.isEmpty()) {
            return Map.of("rfq", id, "state", "no longer requested");
        }
        var request = rows.getFirst();
        var prompt = Prompt.of(INSTRUCTIONS).with("request", request.values());
        var draft = Worded.of(run, "wording", prompt, Draft.class, template(request));
        run.write(
                "draft",
                "draft-" + id,
                connection -> {
                    Sql.write(
                            connection,
                            """
                            INSERT INTO procurement.email_outbox
                              (rfq_id, supplier_id, subject, body, cost, currency, drafted_by, model)
                            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                            UUID.fromString(id),
                            request.text("supplier_id"),
                            draft.value().subject(),
                            draft.value().body(),
                            request.decimal("expected_cost"),
                            request.text("currency"),
                            draft.draftedBy(),
                            draft.model());
                    return state(connection, id, "drafted");
                });
        var decision = run.approve("approval", approval(request, draft.value()));
        run.write("decision", "decision-" + id, connection -> decided(connection, id, decision));
        return Map.of("rfq", id, "decision", decision.outcome());
    }

    private static Draft template(Row request) {
        return new Draft(
                "Request for quotation: %s".formatted(request.text("name")),
                """
                Dear %s,

                we need %d g of %s seed by %s. Your current quote is %s %s per kg.
                Please confirm price, quantity and the day of delivery.

                Kind regards,
                Procurement"""
                        .formatted(
                                request.text("supplier_name"),
                                request.number("grams"),
                                request.text("name"),
                                request.text("needed_by"),
                                request.text("quoted_price_per_kg"),
                                request.text("currency")));
    }

    private static Approval approval(Row request, Draft draft) {
        return Approval.of(
                "send_rfq",
                Map.of("subject", draft.subject(), "body", draft.body()),
                "**%d g of %s** from %s for about **%s %s**, needed by %s: %s"
                        .formatted(
                                request.number("grams"),
                                request.text("name"),
                                request.text("supplier_name"),
                                request.text("expected_cost"),
                                request.text("currency"),
                                request.text("needed_by"),
                                request.text("reason")));
    }

    private static Object decided(Connection connection, String id, Decision decision)
            throws SQLException {
        if (!decision.isAccepted()) {
            Sql.write(
                    connection,
                    "UPDATE procurement.email_outbox SET state = 'dismissed', decided_by = ?,"
                            + " decided_at = now() WHERE rfq_id = ?::uuid",
                    decision.decidedBy(),
                    id);
            return state(connection, id, "dismissed");
        }
        Sql.write(
                connection,
                """
                UPDATE procurement.email_outbox
                SET subject = ?, body = ?, state = 'approved', decided_by = ?,
                  decided_at = now()
                WHERE rfq_id = ?::uuid""",
                decision.args().path("subject").asText(),
                decision.args().path("body").asText(),
                decision.decidedBy(),
                id);
        return "approved";
    }

    private static String state(Connection connection, String id, String state)
            throws SQLException {
        Sql.write(connection, "UPDATE procurement.rfq SET state = ? WHERE id = ?::uuid", state, id);
        return state;
    }
}
