package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.Approval;
import dev.lakemill.api.agent.Row;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Map;
import java.util.Optional;

/**
 * Takes up what suppliers answer: an acceptance becomes an order, a counter-offer one that people
 * accept first, and a refusal gives back what was reserved. The books follow the price.
 */
public final class Buyer implements Agent {
    private static final BigDecimal TAX_PERCENT = BigDecimal.valueOf(21);

    /** A reply proves that the e-mail went out, also before the dispatcher has noted that. */
    private static final String REPLY =
            """
            SELECT a.kind, a.rfq_id::text AS rfq_id, a.supplier_id, a.text,
              coalesce(a.price_per_kg, r.quoted_price_per_kg) AS price_per_kg,
              coalesce(a.grams, r.grams) AS grams, r.sku, r.currency, r.expected_cost,
              p.month::text AS month
            FROM procurement.supplier_reply AS a
            JOIN procurement.rfq AS r ON r.id = a.rfq_id AND r.supplier_id = a.supplier_id
            JOIN procurement.ledger_posting AS p ON p.key = 'rfq-' || r.id
            WHERE a.id = ? AND r.state IN ('drafted', 'sent')
              AND coalesce(a.grams, r.grams) > 0""";

    @Override
    public Object run(AgentRun run) throws SQLException {
        var id = run.input().at("/key/id").asText();
        var rows = run.query("reply", REPLY, id);
        if (rows.isEmpty()) {
            return Map.of("reply", id, "state", "of no request that waits for one");
        }
        var reply = rows.getFirst();
        var isTaken =
                switch (reply.text("kind")) {
                    case "accept" -> true;
                    case "counter" -> run.approve("counter", approval(reply)).isAccepted();
                    default -> false;
                };
        var rfq = reply.text("rfq_id");
        var state =
                run.write(
                        "outcome",
                        "outcome-" + rfq,
                        connection ->
                                isTaken ? order(connection, reply) : decline(connection, reply));
        return Map.of("rfq", rfq, "state", state.asText());
    }

    private static Approval approval(Row reply) {
        return Approval.of(
                "accept_counter_offer",
                Map.of("price_per_kg", reply.text("price_per_kg")),
                "%s asks **%s %s per kg** for %d g of %s"
                        .formatted(
                                reply.text("supplier_id"),
                                reply.text("price_per_kg"),
                                reply.text("currency"),
                                reply.number("grams"),
                                reply.text("sku")));
    }

    private static String order(Connection connection, Row reply) throws SQLException {
        var total = Order.cost(reply.number("grams"), reply.decimal("price_per_kg"));
        var change = total.subtract(reply.decimal("expected_cost"));
        if (change.signum() != 0) {
            var refusal = commit(connection, reply, change, "price of the order");
            if (refusal.isPresent()) {
                return decline(connection, reply);
            }
        }
        var sql =
                """
                INSERT INTO procurement.purchase_order
                  (rfq_id, supplier_id, currency, tax_percent, total)
                VALUES (?::uuid, ?, ?, ?, ?) RETURNING number""";
        String number;
        try (var insert = connection.prepareStatement(sql)) {
            insert.setString(1, reply.text("rfq_id"));
            insert.setString(2, reply.text("supplier_id"));
            insert.setString(3, reply.text("currency"));
            insert.setBigDecimal(4, TAX_PERCENT);
            insert.setBigDecimal(5, total);
            try (var rows = insert.executeQuery()) {
                rows.next();
                number = rows.getString(1);
            }
        }
        Sql.write(
                connection,
                "INSERT INTO procurement.po_line (po_number, line, sku, grams, price_per_kg)"
                        + " VALUES (?, 1, ?, ?, ?)",
                number,
                reply.text("sku"),
                reply.number("grams"),
                reply.decimal("price_per_kg"));
        return state(connection, reply, "ordered");
    }

    private static String decline(Connection connection, Row reply) throws SQLException {
        var back = reply.decimal("expected_cost").negate();
        var refusal = commit(connection, reply, back, "given back");
        if (refusal.isPresent()) {
            throw new IllegalStateException(refusal.get());
        }
        return state(connection, reply, "declined");
    }

    private static Optional<String> commit(
            Connection connection, Row reply, BigDecimal amount, String memo) throws SQLException {
        return new Ledger(connection)
                .commit(
                        "outcome-" + reply.text("rfq_id"),
                        LocalDate.parse(reply.text("month")),
                        amount,
                        memo);
    }

    private static String state(Connection connection, Row reply, String state)
            throws SQLException {
        Sql.write(
                connection,
                "UPDATE procurement.rfq SET state = ? WHERE id = ?::uuid",
                state,
                reply.text("rfq_id"));
        return state;
    }
}
