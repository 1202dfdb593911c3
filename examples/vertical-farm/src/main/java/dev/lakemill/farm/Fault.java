package dev.lakemill.farm;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * A way in which a row goes bad on purpose. Each breaks exactly one rule of pipelines/03_silver.sql
 * (its table of rules says which), so that the pipeline's counts can be held against the truth.
 */
enum Fault {
    /** A good row, sent a second time. */
    DUPLICATE,
    UNKNOWN_SKU,
    UNKNOWN_SUPPLIER,
    /** A negative demand or price, or a receipt of less than nothing. */
    NEGATIVE,
    /** More grams than the site can hold. */
    OVER_CAPACITY,
    NOT_A_NUMBER,
    /** A demand that no channel of a site can have. */
    ABOVE_MAXIMUM,
    ABSURD_PRICE,
    WRONG_CURRENCY,
    ZERO_LEAD_TIME,
    /** A quote that is over when it is sent. */
    EXPIRED,
    /** Seconds since 1970 where microseconds belong. */
    EPOCH_SECONDS,
    /** Sent more than an hour after it happened. */
    LATE,
    /** Happens after it is sent. */
    FUTURE;

    private static final long MICROS_PER_MINUTE = 60 * RowModel.MICROS_PER_SECOND;

    /** The faults that rows of a table can have, {@link #DUPLICATE} apart. */
    static List<Fault> of(FarmTable table) {
        return switch (table) {
            case DEMAND_EVENTS ->
                    List.of(
                            UNKNOWN_SKU,
                            NEGATIVE,
                            NOT_A_NUMBER,
                            ABOVE_MAXIMUM,
                            EPOCH_SECONDS,
                            LATE,
                            FUTURE);
            case INVENTORY_MOVEMENTS ->
                    List.of(UNKNOWN_SKU, NEGATIVE, OVER_CAPACITY, EPOCH_SECONDS, LATE, FUTURE);
            case SUPPLIER_QUOTES ->
                    List.of(
                            UNKNOWN_SKU,
                            UNKNOWN_SUPPLIER,
                            NEGATIVE,
                            ABSURD_PRICE,
                            WRONG_CURRENCY,
                            ZERO_LEAD_TIME,
                            EXPIRED,
                            EPOCH_SECONDS,
                            LATE,
                            FUTURE);
            case COMMODITY_PRICES -> List.of(NEGATIVE, EPOCH_SECONDS, LATE, FUTURE);
            case SKU_CHANGES, SUPPLIER_CHANGES, SITE_CHANGES -> List.of();
        };
    }

    /** As in the truth file. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The row, gone bad in this way. */
    FarmRow spoil(FarmRow row, RandomGenerator random) {
        var time = row.table().timeColumn();
        return switch (this) {
            case DUPLICATE -> row;
            case UNKNOWN_SKU -> row.with("sku", "moon-lettuce-" + random.nextInt(10));
            case UNKNOWN_SUPPLIER -> row.with("supplier_id", "nobody-" + random.nextInt(10));
            case NEGATIVE -> negative(row);
            case OVER_CAPACITY -> row.with("kind", "receipt").with("grams", overCapacity(random));
            case NOT_A_NUMBER -> row.with("trays_per_hour", Double.NaN);
            case ABOVE_MAXIMUM -> row.with("trays_per_hour", random.nextDouble(1_000, 10_000));
            case ABSURD_PRICE -> row.with("price_per_kg", new BigDecimal("9999.0000"));
            case WRONG_CURRENCY -> row.with("currency", random.nextBoolean() ? "USD" : "GBP");
            case ZERO_LEAD_TIME -> row.with("lead_time_hours", 0);
            case EXPIRED -> row.with("valid_until", row.number("sent_at") - minutes(random, 1, 60));
            case EPOCH_SECONDS ->
                    row.with(time, row.number("sent_at") / RowModel.MICROS_PER_SECOND);
            case LATE -> late(row, row.number("sent_at") - minutes(random, 65, 360));
            case FUTURE -> row.with(time, row.number("sent_at") + minutes(random, 10, 1_440));
        };
    }

    private static FarmRow negative(FarmRow row) {
        return switch (row.table()) {
            case DEMAND_EVENTS ->
                    row.with("trays_per_hour", -0.001 - (Double) row.value("trays_per_hour"));
            case INVENTORY_MOVEMENTS ->
                    row.with("kind", "receipt")
                            .with("grams", -1 - Math.abs(row.number("grams")) / 50);
            case SUPPLIER_QUOTES ->
                    row.with("price_per_kg", ((BigDecimal) row.value("price_per_kg")).negate());
            case COMMODITY_PRICES -> row.with("price", ((BigDecimal) row.value("price")).negate());
            case SKU_CHANGES, SUPPLIER_CHANGES, SITE_CHANGES -> throw noFault(row);
        };
    }

    /** A late quote is a valid one still, so that it breaks one rule and not two. */
    private static FarmRow late(FarmRow row, long happenedMicros) {
        var late = row.with(row.table().timeColumn(), happenedMicros);
        return row.table() == FarmTable.SUPPLIER_QUOTES
                ? late.with("valid_until", row.number("sent_at") + 30 * MICROS_PER_MINUTE)
                : late;
    }

    private static long overCapacity(RandomGenerator random) {
        var most = FarmCatalog.SITES.stream().mapToLong(Site::capacityGrams).max().orElseThrow();
        return most * random.nextInt(2, 6);
    }

    private static long minutes(RandomGenerator random, int from, int to) {
        return random.nextInt(from, to) * MICROS_PER_MINUTE;
    }

    private static IllegalArgumentException noFault(FarmRow row) {
        return new IllegalArgumentException("no faults in " + row.table().sqlName());
    }
}
