package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PacerTest {
    private static final long TICK_NANOS = 10_000_000;

    @Test
    void rowsFlowAtTheRate() {
        var pacer = new Pacer(1_100, 0);
        int sum = 0;
        for (int tick = 1; tick <= 1_000; tick++) {
            var due = pacer.due(tick * TICK_NANOS);
            assertThat(due).isBetween(10, 12);
            sum += due;
        }
        assertThat(sum).isBetween(10_999, 11_000);
    }

    @Test
    void aSlowRateGivesARowNowAndThen() {
        var pacer = new Pacer(0.5, 0);
        int sum = 0;
        for (int tick = 1; tick <= 1_001; tick++) {
            sum += pacer.due(tick * TICK_NANOS);
        }
        assertThat(sum).isEqualTo(5);
    }

    @Test
    void aPauseIsMadeUpForFiftyMillisecondsOnly() {
        var pacer = new Pacer(1_000, 0);
        assertThat(pacer.due(60_000 * TICK_NANOS)).isEqualTo(50);
        assertThat(pacer.due(60_001 * TICK_NANOS)).isEqualTo(10);
    }
}
