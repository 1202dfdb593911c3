package dev.lakemill.farm;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** What suppliers ask: each price walks round its supplier's own level and comes back to it. */
final class Quotes implements RowModel {
    private static final int LEAD_STEP_HOURS = 6;
    private static final int VALID_MINUTES_MIN = 45;
    private static final int VALID_MINUTES_MAX = 110;

    /** Weights that seed is sold by, in grams. */
    private static final long[] PACKS = {
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000
    };

    /** A supplier's price and delivery of a SKU; how busy it is, all its offers share. */
    private record Offer(
            Supplier supplier, Sku sku, double euroPerKg, MeanReverting walk, MeanReverting busy) {}

    private final RandomGenerator random;
    private final Rounds<Offer> offers;

    Quotes(RandomGenerator random) {
        this.random = random;
        this.offers = new Rounds<>(allOffers(random), random);
    }

    @Override
    public FarmRow next(long atMicros) {
        var offer = offers.next();
        return FarmRow.of(
                FarmTable.SUPPLIER_QUOTES,
                offer.supplier.id(),
                offer.sku.id(),
                price(offer.euroPerKg * offer.walk.factor(atMicros)),
                "EUR",
                minOrderGrams(offer.supplier, offer.sku),
                leadHours(offer, atMicros),
                atMicros + validMicros(),
                atMicros);
    }

    /** The smallest pack that holds the supplier's minimum order. */
    static long minOrderGrams(Supplier supplier, Sku sku) {
        var grams = supplier.minOrderDays() * sku.gramsPerDay();
        for (var pack : PACKS) {
            if (pack >= grams) {
                return pack;
            }
        }
        return PACKS[PACKS.length - 1];
    }

    private static int leadHours(Offer offer, long atMicros) {
        var hour = atMicros - Math.floorMod(atMicros, MICROS_PER_HOUR);
        var hours = offer.supplier.leadHours() * Math.max(1, offer.busy.factor(hour));
        return (int) Math.round(hours / LEAD_STEP_HOURS) * LEAD_STEP_HOURS;
    }

    private long validMicros() {
        return random.nextInt(VALID_MINUTES_MIN, VALID_MINUTES_MAX + 1) * 60L * MICROS_PER_SECOND;
    }

    private static BigDecimal price(double euro) {
        return BigDecimal.valueOf(euro).setScale(4, RoundingMode.HALF_UP);
    }

    private static List<Offer> allOffers(RandomGenerator random) {
        var all = new ArrayList<Offer>();
        for (var supplier : FarmCatalog.SUPPLIERS) {
            var busy = new MeanReverting(random, 12, 0.07);
            for (var sku : FarmCatalog.SKUS) {
                if (supplier.sells(sku)) {
                    var own = 1 + 0.04 * random.nextGaussian();
                    var level = sku.euroPerKg() * supplier.level() * own;
                    var walk = new MeanReverting(random, 2, 0.05);
                    all.add(new Offer(supplier, sku, level, walk, busy));
                }
            }
        }
        return all;
    }
}
