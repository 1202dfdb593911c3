package dev.lakemill.farm;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * How many trays are asked for: a day with two peaks, a week that differs by channel, a slow drift
 * per SKU, and now and then a promotion that triples a SKU for an hour.
 */
final class Demand implements RowModel {
    /** One in so many hours of a SKU is a promotion. */
    private static final int PROMOTION_HOURS = 40;

    private static final double PROMOTION_FACTOR = 3;
    private static final double READING_SPREAD = 0.12;

    /** A way of selling: its share of all demand, and its factors from Monday to Sunday. */
    private record Channel(String name, double share, List<Double> weekdays) {
        /** The factor of a day at its noon; from noon to noon one runs over into the next. */
        double factor(long atMicros) {
            var sinceNoon = atMicros - MICROS_PER_DAY / 2;
            var day = Math.floorDiv(sinceNoon, MICROS_PER_DAY);
            var part = (double) Math.floorMod(sinceNoon, MICROS_PER_DAY) / MICROS_PER_DAY;
            return weekday(day) * (1 - part) + weekday(day + 1) * part;
        }

        private double weekday(long epochDay) {
            return weekdays.get(LocalDate.ofEpochDay(epochDay).getDayOfWeek().getValue() - 1);
        }
    }

    private static final List<Channel> CHANNELS =
            List.of(
                    new Channel("retail", 0.45, List.of(0.9, 0.9, 0.95, 1.05, 1.2, 1.25, 0.75)),
                    new Channel("restaurant", 0.33, List.of(0.7, 0.85, 0.95, 1.1, 1.3, 1.3, 0.8)),
                    new Channel(
                            "subscription", 0.22, List.of(1.1, 1.25, 1.05, 1.0, 0.95, 0.85, 0.8)));

    private record Series(Sku sku, Site site, Channel channel, MeanReverting drift) {}

    private final RandomGenerator random;
    private final long promotionSeed;
    private final Rounds<Series> series;

    Demand(RandomGenerator random) {
        this.random = random;
        this.promotionSeed = random.nextLong();
        this.series = new Rounds<>(allSeries(random), random);
    }

    @Override
    public FarmRow next(long atMicros) {
        var one = series.next();
        var reading = rate(one, atMicros) * Math.exp(READING_SPREAD * random.nextGaussian());
        return FarmRow.of(
                FarmTable.DEMAND_EVENTS,
                one.sku.id(),
                one.site.id(),
                one.channel.name,
                Math.round(reading * 1000) / 1000.0,
                atMicros);
    }

    /** Whether the SKU is on promotion; promotions begin at a minute of the hour of its own. */
    boolean promoted(Sku sku, long atMicros) {
        var hash = mix(promotionSeed ^ sku.id().hashCode());
        var offsetMicros = Math.floorMod(hash, 60) * 60L * MICROS_PER_SECOND;
        var hour = Math.floorDiv(atMicros - offsetMicros, MICROS_PER_HOUR);
        return Math.floorMod(mix(hash ^ hour), PROMOTION_HOURS) == 0;
    }

    private double rate(Series one, long atMicros) {
        return one.sku.traysPerHour()
                * one.site.share()
                * one.channel.share
                * one.channel.factor(atMicros)
                * DayCurve.DEMAND.at(atMicros)
                * one.drift.factor(atMicros)
                * (promoted(one.sku, atMicros) ? PROMOTION_FACTOR : 1);
    }

    private static List<Series> allSeries(RandomGenerator random) {
        var all = new ArrayList<Series>();
        for (var sku : FarmCatalog.SKUS) {
            for (var site : FarmCatalog.SITES) {
                for (var channel : CHANNELS) {
                    all.add(new Series(sku, site, channel, new MeanReverting(random, 3, 0.08)));
                }
            }
        }
        return all;
    }

    /** Spreads the bits of a number: the finisher of SplitMix64. */
    private static long mix(long bits) {
        var mixed = bits + 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
