package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.bench.ConformanceSlice;
import org.junit.jupiter.api.Test;

/** What we accept gives in our engine what Spark gives, types included; the rest is a bench. */
class ConformanceTest {
    private static final int EQUAL_MIN = 60;

    @Test
    void queriesGiveWhatSparkGives() throws Exception {
        var outcome = ConformanceSlice.run();
        assertThat(outcome.differences()).isEmpty();
        assertThat(outcome.equal()).isGreaterThanOrEqualTo(EQUAL_MIN);
    }
}
