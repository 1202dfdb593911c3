package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A slice of {@code ./lakemill bench faults}. */
final class FaultsTest {
    @Test
    @Timeout(300)
    void acknowledgedRowsOutliveFaultsOnceAndInOrder() throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            var faults = new EnumMap<FaultsBench.Fault, Integer>(FaultsBench.Fault.class);
            var history = FaultsBench.round(seed, 4, 2, faults);
            assertThat(history.rows()).isPositive();
            assertThat(history).isEqualTo(new History(history.rows(), 0, 0, 0));
        }
    }
}
