package dev.lakemill.bench;

import dev.lakemill.pipeline.MaintenanceKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;

/**
 * Holds incremental maintenance against recomputation, by seeded cases.
 *
 * <p>{@code --rounds} is how many thousand cases run; {@code -Dlakemill.seed} is the first's seed.
 */
final class IvmBench {
    private static final long FIRST_SEED = 20_261_128;
    private static final int PROGRESS_CASES = 100;

    private IvmBench() {}

    /**
     * What cases found.
     *
     * @param cases that ran to their end, or to a difference
     * @param tooLarge cases besides, which ran out of memory and were given up
     * @param differences what differed, each with its seed
     * @param kinds how many views were kept in each way
     */
    record Outcome(
            long cases,
            long tooLarge,
            List<String> differences,
            Map<MaintenanceKind, Integer> kinds) {}

    static Report run(BenchOptions options) throws IOException {
        var folder = Folders.temporary("lakemill-ivm");
        try {
            var first = Long.getLong("lakemill.seed", FIRST_SEED);
            var outcome = run(folder, first, options.rounds() * 1_000L);
            var report = new Report.Builder();
            report.check("views_equal_their_queries", outcome.differences().isEmpty());
            report.figure("cases", outcome.cases());
            report.figure("cases_given_up_as_too_large", outcome.tooLarge());
            report.figure("differences", outcome.differences().size());
            outcome.kinds()
                    .forEach(
                            (kind, views) ->
                                    report.figure(
                                            "views_" + kind.name().toLowerCase(Locale.ROOT),
                                            views));
            return report.build();
        } finally {
            Folders.delete(folder);
        }
    }

    static Outcome run(Path folder, long firstSeed, long cases) {
        var differences = new ArrayList<String>();
        var kinds = new EnumMap<MaintenanceKind, Integer>(MaintenanceKind.class);
        long tooLarge = 0;
        for (long seed = firstSeed; seed < firstSeed + cases; seed++) {
            try (var allocator = new RootAllocator();
                    var one = new IvmCase(seed, allocator, folder)) {
                one.run().forEach((kind, views) -> kinds.merge(kind, views, Integer::sum));
            } catch (IvmCase.TooLarge e) {
                tooLarge++;
            } catch (IvmCase.Difference | RuntimeException e) {
                var difference = "seed %d: %s".formatted(seed, e);
                differences.add(difference);
                System.err.println(difference);
            }
            var done = seed - firstSeed + 1;
            if (done % PROGRESS_CASES == 0) {
                System.err.printf(
                        "%,d of %,d cases, %d differences%n", done, cases, differences.size());
            }
        }
        return new Outcome(cases - tooLarge, tooLarge, List.copyOf(differences), kinds);
    }
}
