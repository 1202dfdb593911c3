package dev.lakemill.farm.procurement;

import java.math.BigDecimal;
import java.util.Locale;

/**
 * What is wrong with an invoice.
 *
 * @param line of the invoice; 0 for the whole
 * @param amount that should not be paid, in the invoice's currency; with tax where the whole is
 *     meant
 */
record Variance(Rule rule, int line, String expected, String found, BigDecimal amount) {

    /** Why. */
    enum Rule {
        /** The supplier has asked for this before. */
        DUPLICATE,
        /** The farm has no such order with this supplier. */
        UNKNOWN_ORDER,
        /** Not the order's currency. */
        CURRENCY,
        /** Not the grams that were ordered. */
        QUANTITY,
        /** All that was ordered, but less has come. */
        PARTIAL_DELIVERY,
        /** Not the price that was agreed. */
        PRICE,
        /** Not the tax on the net amount. */
        TAX,
        /** The net amount is not what its lines come to. */
        SUM;

        String sqlName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
