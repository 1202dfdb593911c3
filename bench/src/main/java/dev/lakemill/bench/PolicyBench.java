package dev.lakemill.bench;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.postgres.Projection;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;

/**
 * Whether Postgres agrees with the catalog's decision: random changes by seeds, and after every few
 * of them each principal's rights and rows in each table.
 */
final class PolicyBench {
    private static final int CHANGES_PER_CASE = 4;
    private static final int CASES_PER_SEED = 25;
    private static final int TOLD_MAX = 20;

    private PolicyBench() {}

    /** What a number of cases came to. */
    record Outcome(long cases, long cells, long disagreements) {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        var doors = DoorMatrix.run(options.rounds());
        report.check("all_doors_agree_with_the_decision", doors.disagreements() == 0);
        report.check("doors_were_tried_in_200_cells", doors.cells() >= 200);
        report.check(
                "doors_let_in_and_refuse", doors.allowed() > 0 && doors.allowed() < doors.cells());
        report.figure("door_cells", doors.cells());
        var folder = Folders.temporary("lakemill-bench");
        try {
            var nanos = 1_000_000_000L * options.rounds() * options.seconds();
            var started = System.nanoTime();
            var cases = 0L;
            var cells = 0L;
            var disagreements = 0L;
            for (var seed = 1; System.nanoTime() - started < nanos; seed++) {
                var outcome = run(folder.resolve("pg" + seed), seed, CASES_PER_SEED);
                cases += outcome.cases();
                cells += outcome.cells();
                disagreements += outcome.disagreements();
            }
            report.figure("cells", doors.cells() + cells);
            report.figure("fuzz_cases", doors.changes() + cases);
            report.figure("disagreements", doors.disagreements() + disagreements);
            report.check("postgres_agrees_with_the_catalog", disagreements == 0 && cells > 0);
        } finally {
            Folders.delete(folder);
        }
        return report.build();
    }

    /** A Postgres of its own, so that a seed alone says all. */
    static Outcome run(Path folder, long seed, int cases) throws IOException, SQLException {
        try (var postgres = Postgres.start(PostgresConfig.embedded(folder, 0))) {
            var catalog = Catalog.open(postgres.owner());
            try (var _ = catalog.audit();
                    var projection = Projection.start(postgres, catalog, Duration.ofMinutes(10));
                    var fuzz = new PolicyFuzz(postgres, catalog, seed)) {
                for (var i = 0; i < cases; i++) {
                    for (var j = 0; j < CHANGES_PER_CASE; j++) {
                        fuzz.change();
                    }
                    while (!projection.reconcile()) {
                        Thread.onSpinWait();
                    }
                    fuzz.compare();
                }
                fuzz.disagreements().stream()
                        .limit(TOLD_MAX)
                        .forEach(d -> System.err.println("seed " + seed + ": " + d));
                return new Outcome(cases, fuzz.cells(), fuzz.disagreements().size());
            }
        }
    }
}
