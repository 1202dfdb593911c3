package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A slice of {@code ./lakemill bench agents}. */
final class AgentsTest {
    @Test
    void agentsAndTheirNodeAreKilledAndDoEverythingOnce() throws Exception {
        var builder = new Report.Builder();
        AgentsBench.run(2, 4, 39, builder);
        var report = builder.build();
        assertThat(report.ok()).as(report.text()).isTrue();
        assertThat(report.figures()).containsEntry("runs", 8.0);
    }
}
