package dev.lakemill.farm.procurement;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;

/**
 * A purchase order, and what has come of it.
 *
 * @param taxPercent of the net amount
 */
record Order(
        String number,
        String supplierId,
        String currency,
        BigDecimal taxPercent,
        List<Line> lines) {
    private static final BigDecimal GRAMS_PER_KG = BigDecimal.valueOf(1_000);
    private static final BigDecimal PERCENT = BigDecimal.valueOf(100);

    Order {
        lines = List.copyOf(lines);
    }

    /**
     * One kind of seed.
     *
     * @param received grams that have come
     */
    record Line(int line, String sku, long grams, BigDecimal pricePerKg, long received) {}

    /** What so much costs, to the cent. */
    static BigDecimal cost(long grams, BigDecimal pricePerKg) {
        return pricePerKg
                .multiply(BigDecimal.valueOf(grams))
                .divide(GRAMS_PER_KG, 2, RoundingMode.HALF_UP);
    }

    /** The tax on a net amount, to the cent. */
    static BigDecimal tax(BigDecimal net, BigDecimal percent) {
        return net.multiply(percent).divide(PERCENT, 2, RoundingMode.HALF_UP);
    }
}
