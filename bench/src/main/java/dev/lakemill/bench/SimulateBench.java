package dev.lakemill.bench;

import dev.lakemill.ingest.DrainSimulation;
import java.util.ArrayList;

/**
 * The log and the landings in one thread on a simulated disk, Delta and clock, run by run, each
 * decided by its seed alone: {@link DrainSimulation}. A run that breaks a promise is named.
 */
final class SimulateBench {
    private static final long FIRST_SEED = 20_261_128;
    private static final int BROKEN_MAX = 20;
    private static final int TOLD_EVERY = 10_000;

    private SimulateBench() {}

    static Report run(BenchOptions options) throws Exception {
        // The failures are made on purpose, thousands of them.
        System.setProperty("lakemill.bench.log", "OFF");
        var folder = Folders.temporary("lakemill-simulate");
        var broken = new ArrayList<Long>();
        var sum = DrainSimulation.Outcome.NONE;
        int runs = 0;
        long began = System.nanoTime();
        try (var simulation = new DrainSimulation(folder)) {
            while (runs < options.rounds() && broken.size() < BROKEN_MAX) {
                try {
                    sum = sum.plus(simulation.run(FIRST_SEED + runs));
                } catch (IllegalStateException e) {
                    System.err.println(e.getMessage());
                    broken.add(FIRST_SEED + runs);
                }
                runs++;
                if (runs % TOLD_EVERY == 0) {
                    System.err.printf("run %d of %d%n", runs, options.rounds());
                }
            }
        } finally {
            Folders.delete(folder);
        }
        var report = new Report.Builder();
        report.check("every_promise_kept", broken.isEmpty());
        report.figure("runs", runs);
        report.figure("broken_runs", broken.size());
        report.figure("lives", sum.lives());
        report.figure("rows", sum.rows());
        report.figure("commits", sum.commits());
        report.figure("failed_commits", sum.failedCommits());
        report.figure("seconds", (System.nanoTime() - began) / 1e9);
        return report.build();
    }
}
