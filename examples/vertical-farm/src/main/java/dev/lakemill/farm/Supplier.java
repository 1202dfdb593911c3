package dev.lakemill.farm;

import java.util.Set;

/**
 * A seller of seed.
 *
 * @param families which it sells every SKU of
 * @param level its prices against the usual ones; 1 is usual
 * @param reliability share of its deliveries that come on time and in full, 0 to 1
 * @param leadHours from order to delivery
 * @param minOrderDays its smallest order, in days of the farm's use
 */
record Supplier(
        String id,
        String name,
        String country,
        Set<Sku.Family> families,
        double level,
        double reliability,
        int leadHours,
        double minOrderDays,
        int paymentTermsDays) {

    String email() {
        return "orders@" + id + ".example";
    }

    boolean sells(Sku sku) {
        return families.contains(sku.family());
    }
}
