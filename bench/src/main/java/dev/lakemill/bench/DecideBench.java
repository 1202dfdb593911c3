package dev.lakemill.bench;

import dev.lakemill.catalog.Access;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/**
 * What a decision costs in a catalog of 10,000 tables and 1,000 principals: cached, as the doors
 * ask it, against the same questions put to the rules themselves; and what opening that catalog
 * costs in time and memory; and what it takes to carry it to Postgres.
 */
final class DecideBench {
    private static final int QUESTIONS = 20_000;
    private static final int MEMORY_MIB_MAX = 200;
    private static final int OPEN_SECONDS_MAX = 10;
    private static final int DECISION_US_MAX = 20;

    private record Question(UUID principal, Securable on) {}

    private DecideBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException {
        var report = new Report.Builder();
        try (var fixture = new GovernanceFixture()) {
            var opened = new ArrayList<Double>();
            var before = usedBytes();
            Catalog catalog = null;
            for (int round = 0; round < options.rounds(); round++) {
                if (catalog != null) {
                    catalog.audit().close();
                }
                var started = System.nanoTime();
                catalog = Catalog.open(fixture.postgres().owner());
                opened.add((System.nanoTime() - started) / 1e9);
            }
            if (catalog == null) {
                throw new IllegalArgumentException("at least one round");
            }
            var mebibytes = (usedBytes() - before) / (1024.0 * 1024.0);
            report.figure("open_seconds_10k", Report.median(opened));
            report.figure("memory_mib_10k", mebibytes);
            report.check("open_within_10_seconds", Report.median(opened) <= OPEN_SECONDS_MAX);
            report.check("memory_within_200_mib", mebibytes <= MEMORY_MIB_MAX);
            report.check("all_tables_are_there", catalog.list().size() == GovernanceFixture.TABLES);
            decide(options, catalog, report);
            ProjectionBench.measure(
                    fixture.postgres(),
                    catalog,
                    GovernanceFixture.table(0),
                    GovernanceFixture.WITHOUT_GRANTS,
                    report);
            catalog.audit().close();
        }
        return report.build();
    }

    private static void decide(BenchOptions options, Catalog catalog, Report.Builder report) {
        var questions = questions(catalog);
        var access = catalog.access();
        time(options.seconds(), questions, access, true);
        var cached = new ArrayList<long[]>();
        var uncached = new ArrayList<long[]>();
        for (int round = 0; round < options.rounds(); round++) {
            cached.add(time(options.seconds(), questions, access, true));
            uncached.add(time(options.seconds(), questions, access, false));
        }
        var p99 = Report.median(percentiles(cached, 99));
        report.figure("decision_us_p50", Report.median(percentiles(cached, 50)));
        report.figure("decision_us_p99", p99);
        report.figure("uncached_decision_us_p50", Report.median(percentiles(uncached, 50)));
        report.figure("uncached_decision_us_p99", Report.median(percentiles(uncached, 99)));
        report.check("decision_p99_within_20_us", p99 <= DECISION_US_MAX);
        report.check(
                "cached_is_uncached",
                questions.stream()
                        .allMatch(
                                q ->
                                        access.decide(q.principal(), Privilege.SELECT, q.on())
                                                .equals(
                                                        access.decideUncached(
                                                                q.principal(),
                                                                Privilege.SELECT,
                                                                q.on()))));
    }

    private static List<Question> questions(Catalog catalog) {
        var random = new Random(1);
        var questions = new ArrayList<Question>();
        for (int i = 0; i < QUESTIONS; i++) {
            var name = GovernanceFixture.user(random.nextInt(GovernanceFixture.USERS));
            questions.add(
                    new Question(
                            catalog.principals().find(name).orElseThrow().principal().id(),
                            GovernanceFixture.table(random.nextInt(GovernanceFixture.TABLES))));
        }
        return questions;
    }

    /** Sorted nanoseconds of single decisions, the two readings of the clock among them. */
    private static long[] time(
            int seconds, List<Question> questions, Access access, boolean cached) {
        var nanos = new long[4_000_000];
        var count = 0;
        var allowed = 0L;
        var ends = System.nanoTime() + seconds * 1_000_000_000L;
        while (count < nanos.length) {
            var question = questions.get(count % QUESTIONS);
            var started = System.nanoTime();
            var decision =
                    cached
                            ? access.decide(question.principal(), Privilege.SELECT, question.on())
                            : access.decideUncached(
                                    question.principal(), Privilege.SELECT, question.on());
            var ended = System.nanoTime();
            nanos[count++] = ended - started;
            allowed += decision.hashCode();
            if (ended > ends) {
                break;
            }
        }
        if (allowed == 0) {
            throw new IllegalStateException("nothing was decided");
        }
        var sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return sorted;
    }

    private static List<Double> percentiles(List<long[]> rounds, int percent) {
        return rounds.stream().map(nanos -> percentile(nanos, percent)).toList();
    }

    /** In microseconds. */
    private static double percentile(long[] sortedNanos, int percent) {
        return sortedNanos[(int) (sortedNanos.length * (long) percent / 100)] / 1e3;
    }

    private static long usedBytes() {
        System.gc();
        var runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
