package dev.lakemill.farm.procurement;

import java.math.BigDecimal;
import java.util.List;

/**
 * What a supplier asks money for.
 *
 * @param number the supplier's own
 * @param net without tax
 */
record Invoice(
        String id,
        String supplierId,
        String number,
        String orderNumber,
        String currency,
        BigDecimal net,
        BigDecimal tax,
        List<Line> lines) {

    Invoice {
        lines = List.copyOf(lines);
    }

    /** One kind of seed. */
    record Line(int line, String sku, long grams, BigDecimal pricePerKg) {}
}
