package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.MaintenanceKind;
import org.junit.jupiter.api.Test;

/** A slice of {@code ./lakemill bench ivm}; -Dlakemill.seed runs one case. */
final class IvmCaseTest {
    private static final long CASES = 24;

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
