package dev.lakemill.farm;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What a tray needs besides seed. Power has a new price every minute, with the day's load in it;
 * the others creep.
 */
final class InputPrices implements RowModel {
    private enum Commodity {
        ELECTRICITY("electricity", "kWh", 0.148),
        SUBSTRATE("substrate", "kg", 0.62),
        NUTRIENT("nutrient", "l", 1.85),
        PACKAGING("packaging", "piece", 0.094);

        private final String sqlName;
        private final String unit;
        private final double euro;

        Commodity(String sqlName, String unit, double euro) {
            this.sqlName = sqlName;
            this.unit = unit;
            this.euro = euro;
        }
    }

    private record Market(Commodity commodity, String name, double level, MeanReverting walk) {}

    private final Rounds<Market> markets;

    InputPrices(RandomGenerator random) {
        this.markets = new Rounds<>(allMarkets(random), random);
    }

    @Override
    public FarmRow next(long atMicros) {
        var market = markets.next();
        return FarmRow.of(
                FarmTable.COMMODITY_PRICES,
                market.commodity.sqlName,
                market.commodity.unit,
                BigDecimal.valueOf(euro(market, atMicros)).setScale(6, RoundingMode.HALF_UP),
                market.name,
                atMicros);
    }

    private static double euro(Market market, long atMicros) {
        if (market.commodity != Commodity.ELECTRICITY) {
            return market.commodity.euro * market.level * market.walk.factor(atMicros);
        }
        var minute = atMicros - Math.floorMod(atMicros, 60 * MICROS_PER_SECOND);
        return market.commodity.euro
                * market.level
                * DayCurve.POWER.at(minute)
                * market.walk.factor(minute);
    }

    private static List<Market> allMarkets(RandomGenerator random) {
        var all = new ArrayList<Market>();
        addMarket(all, Commodity.ELECTRICITY, "NL", 1.03, new MeanReverting(random, 0.7, 0.09));
        addMarket(all, Commodity.ELECTRICITY, "FR", 0.94, new MeanReverting(random, 0.7, 0.09));
        addMarket(all, Commodity.ELECTRICITY, "DE", 1.06, new MeanReverting(random, 0.7, 0.09));
        addMarket(all, Commodity.SUBSTRATE, "Rotterdam", 1, new MeanReverting(random, 30, 0.03));
        addMarket(all, Commodity.NUTRIENT, "Rotterdam", 1, new MeanReverting(random, 40, 0.025));
        addMarket(all, Commodity.PACKAGING, "Lyon", 1, new MeanReverting(random, 60, 0.02));
        return all;
    }

    private static void addMarket(
            List<Market> all, Commodity commodity, String name, double level, MeanReverting walk) {
        all.add(new Market(commodity, name, level, walk));
    }
}
