package dev.lakemill.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A part of {@code bench conformance} that is quick enough for every run of the tests. */
public final class ConformanceSlice {
    private static final int NEXMARK_EVENTS = 2_000;
    private static final int FUZZ_CASES = 60;
    private static final long FUZZ_SEED = 1;

    private ConformanceSlice() {}

    /**
     * @param equal how many queries gave in our engine what they give in Spark
     * @param differences what was accepted and gave something else
     */
    public record Outcome(int equal, List<String> differences) {}

    /** The farm's queries, Nexmark, random expressions and a file of Spark's own tests. */
    public static Outcome run() throws IOException, SQLException, InterruptedException {
        var folder = Folders.temporary("lakemill-conformance");
        try (var spark = SparkPeer.start(folder);
                var engine = new EngineQueries()) {
            var conformance = new Conformance(engine, spark);
            var exchange = new ParquetExchange(engine, spark, folder);
            var all =
                    List.of(
                            new FarmSuite(conformance, engine, spark).run(),
                            new NexmarkSuite(conformance, engine, spark, exchange, NEXMARK_EVENTS)
                                    .run(),
                            new ExpressionFuzz(conformance, engine, spark, FUZZ_SEED)
                                    .run(FUZZ_CASES),
                            new SqlTestsSuite(conformance, engine, spark).run("exists-basic"));
            var differences = new ArrayList<String>();
            all.forEach(counts -> differences.addAll(counts.wrongs()));
            return new Outcome(all.stream().mapToInt(Conformance.Counts::equal).sum(), differences);
        } finally {
            Folders.delete(folder);
        }
    }
}
