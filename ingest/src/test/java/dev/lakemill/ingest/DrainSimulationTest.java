package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A slice of {@code ./lakemill bench simulate}. */
@Timeout(120)
@ExtendWith(QuietLogs.class)
final class DrainSimulationTest {
    @TempDir private Path folder;
    private DrainSimulation.Outcome sum = DrainSimulation.Outcome.NONE;

    @Test
    void acknowledgedRowsReachDeltaOnceThroughAnyCrash() {
        try (var simulation = new DrainSimulation(folder)) {
            Seeds.check(500, seed -> sum = sum.plus(simulation.run(seed)));
        }
        assertThat(sum.rows()).isPositive();
        assertThat(sum.failedCommits()).isPositive();
    }
}
