package dev.lakemill.farm.procurement;

import dev.lakemill.api.agent.Row;
import dev.lakemill.farm.procurement.Variance.Rule;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Locale;
import java.util.Optional;

/**
 * Books a bill that is not as ordered, once people have decided: the part of it that is right is
 * owed, as of any bill; what is off is owed only where it was accepted. That is in the order's
 * commitment when it has only not come yet, and is taken from the budget otherwise.
 */
final class Settlement {
    static final String DECIDED =
            """
            SELECT v.state, v.rule, v.line, v.amount, v.decided_at::text AS decided_at, i.id,
              i.number, i.supplier_id, i.net,
              coalesce(i.currency = b.currency, false) AS is_in_currency,
              coalesce(p.month, date_trunc('month', now())::date)::text AS month,
              (SELECT coalesce(sum(w.amount), 0) FROM procurement.variance_review AS w
               WHERE w.invoice_id = i.id AND w.rule <> 'tax') AS off
            FROM procurement.variance_review AS v
            JOIN procurement.invoice AS i ON i.id = v.invoice_id
            LEFT JOIN procurement.purchase_order AS o
              ON o.number = i.po_number AND o.supplier_id = i.supplier_id
            LEFT JOIN procurement.ledger_posting AS p ON p.key = 'rfq-' || o.rfq_id
            LEFT JOIN procurement.budget AS b
              ON b.month = coalesce(p.month, date_trunc('month', now())::date)
            WHERE v.invoice_id = ? AND v.rule = ? AND v.line = ?
              AND v.state IN ('accepted', 'closed')""";

    private final Row decided;
    private final Rule rule;
    private final LocalDate month;

    /**
     * @param decided a row of {@link #DECIDED}
     */
    Settlement(Row decided) {
        this.decided = decided;
        this.rule = Rule.valueOf(decided.text("rule").toUpperCase(Locale.ROOT));
        this.month = LocalDate.parse(decided.text("month"));
    }

    /** Books it, once; what the budget does not have goes back to people. */
    String book(Connection connection) throws SQLException {
        var ledger = new Ledger(connection);
        if (!isWhole()) {
            owe(ledger, "invoice-" + decided.text("id"), right(), "bill");
        }
        if (!decided.text("state").equals("accepted")) {
            return "closed";
        }
        var refusal = accept(ledger);
        if (refusal.isPresent()) {
            Sql.write(
                    connection,
                    """
                    UPDATE procurement.variance_review
                    SET state = 'disputed', decided_by = 'agent budget', decided_at = now(),
                      note = ?
                    WHERE invoice_id = ? AND rule = ? AND line = ?""",
                    refusal.get(),
                    decided.text("id"),
                    decided.text("rule"),
                    (int) decided.number("line"));
            return "blocked";
        }
        return "booked";
    }

    private Optional<String> accept(Ledger ledger) throws SQLException {
        var key =
                "variance-"
                        + decided.text("id")
                        + "/"
                        + decided.text("rule")
                        + "/"
                        + decided.number("line");
        if (!decided.get("is_in_currency").asBoolean()) {
            return Optional.of("the books have one currency: ask for a bill in it");
        }
        var amount = isWhole() ? decided.decimal("net") : decided.decimal("amount");
        if (amount.signum() == 0) {
            return Optional.empty();
        }
        if (rule == Rule.PARTIAL_DELIVERY) {
            owe(ledger, key, amount, "accepted, though it has not come, of bill");
            return Optional.empty();
        }
        return ledger.pay(key, month, amount, memo("accepted of bill"));
    }

    private void owe(Ledger ledger, String key, BigDecimal amount, String what)
            throws SQLException {
        if (amount.signum() > 0) {
            ledger.postOnce(
                    key,
                    month,
                    amount,
                    Ledger.Account.PAYABLES,
                    Ledger.Account.COMMITMENTS,
                    memo(what));
        }
    }

    /** Whether nothing of the bill is owed by itself. */
    private boolean isWhole() {
        return switch (rule) {
            case DUPLICATE, UNKNOWN_ORDER, CURRENCY -> true;
            case QUANTITY, PARTIAL_DELIVERY, PRICE, TAX, SUM -> false;
        };
    }

    private BigDecimal right() {
        return decided.decimal("net").subtract(decided.decimal("off"));
    }

    private String memo(String what) {
        return "%s %s of %s (%s)"
                .formatted(
                        what,
                        decided.text("number"),
                        decided.text("supplier_id"),
                        decided.text("rule"));
    }
}
