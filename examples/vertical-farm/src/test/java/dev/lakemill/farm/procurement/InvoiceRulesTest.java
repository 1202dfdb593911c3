package dev.lakemill.farm.procurement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.farm.procurement.Variance.Rule;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The rules find what suppliers did wrong on purpose, all of it and nothing else. */
final class InvoiceRulesTest {
    private static final int ORDERS = 3_000;
    private final SplittableRandom random = new SplittableRandom(7);

    @Test
    void everyFlawIsFoundAndNothingElse() {
        var truth = new HashMap<String, Rule>();
        var found = new HashMap<String, List<Rule>>();
        for (int i = 0; i < ORDERS; i++) {
            var order = order(i);
            var sent = Billing.fulfil(order, i);
            truth.putAll(sent.truth());
            reconcile(order, sent, found);
        }
        assertThat(EnumSet.copyOf(truth.values())).hasSize(7);
        assertThat(found).hasSizeGreaterThan(ORDERS);
        found.forEach(
                (invoice, rules) ->
                        assertThat(rules)
                                .as(invoice)
                                .isEqualTo(
                                        truth.containsKey(invoice)
                                                ? List.of(truth.get(invoice))
                                                : List.of()));
    }

    private static void reconcile(Order order, Billing.Sent sent, Map<String, List<Rule>> found) {
        var came = new HashMap<Integer, Long>();
        sent.receipts().forEach(r -> came.merge(r.line(), r.grams(), Long::sum));
        var known = withReceived(order, came);
        String earlier = null;
        for (var invoice : sent.invoices()) {
            var of = invoice.orderNumber().equals(order.number()) ? known : null;
            found.put(
                    invoice.id(),
                    InvoiceRules.check(invoice, of, earlier).stream().map(Variance::rule).toList());
            earlier = invoice.id();
        }
    }

    private static Order withReceived(Order order, Map<Integer, Long> came) {
        return new Order(
                order.number(),
                order.supplierId(),
                order.currency(),
                order.taxPercent(),
                order.lines().stream()
                        .map(
                                l ->
                                        new Order.Line(
                                                l.line(),
                                                l.sku(),
                                                l.grams(),
                                                l.pricePerKg(),
                                                came.getOrDefault(l.line(), 0L)))
                        .toList());
    }

    private Order order(int number) {
        var lines = new ArrayList<Order.Line>();
        var count = 1 + random.nextInt(3);
        for (int i = 1; i <= count; i++) {
            lines.add(
                    new Order.Line(
                            i,
                            "sku-" + i,
                            1 + random.nextLong(200_000),
                            BigDecimal.valueOf(1 + random.nextLong(5_000_000), 4),
                            0));
        }
        return new Order("PO-" + number, "s", "EUR", BigDecimal.valueOf(21), lines);
    }

    @Test
    void aVarianceTellsWhatShouldNotBePaid() {
        var line = new Order.Line(1, "pea", 10_000, new BigDecimal("5.0000"), 8_000);
        var order = new Order("PO-1", "s", "EUR", BigDecimal.valueOf(21), List.of(line));
        var asked = new Invoice.Line(1, "pea", 10_000, new BigDecimal("5.5000"));
        var invoice =
                new Invoice(
                        "i",
                        "s",
                        "R-1",
                        "PO-1",
                        "EUR",
                        new BigDecimal("56.00"),
                        new BigDecimal("11.76"),
                        List.of(asked));
        assertThat(InvoiceRules.check(invoice, order, null))
                .containsExactly(
                        new Variance(
                                Rule.PARTIAL_DELIVERY,
                                1,
                                "8000 g",
                                "10000 g",
                                new BigDecimal("10.00")),
                        new Variance(Rule.PRICE, 1, "5.0000", "5.5000", new BigDecimal("5.00")),
                        new Variance(Rule.SUM, 0, "55.00", "56.00", new BigDecimal("1.00")));
        assertThat(InvoiceRules.check(invoice, null, null))
                .singleElement()
                .returns(new BigDecimal("67.76"), Variance::amount)
                .returns(Rule.UNKNOWN_ORDER, Variance::rule);
    }
}
