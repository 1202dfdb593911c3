package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.api.agent.Row;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Holds each invoice against its order by {@link InvoiceRules}. What is right is owed from then on;
 * what is not waits for people, with an explanation that a model may word.
 */
public final class Reconciler implements Agent {
    private static final String INVOICE =
            """
            SELECT i.supplier_id, i.number, i.po_number, i.currency, i.net, i.tax,
              l.line, l.sku, l.grams, l.price_per_kg,
              (SELECT e.id FROM procurement.invoice AS e
               WHERE e.supplier_id = i.supplier_id AND e.number = i.number
                 AND (e.received_at, e.id) < (i.received_at, i.id)
               ORDER BY e.received_at, e.id LIMIT 1) AS earlier
            FROM procurement.invoice AS i
            JOIN procurement.invoice_line AS l ON l.invoice_id = i.id
            WHERE i.id = ? AND i.state = 'received' ORDER BY l.line""";

    private static final String ORDER =
            """
            SELECT o.currency, o.tax_percent, l.line, l.sku, l.grams, l.price_per_kg,
              p.month::text AS month,
              (SELECT coalesce(sum(g.grams), 0)::bigint FROM procurement.goods_receipt AS g
               WHERE g.po_number = o.number AND g.line = l.line) AS received
            FROM procurement.purchase_order AS o
            JOIN procurement.po_line AS l ON l.po_number = o.number
            JOIN procurement.ledger_posting AS p ON p.key = 'rfq-' || o.rfq_id
            WHERE o.number = ? AND o.supplier_id = ? ORDER BY l.line""";

    private static final String INSTRUCTIONS =
            """
            Explain in one or two plain sentences, to somebody who decides about paying, what is wrong
            with this invoice. Use only the figures given.""";

    /** What a model writes. */
    record Explanation(String text) {}

    private record Explained(Variance variance, Worded<Explanation> by) {}

    @Override
    public Object run(AgentRun run) throws SQLException {
        var id = run.input().at("/key/id").asText();
        var lines = run.query("invoice", INVOICE, id);
        if (lines.isEmpty()) {
            return Map.of("invoice", id, "state", "reconciled before");
        }
        var invoice = invoice(id, lines);
        var ordered = run.query("order", ORDER, invoice.orderNumber(), invoice.supplierId());
        var earlier = lines.getFirst().get("earlier");
        var variances =
                InvoiceRules.check(
                        invoice,
                        order(invoice, ordered),
                        earlier.isNull() ? null : earlier.asText());
        var explained = new ArrayList<Explained>();
        for (var variance : variances) {
            explained.add(new Explained(variance, explain(run, invoice, variance)));
        }
        run.write(
                "reconcile",
                "reconcile-" + id,
                connection ->
                        explained.isEmpty()
                                ? owe(connection, invoice, ordered.getFirst().text("month"))
                                : file(connection, invoice, explained));
        return Map.of("invoice", id, "variances", variances);
    }

    private static Invoice invoice(String id, List<Row> rows) {
        var first = rows.getFirst();
        return new Invoice(
                id,
                first.text("supplier_id"),
                first.text("number"),
                first.text("po_number"),
                first.text("currency"),
                first.decimal("net"),
                first.decimal("tax"),
                rows.stream()
                        .map(
                                r ->
                                        new Invoice.Line(
                                                (int) r.number("line"),
                                                r.text("sku"),
                                                r.number("grams"),
                                                r.decimal("price_per_kg")))
                        .toList());
    }

    private static @Nullable Order order(Invoice invoice, List<Row> rows) {
        if (rows.isEmpty()) {
            return null;
        }
        var first = rows.getFirst();
        return new Order(
                invoice.orderNumber(),
                invoice.supplierId(),
                first.text("currency"),
                first.decimal("tax_percent"),
                rows.stream()
                        .map(
                                r ->
                                        new Order.Line(
                                                (int) r.number("line"),
                                                r.text("sku"),
                                                r.number("grams"),
                                                r.decimal("price_per_kg"),
                                                r.number("received")))
                        .toList());
    }

    private static Worded<Explanation> explain(AgentRun run, Invoice invoice, Variance variance)
            throws SQLException {
        var prompt =
                Prompt.of(INSTRUCTIONS)
                        .with("invoice", invoice)
                        .with("rule", variance.rule().sqlName())
                        .with("expected", variance.expected())
                        .with("found", variance.found())
                        .with("amount", variance.amount());
        var template =
                "Expected %s, but the invoice says %s; that is %s %s."
                        .formatted(
                                variance.expected(),
                                variance.found(),
                                variance.amount().toPlainString(),
                                invoice.currency());
        var name = "explain %s %d".formatted(variance.rule().sqlName(), variance.line());
        return Worded.of(run, name, prompt, Explanation.class, new Explanation(template));
    }

    private static String owe(Connection connection, Invoice invoice, String month)
            throws SQLException {
        if (invoice.net().compareTo(BigDecimal.ZERO) > 0) {
            new Ledger(connection)
                    .post(
                            "invoice-" + invoice.id(),
                            LocalDate.parse(month),
                            invoice.net(),
                            Ledger.Account.PAYABLES,
                            Ledger.Account.COMMITMENTS,
                            "invoice %s of %s".formatted(invoice.number(), invoice.supplierId()));
        }
        return state(connection, invoice, "matched");
    }

    private static String file(Connection connection, Invoice invoice, List<Explained> variances)
            throws SQLException {
        for (var explained : variances) {
            var variance = explained.variance();
            Sql.write(
                    connection,
                    """
                    INSERT INTO procurement.variance_review
                      (invoice_id, rule, line, expected, found, amount, explanation, drafted_by)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                    invoice.id(),
                    variance.rule().sqlName(),
                    variance.line(),
                    variance.expected(),
                    variance.found(),
                    variance.amount(),
                    explained.by().value().text(),
                    explained.by().draftedBy());
        }
        return state(connection, invoice, "varies");
    }

    private static String state(Connection connection, Invoice invoice, String state)
            throws SQLException {
        Sql.write(
                connection,
                "UPDATE procurement.invoice SET state = ? WHERE id = ?",
                state,
                invoice.id());
        return state;
    }
}
