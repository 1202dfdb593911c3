package dev.lakemill.farm.procurement;

import dev.lakemill.farm.procurement.Variance.Rule;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What simulated suppliers send after an order: goods and invoices, a known share of which is wrong
 * on purpose, each in one way.
 */
final class Billing {
    /** One order in so many is billed wrong. */
    private static final int WRONG_ONE_IN = 3;

    private static final List<Rule> FLAWS =
            List.of(
                    Rule.DUPLICATE,
                    Rule.UNKNOWN_ORDER,
                    Rule.CURRENCY,
                    Rule.QUANTITY,
                    Rule.PARTIAL_DELIVERY,
                    Rule.PRICE,
                    Rule.TAX);

    private Billing() {}

    /** Goods that come for a line of the order. */
    record Receipt(String id, String orderNumber, int line, long grams) {}

    /**
     * What one order brings.
     *
     * @param truth by invoice id, what is wrong with it; invoices that are right are not in it
     */
    record Sent(List<Receipt> receipts, List<Invoice> invoices, Map<String, Rule> truth) {}

    /**
     * What will be wrong with the order's invoice, known from its number alone; null for nothing.
     */
    static @Nullable Rule flawOf(long serial) {
        return serial % WRONG_ONE_IN == 0
                ? FLAWS.get((int) (serial / WRONG_ONE_IN % FLAWS.size()))
                : null;
    }

    /** Delivers an order and asks for its money; the same each time. */
    static Sent fulfil(Order order, long serial) {
        return fulfil(order, flawOf(serial), new SplittableRandom(serial));
    }

    private static Sent fulfil(Order order, @Nullable Rule flaw, RandomGenerator random) {
        var receipts = new ArrayList<Receipt>();
        for (var line : order.lines()) {
            var isShort = flaw == Rule.PARTIAL_DELIVERY && line.equals(order.lines().getFirst());
            var comes = isShort ? line.grams() * random.nextInt(50, 95) / 100 : line.grams();
            if (comes > 0) {
                receipts.add(
                        new Receipt(
                                order.number() + "/" + line.line(),
                                order.number(),
                                line.line(),
                                comes));
            }
        }
        var right = invoice(order, order.number() + "-1");
        var truth = new LinkedHashMap<String, Rule>();
        if (flaw == null) {
            return new Sent(receipts, List.of(right), truth);
        }
        if (flaw == Rule.DUPLICATE) {
            var again = copy(right, order.number() + "-2");
            truth.put(again.id(), flaw);
            return new Sent(receipts, List.of(right, again), truth);
        }
        truth.put(right.id(), flaw);
        return new Sent(receipts, List.of(wrong(right, order, flaw, random)), truth);
    }

    private static Invoice invoice(Order order, String id) {
        var lines =
                order.lines().stream()
                        .map(l -> new Invoice.Line(l.line(), l.sku(), l.grams(), l.pricePerKg()))
                        .toList();
        return priced(id, order, order.number(), order.currency(), lines);
    }

    private static Invoice priced(
            String id, Order order, String number, String currency, List<Invoice.Line> lines) {
        var net =
                lines.stream()
                        .map(l -> Order.cost(l.grams(), l.pricePerKg()))
                        .reduce(BigDecimal.ZERO, BigDecimal::add);
        return new Invoice(
                id,
                order.supplierId(),
                "R-" + order.number(),
                number,
                currency,
                net,
                Order.tax(net, order.taxPercent()),
                lines);
    }

    private static Invoice copy(Invoice of, String id) {
        return new Invoice(
                id,
                of.supplierId(),
                of.number(),
                of.orderNumber(),
                of.currency(),
                of.net(),
                of.tax(),
                of.lines());
    }

    private static Invoice wrong(Invoice right, Order order, Rule flaw, RandomGenerator random) {
        var lines = right.lines();
        var first = lines.getFirst();
        var id = right.id();
        return switch (flaw) {
            case UNKNOWN_ORDER -> {
                var none = "PO-" + (900_000 + random.nextInt(100_000));
                yield priced(id, order, none, order.currency(), lines);
            }
            case CURRENCY -> priced(id, order, order.number(), "USD", lines);
            case QUANTITY ->
                    withFirst(
                            right,
                            order,
                            new Invoice.Line(
                                    first.line(),
                                    first.sku(),
                                    first.grams() + 1 + first.grams() / 10,
                                    first.pricePerKg()));
            case PRICE ->
                    withFirst(
                            right,
                            order,
                            new Invoice.Line(
                                    first.line(),
                                    first.sku(),
                                    first.grams(),
                                    first.pricePerKg()
                                            .add(first.pricePerKg().movePointLeft(1))
                                            .setScale(4, RoundingMode.UP)));
            case TAX ->
                    new Invoice(
                            id,
                            right.supplierId(),
                            right.number(),
                            right.orderNumber(),
                            right.currency(),
                            right.net(),
                            right.tax()
                                    .add(right.net().movePointLeft(1))
                                    .setScale(2, RoundingMode.UP),
                            lines);
            case PARTIAL_DELIVERY, DUPLICATE, SUM -> right;
        };
    }

    private static Invoice withFirst(Invoice of, Order order, Invoice.Line first) {
        var lines = new ArrayList<>(of.lines());
        lines.set(0, first);
        return priced(of.id(), order, of.orderNumber(), of.currency(), lines);
    }
}
