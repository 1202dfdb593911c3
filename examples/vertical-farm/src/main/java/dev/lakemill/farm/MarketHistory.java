package dev.lakemill.farm;

import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the market has told up to a moment, and the features of each offer then: as Gold's view
 * farm.gold.supplier_features has them, from the same rows. One thread uses it.
 */
final class MarketHistory {
    private static final long QUARTER_MICROS = RowModel.MICROS_PER_HOUR / 4;
    private static final int QUARTERS_PER_DAY = 96;
    private static final int QUARTERS_PER_HOUR = 4;

    /** An offer that is open, with the numbers that the model sees. */
    record Offer(
            Supplier supplier,
            double demand,
            double leadTime,
            double price,
            double priceTrend,
            double reliability) {
        /** In the order of {@link RankingModel#FEATURES}. */
        double[] features() {
            return new double[] {demand, leadTime, price, priceTrend, reliability};
        }
    }

    private record Quote(Supplier supplier, double price, int leadHours, long validUntil) {}

    /** Sums of the readings of a quarter of an hour. */
    private static final class Quarter {
        private final long start;
        private double sum;
        private int count;

        Quarter(long start) {
            this.start = start;
        }
    }

    private final Map<String, Map<String, Quote>> quotes = new TreeMap<>();
    private final Map<String, Deque<Quarter>> prices = new HashMap<>();
    private final Map<String, Deque<Quarter>> demands = new HashMap<>();
    private final Map<String, Supplier> suppliers = new HashMap<>();
    private long now;

    MarketHistory() {
        FarmCatalog.SUPPLIERS.forEach(supplier -> suppliers.put(supplier.id(), supplier));
    }

    /** Takes in a row without a fault; times never go back. */
    void take(FarmRow row) {
        switch (row.table()) {
            case SUPPLIER_QUOTES -> quote(row);
            case DEMAND_EVENTS -> {
                now = row.number("occurred_at");
                add(demands, row.text("sku"), (Double) row.value("trays_per_hour"));
            }
            case INVENTORY_MOVEMENTS,
                    COMMODITY_PRICES,
                    SKU_CHANGES,
                    SUPPLIER_CHANGES,
                    SITE_CHANGES -> {}
        }
    }

    private void quote(FarmRow row) {
        now = row.number("quoted_at");
        var supplier = suppliers.get(row.text("supplier_id"));
        if (supplier == null) {
            return;
        }
        var price = ((BigDecimal) row.value("price_per_kg")).doubleValue();
        var leadHours = (Integer) row.value("lead_time_hours");
        quotes.computeIfAbsent(row.text("sku"), _ -> new TreeMap<>())
                .put(
                        supplier.id(),
                        new Quote(supplier, price, leadHours, row.number("valid_until")));
        add(prices, row.text("sku"), price);
    }

    private void add(Map<String, Deque<Quarter>> series, String sku, double value) {
        var quarters = series.computeIfAbsent(sku, _ -> new ArrayDeque<>());
        var start = now - Math.floorMod(now, QUARTER_MICROS);
        if (quarters.isEmpty() || quarters.getLast().start < start) {
            quarters.addLast(new Quarter(start));
        }
        quarters.getLast().sum += value;
        quarters.getLast().count++;
        if (quarters.size() > QUARTERS_PER_DAY) {
            quarters.removeFirst();
        }
    }

    /** The SKUs with offers. */
    Collection<String> skus() {
        return quotes.keySet();
    }

    /** The offers of a SKU that are open now. */
    List<Offer> offers(String sku) {
        var open =
                quotes.getOrDefault(sku, Map.of()).values().stream()
                        .filter(quote -> quote.validUntil > now)
                        .toList();
        if (open.isEmpty() || !demands.containsKey(sku)) {
            return List.of();
        }
        var median = median(open.stream().mapToDouble(Quote::price).sorted().toArray());
        var trend = median / mean(prices.get(sku), QUARTERS_PER_DAY) - 1;
        var demand =
                mean(demands.get(sku), QUARTERS_PER_HOUR)
                        / mean(demands.get(sku), QUARTERS_PER_DAY);
        var offers = new ArrayList<Offer>();
        for (var quote : open) {
            offers.add(
                    new Offer(
                            quote.supplier,
                            demand,
                            quote.leadHours / 168.0,
                            quote.price / median - 1,
                            trend,
                            quote.supplier.reliability()));
        }
        return offers;
    }

    /** Of the newest quarters together. */
    private static double mean(
            @org.jspecify.annotations.Nullable Deque<Quarter> quarters, int newest) {
        var sum = 0.0;
        var count = 0;
        var left = newest;
        if (quarters != null) {
            for (var each = quarters.descendingIterator(); each.hasNext() && left > 0; left--) {
                var quarter = each.next();
                sum += quarter.sum;
                count += quarter.count;
            }
        }
        return sum / Math.max(1, count);
    }

    private static double median(double[] sorted) {
        var half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
