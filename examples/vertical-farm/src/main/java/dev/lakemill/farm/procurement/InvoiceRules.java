package dev.lakemill.farm.procurement;

import dev.lakemill.farm.procurement.Variance.Rule;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Holds an invoice against its order. The rules alone say what is wrong; a model may word it, and
 * nothing more.
 */
final class InvoiceRules {
    private InvoiceRules() {}

    /**
     * Everything that is wrong; an invoice that was asked for before, that is of no order or that
     * is in another currency is not looked at further.
     *
     * @param order of the invoice's order number and supplier; null when there is none
     * @param earlier an earlier invoice of the supplier with the same number or, for the same
     *     order, the same lines; null when there is none
     */
    static List<Variance> check(Invoice invoice, @Nullable Order order, @Nullable String earlier) {
        var total = invoice.net().add(invoice.tax());
        if (earlier != null) {
            return List.of(
                    whole(Rule.DUPLICATE, "asked for once", "again after " + earlier, total));
        }
        if (order == null) {
            return List.of(
                    whole(
                            Rule.UNKNOWN_ORDER,
                            "an order of the farm's",
                            invoice.orderNumber(),
                            total));
        }
        if (!invoice.currency().equals(order.currency())) {
            return List.of(whole(Rule.CURRENCY, order.currency(), invoice.currency(), total));
        }
        var found = new ArrayList<Variance>();
        var net = BigDecimal.ZERO;
        for (var line : invoice.lines()) {
            net = net.add(Order.cost(line.grams(), line.pricePerKg()));
            found.addAll(check(line, ordered(order, line)));
        }
        if (net.compareTo(invoice.net()) != 0) {
            found.add(
                    whole(
                            Rule.SUM,
                            net.toPlainString(),
                            invoice.net().toPlainString(),
                            invoice.net().subtract(net)));
        }
        var tax = Order.tax(invoice.net(), order.taxPercent());
        if (tax.compareTo(invoice.tax()) != 0) {
            found.add(
                    whole(
                            Rule.TAX,
                            tax.toPlainString(),
                            invoice.tax().toPlainString(),
                            invoice.tax().subtract(tax)));
        }
        return found;
    }

    private static Optional<Order.Line> ordered(Order order, Invoice.Line line) {
        return order.lines().stream().filter(l -> Objects.equals(l.sku(), line.sku())).findFirst();
    }

    private static List<Variance> check(Invoice.Line line, Optional<Order.Line> of) {
        var asked = Order.cost(line.grams(), line.pricePerKg());
        if (of.isEmpty()) {
            return List.of(
                    new Variance(Rule.QUANTITY, line.line(), "0 g", grams(line.grams()), asked));
        }
        var order = of.get();
        var found = new ArrayList<Variance>();
        if (line.grams() != order.grams()) {
            found.add(
                    new Variance(
                            Rule.QUANTITY,
                            line.line(),
                            grams(order.grams()),
                            grams(line.grams()),
                            Order.cost(line.grams() - order.grams(), order.pricePerKg())));
        } else if (order.received() < line.grams()) {
            found.add(
                    new Variance(
                            Rule.PARTIAL_DELIVERY,
                            line.line(),
                            grams(order.received()),
                            grams(line.grams()),
                            Order.cost(line.grams() - order.received(), order.pricePerKg())));
        }
        if (line.pricePerKg().compareTo(order.pricePerKg()) != 0) {
            found.add(
                    new Variance(
                            Rule.PRICE,
                            line.line(),
                            order.pricePerKg().toPlainString(),
                            line.pricePerKg().toPlainString(),
                            asked.subtract(Order.cost(line.grams(), order.pricePerKg()))));
        }
        return found;
    }

    private static Variance whole(Rule rule, String expected, String found, BigDecimal amount) {
        return new Variance(rule, 0, expected, found, amount);
    }

    private static String grams(long grams) {
        return grams + " g";
    }
}
