package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A slice of {@code ./lakemill bench simulate}. */
@Timeout(300)
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

    /** A start looks only at frames behind the position, so that their offsets have to be there. */
    @Test
    void rowsDoNotOvertakeTheOffsetOfARequestWithoutRows() {
        Seeds.check(20, this::rowsDoNotOvertakeTheOffsetOfARequestWithoutRows);
    }

    private void rowsDoNotOvertakeTheOffsetOfARequestWithoutRows(long seed) {
        var stream = new UUID(0x8000L, 0x8000_0000_0000_0007L);
        var bronze = new SimulatedTable(DrainSimulation.APPLICATION, new Random(seed));
        try (var simulation = new DrainSimulation(folder.resolve("of " + seed))) {
            var landings = simulation.landings(1 << 20, Instant::now);
            try (var _ = simulation.add(landings, 0, bronze)) {
                var landing = DrainSimulation.landing(landings, 0);
                var table = landing.table().id();
                bronze.trouble(1);
                landing.replay(new Durable(new Frame(table, stream, 0, new byte[0]), 100), 0);
                landing.publishOnce();
                assertThatThrownBy(landing::commitOnce).isInstanceOf(LakemillException.class);
                var row = new byte[] {2, 8, 1};
                var other = new UUID(0x4000L, 5);
                landing.replay(new Durable(new Frame(table, other, 0, row), 200), 0);
                landing.publishOnce();
                bronze.trouble(0);
                var left = true;
                while (left) {
                    left = landing.commitOnce();
                    assertThat(landing.requestsOf(stream)).hasValue(1);
                }
                assertThat(bronze.transaction(DrainSimulation.APPLICATION)).hasValue(200);
            } finally {
                landings.abandon();
            }
        }
    }
}
