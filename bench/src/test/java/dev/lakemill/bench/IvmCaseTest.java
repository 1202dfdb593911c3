package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.MaintenanceKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A slice of {@code ./lakemill bench ivm}; -Dlakemill.seed runs one case. */
final class IvmCaseTest {
    private static final long CASES = 24;

    /**
     * Keys that are sums of floating-point numbers, which one plan rounds as another does not; and
     * GROUPING SETS over outer joins, which an optimizer of DuckDB mixes up.
     */
    @ParameterizedTest
    @ValueSource(longs = {30_243, 21_469})
    void whatOnceDifferedIsEqual(long seed) throws Exception {
        var folder = Folders.temporary("lakemill-ivm-test");
        try {
            assertThat(IvmBench.run(folder, seed, 1).differences()).isEmpty();
        } finally {
            Folders.delete(folder);
        }
    }

    @Test
    void viewsKeptByChangesEqualTheirQueries() throws Exception {
        var folder = Folders.temporary("lakemill-ivm-test");
        try {
            var seed = Long.getLong("lakemill.seed");
            var outcome =
                    seed == null ? IvmBench.run(folder, 1, CASES) : IvmBench.run(folder, seed, 1);
            assertThat(outcome.differences()).isEmpty();
            if (seed == null) {
                assertThat(outcome.kinds()).containsKeys(MaintenanceKind.values());
            }
        } finally {
            Folders.delete(folder);
        }
    }
}
