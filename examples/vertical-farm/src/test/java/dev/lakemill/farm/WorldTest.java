package dev.lakemill.farm;

import static dev.lakemill.farm.RowModel.MICROS_PER_DAY;
import static dev.lakemill.farm.RowModel.MICROS_PER_HOUR;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WorldTest {
    /** A Monday, 00:00 UTC. */
    private static final long MONDAY = 20_779 * MICROS_PER_DAY;

    @Test
    void theCatalogIsThatOfASizableFarm() {
        assertThat(FarmCatalog.SKUS).hasSizeGreaterThanOrEqualTo(30);
        assertThat(FarmCatalog.SKUS).extracting(Sku::id).doesNotHaveDuplicates();
        assertThat(FarmCatalog.SUPPLIERS).hasSize(12);
        assertThat(FarmCatalog.SITES).hasSize(2);
        assertThat(FarmCatalog.SITES.stream().mapToDouble(Site::share).sum()).isEqualTo(1);
    }

    @Test
    void everySkuHasSeveralSuppliers() {
        assertThat(FarmCatalog.SKUS)
                .allSatisfy(
                        sku ->
                                assertThat(FarmCatalog.SUPPLIERS)
                                        .filteredOn(supplier -> supplier.sells(sku))
                                        .hasSizeGreaterThanOrEqualTo(4));
    }

    @Test
    void theSameSeedGivesTheSameRows() {
        for (var table : FarmTable.values()) {
            assertThat(rows(new World(7, "0001"), table, 2_000))
                    .isEqualTo(rows(new World(7, "0001"), table, 2_000));
        }
    }

    @Test
    void anotherSeedGivesOtherRows() {
        for (var table : FarmTable.events()) {
            assertThat(rows(new World(7, "0001"), table, 100))
                    .isNotEqualTo(rows(new World(8, "0001"), table, 100));
        }
    }

    @Test
    void theRowsOfATableDoNotDependOnTheOthersTurns() {
        var alone = rows(new World(7, "0001"), FarmTable.SUPPLIER_QUOTES, 500);
        var world = new World(7, "0001");
        var among = new ArrayList<FarmRow>();
        for (int k = 0; k < 500; k++) {
            world.source(FarmTable.DEMAND_EVENTS).next(at(k), 0);
            among.add(world.source(FarmTable.SUPPLIER_QUOTES).next(at(k), 40_000).row());
        }
        assertThat(among).isEqualTo(alone);
    }

    @Test
    void referencesNameEverythingOnceBeforeAnythingTwice() {
        var skus = rows(new World(1, "0001"), FarmTable.SKU_CHANGES, FarmCatalog.SKUS.size());
        assertThat(skus.stream().map(row -> row.text("sku")).collect(toSet()))
                .hasSize(FarmCatalog.SKUS.size());
        var suppliers = rows(new World(1, "0001"), FarmTable.SUPPLIER_CHANGES, 24);
        assertThat(suppliers)
                .allSatisfy(
                        row -> assertThat((Double) row.value("reliability")).isBetween(0.6, 1.0));
    }

    @Test
    void demandHasTwoPeaksAndAQuietNight() {
        var demand = new Demand(new SplittableRandom(1));
        var rows = day(demand, MONDAY, 24_000);
        assertThat(meanTrays(rows, 8)).isGreaterThan(1.3 * meanTrays(rows, 12));
        assertThat(meanTrays(rows, 17)).isGreaterThan(1.3 * meanTrays(rows, 13));
        assertThat(meanTrays(rows, 3)).isLessThan(0.6 * meanTrays(rows, 8));
    }

    @Test
    void demandIsWithinWhatSilverThinksPossible() {
        var demand = new Demand(new SplittableRandom(2));
        for (int day = 0; day < 7; day++) {
            assertThat(day(demand, MONDAY + day * MICROS_PER_DAY, 20_000))
                    .allSatisfy(
                            row ->
                                    assertThat((Double) row.value("trays_per_hour"))
                                            .isBetween(0.0, 250.0));
        }
    }

    @Test
    void aPromotionLastsAnHourAndIsRare() {
        var demand = new Demand(new SplittableRandom(3));
        int minutes = 0;
        int beginnings = 0;
        for (var sku : FarmCatalog.SKUS) {
            for (int minute = 0; minute < 7 * 24 * 60; minute++) {
                var now = MONDAY + minute * 60_000_000L;
                minutes += demand.promoted(sku, now) ? 1 : 0;
                var begins = demand.promoted(sku, now) && !demand.promoted(sku, now - 60_000_000L);
                beginnings += begins ? 1 : 0;
            }
        }
        assertThat(minutes / (7.0 * 24 * 60)).as("SKUs on promotion at a time").isBetween(0.5, 1.5);
        assertThat(minutes / (double) beginnings).isBetween(59.0, 70.0);
    }

    @Test
    void stockStaysInItsBandForAWeek() {
        var stock = new Stock(new SplittableRandom(4));
        for (int day = 0; day < 7; day++) {
            day(stock, MONDAY + day * MICROS_PER_DAY, 48_000);
            for (var sku : FarmCatalog.SKUS) {
                var cover = stock.grams(sku) / sku.gramsPerDay();
                assertThat(cover)
                        .as("%s on day %d", sku.id(), day)
                        .isBetween(sku.coverDays() * 0.85 - 0.2, sku.coverDays() * 1.12 + 1);
            }
        }
    }

    @Test
    void stockBeginsWithACountOfEveryBin() {
        var bins = FarmCatalog.SKUS.size() * FarmCatalog.SITES.size();
        var first = day(new Stock(new SplittableRandom(5)), MONDAY, 40_000).subList(0, bins);
        assertThat(first).allSatisfy(row -> assertThat(row.text("kind")).isEqualTo("count"));
        assertThat(first.stream().map(row -> row.text("sku") + row.text("site")).collect(toSet()))
                .hasSize(bins);
    }

    @Test
    void movementsHaveTheSignOfTheirKind() {
        var rows = day(new Stock(new SplittableRandom(6)), MONDAY, 48_000);
        assertThat(rows.stream().map(row -> row.text("kind")).collect(toSet()))
                .containsExactlyInAnyOrder("receipt", "sowing", "waste", "count");
        assertThat(rows)
                .allSatisfy(
                        row -> {
                            var comesIn = List.of("receipt", "count").contains(row.text("kind"));
                            assertThat(row.number("grams") > 0).isEqualTo(comesIn);
                        });
    }

    @Test
    void sowingHasShifts() {
        var perHour = new int[24];
        for (var row : day(new Stock(new SplittableRandom(7)), MONDAY, 48_000)) {
            if (row.text("kind").equals("sowing")) {
                perHour[(int) ((row.number("occurred_at") - MONDAY) / MICROS_PER_HOUR)]++;
            }
        }
        assertThat(perHour[7]).isGreaterThan(3 * perHour[11]);
        assertThat(perHour[15]).isGreaterThan(3 * perHour[22]);
    }

    @Test
    void quotesStayRoundTheirSuppliersLevel() {
        var byOffer =
                day(new Quotes(new SplittableRandom(8)), MONDAY, 30_000).stream()
                        .collect(
                                groupingBy(row -> row.text("sku") + "/" + row.text("supplier_id")));
        byOffer.forEach(
                (offer, quotes) -> {
                    var prices =
                            quotes.stream()
                                    .mapToDouble(
                                            q ->
                                                    ((BigDecimal) q.value("price_per_kg"))
                                                            .doubleValue())
                                    .summaryStatistics();
                    assertThat(prices.getMax() / prices.getMin()).as(offer).isBetween(1.01, 1.6);
                });
    }

    @Test
    void leadTimesAreWholeQuarterDaysAndChangeHourlyAtMost() {
        var rows = day(new Quotes(new SplittableRandom(8)), MONDAY, 30_000);
        var byOffer =
                rows.stream()
                        .collect(
                                groupingBy(row -> row.text("sku") + "/" + row.text("supplier_id")));
        byOffer.forEach(
                (offer, quotes) -> {
                    var changes = 0;
                    for (int k = 1; k < quotes.size(); k++) {
                        var hours = (Integer) quotes.get(k).value("lead_time_hours");
                        assertThat(hours % 6).isZero();
                        changes += hours.equals(quotes.get(k - 1).value("lead_time_hours")) ? 0 : 1;
                    }
                    assertThat(changes).as(offer).isLessThan(24);
                });
    }

    @Test
    void quotesLastAtMostTheTwoHoursThatGoldLooksBack() {
        assertThat(day(new Quotes(new SplittableRandom(9)), MONDAY, 10_000))
                .allSatisfy(
                        row ->
                                assertThat(row.number("valid_until") - row.number("quoted_at"))
                                        .isBetween(1L, 2 * MICROS_PER_HOUR - 1));
    }

    @Test
    void powerMovesEveryMinuteAndSubstrateHardly() {
        var rows = day(new InputPrices(new SplittableRandom(10)), MONDAY, 24 * 60 * 6 * 2);
        assertThat(distinctPrices(rows, "electricity")).isGreaterThan(3_000);
        assertThat(rows)
                .filteredOn(row -> row.text("commodity").equals("substrate"))
                .allSatisfy(
                        row ->
                                assertThat(((BigDecimal) row.value("price")).doubleValue())
                                        .isBetween(0.5, 0.75));
    }

    private static double meanTrays(List<FarmRow> rows, int hour) {
        var from = MONDAY + hour * MICROS_PER_HOUR;
        return rows.stream()
                .filter(row -> row.number("occurred_at") >= from)
                .filter(row -> row.number("occurred_at") < from + MICROS_PER_HOUR)
                .mapToDouble(row -> (Double) row.value("trays_per_hour"))
                .average()
                .orElseThrow();
    }

    private static long distinctPrices(List<FarmRow> rows, String commodity) {
        return rows.stream()
                .filter(row -> row.text("commodity").equals(commodity))
                .map(row -> row.value("price"))
                .distinct()
                .count();
    }

    private static List<FarmRow> day(RowModel model, long fromMicros, int rows) {
        var day = new ArrayList<FarmRow>(rows);
        for (int k = 0; k < rows; k++) {
            day.add(model.next(fromMicros + MICROS_PER_DAY / rows * k));
        }
        return day;
    }

    private static List<FarmRow> rows(World world, FarmTable table, int count) {
        var rows = new ArrayList<FarmRow>(count);
        for (int k = 0; k < count; k++) {
            rows.add(world.source(table).next(at(k), 40_000).row());
        }
        return rows;
    }

    private static long at(int k) {
        return MONDAY + k * 2_000_000L;
    }
}
