package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RowSourceTest {
    private static final long START = 1_795_000_000_000_000L;
    private static final int ROWS = 100_000;

    @Test
    void everyFaultOfATableHasItsShare() {
        for (var table : FarmTable.events()) {
            var counts = counts(events(table, ROWS));
            assertThat(counts.keySet()).containsAll(Fault.of(table));
            for (var fault : Fault.of(table)) {
                assertThat(counts.getOrDefault(fault, 0) / (double) ROWS)
                        .as("%s %s", table, fault)
                        .isCloseTo(RowSource.FAULT_SHARE, within(0.001));
            }
            assertThat(counts.getOrDefault(Fault.DUPLICATE, 0) / (double) ROWS)
                    .isCloseTo(RowSource.DUPLICATE_SHARE, within(0.001));
        }
    }

    @Test
    void referencesAreAlwaysGood() {
        assertThat(events(FarmTable.SUPPLIER_CHANGES, ROWS))
                .allSatisfy(event -> assertThat(event.fault()).isEmpty());
    }

    @Test
    void idsCountUpAndADuplicateFollowsItsRow() {
        for (var table : FarmTable.events()) {
            Event before = null;
            long next = 0;
            for (var event : events(table, 10_000)) {
                if (event.is(Fault.DUPLICATE)) {
                    assertThat(before).isNotNull();
                    assertThat(event.row()).isEqualTo(before.row());
                    assertThat(event.number()).isEqualTo(before.number());
                } else {
                    assertThat(event.number()).isEqualTo(next++);
                    assertThat(event.row().text("event_id"))
                            .isEqualTo(table.idPrefix("00ff") + event.number());
                }
                before = event;
            }
        }
    }

    @Test
    void timesGoUpEvenWhenTheClockStands() {
        var source = new World(1, "00ff").source(FarmTable.SUPPLIER_QUOTES);
        long last = Long.MIN_VALUE;
        for (int k = 0; k < 1_000; k++) {
            var event = source.next(START, 0);
            if (event.fault().isEmpty()) {
                assertThat(event.row().number("quoted_at")).isGreaterThan(last);
                last = event.row().number("quoted_at");
            }
        }
    }

    @Test
    void lateAndFutureAreJudgedByTheTimeOfSending() {
        for (var event : events(FarmTable.DEMAND_EVENTS, ROWS)) {
            var age = event.row().number("sent_at") - event.row().number("occurred_at");
            if (event.is(Fault.LATE)) {
                assertThat(age).isGreaterThan(RowModel.MICROS_PER_HOUR);
            } else if (event.is(Fault.FUTURE)) {
                assertThat(age).isLessThan(-5 * 60_000_000L);
            } else if (!event.is(Fault.EPOCH_SECONDS)) {
                assertThat(age).isBetween(0L, RowModel.MICROS_PER_HOUR);
            }
        }
    }

    private static List<Event> events(FarmTable table, int count) {
        var source = new World(42, "00ff").source(table);
        var events = new ArrayList<Event>(count);
        for (int k = 0; k < count; k++) {
            events.add(source.next(START + k * 800_000L, 40_000));
        }
        return events;
    }

    private static Map<Fault, Integer> counts(List<Event> events) {
        var counts = new EnumMap<Fault, Integer>(Fault.class);
        events.forEach(e -> e.fault().ifPresent(fault -> counts.merge(fault, 1, Integer::sum)));
        return counts;
    }
}
