package dev.lakemill.farm;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The farm: everything that its producers tell about, made from one seed. The rows of a table
 * depend on the seed and on the times at which they are asked for, not on how the tables take
 * turns.
 */
final class World {
    private final Map<FarmTable, RowSource> sources = new EnumMap<>(FarmTable.class);

    /**
     * @param run four hexadecimal digits that no other run has, for the event ids
     */
    World(long seed, String run) {
        var random = new SplittableRandom(seed);
        for (var table : FarmTable.values()) {
            var model = model(table, random.split());
            sources.put(table, new RowSource(table, run, model, random.split()));
        }
    }

    RowSource source(FarmTable table) {
        return Objects.requireNonNull(sources.get(table));
    }

    private static RowModel model(FarmTable table, RandomGenerator random) {
        return switch (table) {
            case DEMAND_EVENTS -> new Demand(random);
            case INVENTORY_MOVEMENTS -> new Stock(random);
            case SUPPLIER_QUOTES -> new Quotes(random);
            case COMMODITY_PRICES -> new InputPrices(random);
            case SKU_CHANGES -> References.skus();
            case SUPPLIER_CHANGES -> References.suppliers(random);
            case SITE_CHANGES -> References.sites();
        };
    }
}
