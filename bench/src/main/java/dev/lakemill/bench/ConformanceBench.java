package dev.lakemill.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.Map;

/** Whether what we accept of known suites gives in our engine what it gives in Spark. */
final class ConformanceBench {
    private static final double TPCH_SCALE = 0.1;
    private static final int NEXMARK_EVENTS = 100_000;
    private static final double PERCENT_MIN = 90;
    private static final double SQL_TESTS_PERCENT_MIN = 60;
    private static final long FUZZ_SEED = 4;
    private static final int FUZZ_CASES = 2_000;
    private static final int TOLD_MAX = 20;

    private ConformanceBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        var folder = Folders.temporary("lakemill-conformance");
        try (var spark = SparkPeer.start(folder);
                var engine = new EngineQueries()) {
            var conformance = new Conformance(engine, spark);
            var exchange = new ParquetExchange(engine, spark, folder);
            var only = System.getProperty("lakemill.conformance.suite", "");
            if (only.isEmpty() || only.equals("tpch")) {
                tell(
                        report,
                        new TpchSuite(conformance, engine, spark, exchange, TPCH_SCALE).run(),
                        PERCENT_MIN);
            }
            if (only.isEmpty() || only.equals("nexmark")) {
                tell(
                        report,
                        new NexmarkSuite(conformance, engine, spark, exchange, NEXMARK_EVENTS)
                                .run(),
                        PERCENT_MIN);
            }
            if (only.isEmpty() || only.equals("farm")) {
                tell(report, new FarmSuite(conformance, engine, spark).run(), 100);
            }
            if (only.isEmpty() || only.equals("fuzz")) {
                tell(
                        report,
                        new ExpressionFuzz(conformance, engine, spark, FUZZ_SEED).run(FUZZ_CASES),
                        PERCENT_MIN);
            }
            if (only.isEmpty() || only.equals("sqltests")) {
                tell(
                        report,
                        new SqlTestsSuite(conformance, engine, spark)
                                .run(System.getProperty("lakemill.conformance.files", "")),
                        SQL_TESTS_PERCENT_MIN);
            }
        } finally {
            Folders.delete(folder);
        }
        return report.build();
    }

    private static void tell(Report.Builder report, Conformance.Counts counts, double percentMin) {
        counts.report(report, percentMin);
        counts.wrongs().stream().limit(TOLD_MAX).forEach(System.err::println);
        counts.causes().entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
                .limit(TOLD_MAX)
                .forEach(e -> System.err.printf("refused %5d  %s%n", e.getValue(), e.getKey()));
    }
}
