package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A few seconds of what {@code ./lakemill bench policy} does at length. */
final class PolicyFuzzTest {
    @Test
    void afterRandomChangesPostgresAgreesWithTheCatalog() throws Exception {
        var folder = Folders.temporary("lakemill-policy-test");
        try {
            var outcome = PolicyBench.run(folder.resolve("pg"), 20_261, 20);
            assertThat(outcome.disagreements()).isZero();
            assertThat(outcome.cells()).isGreaterThan(3_000);
        } finally {
            Folders.delete(folder);
        }
    }
}
