package dev.lakemill.farm;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.random.RandomGenerator;

/**
 * The seed in the bins, one bin per SKU and site.
 *
 * <p>What is to be sown piles up with the day's curve. When a run's worth has come together the bin
 * is sown empty of it rack by rack, which makes the bursts of the shifts; a little is wasted. When
 * a bin is down to what its buyers keep, a delivery of about a day's use comes in, bag by bag. So
 * the stock stays in a band round the SKU's {@link Sku#coverDays}. All other rows are counts: the
 * scale under a bin says what lies in it, give or take its noise. A run of rows begins with a count
 * of every bin, so whoever reads needs no other opening balance.
 */
final class Stock implements RowModel {
    private static final int TRAYS_PER_RACK = 6;
    private static final long RACK_MICROS = 4 * MICROS_PER_SECOND;
    private static final double RUN_DAYS = 1 / 9.0;
    private static final double SCALE_NOISE = 0.0004;
    private static final double WASTE_SHARE = 0.03;
    private static final int BAGS_PER_DELIVERY = 4;
    private static final DateTimeFormatter LOT_DAY =
            DateTimeFormatter.ofPattern("yyMMdd").withZone(ZoneOffset.UTC);

    private static final class Bin {
        final Sku sku;
        final Site site;
        double grams;
        double toSowGrams;
        double runGrams;
        boolean running;
        long nextRackMicros;
        String lot;

        Bin(Sku sku, Site site, double coverDays) {
            this.sku = sku;
            this.site = site;
            this.grams = gramsPerDay() * coverDays;
            this.lot = "opening";
        }

        double gramsPerDay() {
            return sku.gramsPerDay() * site.share();
        }
    }

    private record Movement(Bin bin, String kind, long grams, String lot) {}

    private final RandomGenerator random;
    private final List<Bin> bins = new ArrayList<>();
    private final Rounds<Bin> counts;
    private final Queue<Movement> waiting = new ArrayDeque<>();
    private int counted;
    private int lots;
    private long atMicros = Long.MIN_VALUE;

    Stock(RandomGenerator random) {
        this.random = random;
        for (var sku : FarmCatalog.SKUS) {
            for (var site : FarmCatalog.SITES) {
                var bin = new Bin(sku, site, sku.coverDays() * random.nextDouble(0.97, 1.12));
                bin.runGrams = bin.gramsPerDay() * RUN_DAYS;
                bin.toSowGrams = bin.runGrams * random.nextDouble();
                bins.add(bin);
            }
        }
        this.counts = new Rounds<>(bins, random);
    }

    @Override
    public FarmRow next(long nowMicros) {
        advance(nowMicros);
        var movement = counted < bins.size() ? null : waiting.poll();
        if (movement == null) {
            counted++;
            return count(counts.next(), nowMicros);
        }
        movement.bin.grams += movement.grams;
        return row(movement, nowMicros);
    }

    /** Grams in all bins of a SKU, as they truly are. */
    double grams(Sku sku) {
        return bins.stream().filter(b -> b.sku.equals(sku)).mapToDouble(b -> b.grams).sum();
    }

    private void advance(long nowMicros) {
        var passedMicros = atMicros == Long.MIN_VALUE ? 0 : nowMicros - atMicros;
        if (passedMicros == 0 || passedMicros >= MICROS_PER_SECOND) {
            var days = (double) passedMicros / MICROS_PER_DAY * DayCurve.SOWING.at(nowMicros);
            for (var bin : bins) {
                bin.toSowGrams += bin.gramsPerDay() * days;
                sow(bin, nowMicros);
                restock(bin, nowMicros);
            }
            atMicros = nowMicros;
        }
    }

    private void sow(Bin bin, long nowMicros) {
        if (!bin.running && bin.toSowGrams >= bin.runGrams) {
            bin.running = true;
            bin.nextRackMicros = nowMicros;
        }
        var rackGrams = Math.max(1, Math.round(TRAYS_PER_RACK * bin.sku.gramsPerTray()));
        while (bin.running && bin.nextRackMicros <= nowMicros) {
            waiting.add(new Movement(bin, "sowing", -rackGrams, bin.lot));
            if (random.nextDouble() < WASTE_SHARE) {
                var wasted = Math.max(1, rackGrams / 20);
                waiting.add(new Movement(bin, "waste", -wasted, bin.lot));
            }
            bin.toSowGrams -= rackGrams;
            bin.nextRackMicros += RACK_MICROS;
            bin.running = bin.toSowGrams > 0;
        }
    }

    private void restock(Bin bin, long nowMicros) {
        if (bin.grams < bin.gramsPerDay() * bin.sku.coverDays() * 0.96 && !onItsWay(bin)) {
            bin.lot = "L" + LOT_DAY.format(instant(nowMicros)) + "-" + ++lots;
            var grams = bin.gramsPerDay() * random.nextDouble(0.5, 0.9);
            var bag = Math.max(1, Math.round(grams / BAGS_PER_DELIVERY));
            for (int i = 0; i < BAGS_PER_DELIVERY; i++) {
                waiting.add(new Movement(bin, "receipt", bag, bin.lot));
            }
        }
    }

    private boolean onItsWay(Bin bin) {
        return waiting.stream().anyMatch(m -> m.bin == bin && m.grams > 0);
    }

    private FarmRow count(Bin bin, long nowMicros) {
        var seen = bin.grams * (1 + SCALE_NOISE * random.nextGaussian());
        return row(new Movement(bin, "count", Math.max(0, Math.round(seen)), bin.lot), nowMicros);
    }

    private static FarmRow row(Movement movement, long nowMicros) {
        return FarmRow.of(
                FarmTable.INVENTORY_MOVEMENTS,
                movement.bin.sku.id(),
                movement.bin.site.id(),
                movement.kind,
                movement.grams,
                movement.lot,
                nowMicros);
    }

    private static Instant instant(long micros) {
        return Instant.ofEpochSecond(0, micros * 1000);
    }
}
