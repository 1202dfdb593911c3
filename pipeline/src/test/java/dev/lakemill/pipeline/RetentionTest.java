package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static dev.lakemill.pipeline.TestRows.rows;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine holds the rows that queries may still read, and no others. */
final class RetentionTest {
    private static final TableName EVENTS = TableName.parse("c.b.events");
    private static final TableName CLEAN = TableName.parse("c.s.clean");
    private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");

    private static final String TABLES =
            """
            CREATE TABLE c.b.events (id BIGINT, key STRING, at TIMESTAMP, day DATE, n BIGINT);
            CREATE TABLE c.b.keys (key STRING, at TIMESTAMP);
            """;

    private static final String WINDOWS =
            """
            CREATE STREAMING TABLE c.s.clean (
              CONSTRAINT once EXPECT UNIQUE (id) ON VIOLATION DROP ROW
            ) AS SELECT id, key, at, n FROM STREAM(c.b.events);
            CREATE MATERIALIZED VIEW c.g.hour REFRESH POLICY INCREMENTAL AS
              SELECT key, count(*) AS n FROM c.s.clean
              WHERE at > now() - INTERVAL 1 HOUR GROUP BY key;
            CREATE MATERIALIZED VIEW c.g.chart REFRESH POLICY INCREMENTAL
              TBLPROPERTIES ('pipelines.trigger.interval' = '45 minutes') AS
              SELECT key, max(n) AS n FROM c.s.clean
              WHERE now() - INTERVAL 30 MINUTES <= at GROUP BY key;
            CREATE MATERIALIZED VIEW c.g.latest AS
              SELECT max(id) AS id FROM c.s.clean WHERE at > now() - INTERVAL 10 MINUTES;
            """;

    @TempDir Path folder;

    @Test
    void windowsThatOnlyRiseAreTold() {
        var expected = new LinkedHashMap<String, Boolean>();
        expected.put("WHERE e.at > now() - INTERVAL 1 HOUR", true);
        expected.put("WHERE now() - INTERVAL 1 HOUR <= e.at AND n = 1", true);
        expected.put(
                "WHERE e.at >= timestamp_micros(unix_micros(now()) - unix_micros(now()) %"
                        + " 900000000) - INTERVAL 24 HOURS",
                true);
        expected.put("WHERE e.at > date_trunc('DAY', now()) - INTERVAL 2 MONTHS", true);
        expected.put("WHERE e.day >= date_sub(current_date(), 7)", true);
        expected.put("WHERE unix_micros(e.at) > unix_micros(now()) - 5", false);
        expected.put("JOIN c.b.keys AS k ON k.key = e.key WHERE e.at > now()", true);
        expected.put("LEFT JOIN c.b.keys AS k ON k.key = e.key WHERE e.at > now()", true);
        expected.put("LEFT JOIN c.b.keys AS k ON k.key = e.key AND e.at > now()", false);
        expected.put("RIGHT JOIN c.b.keys AS k ON k.key = e.key AND e.at > now()", true);
        expected.put("LEFT SEMI JOIN c.b.keys AS k ON k.key = e.key AND e.at > now()", true);
        expected.put("LEFT ANTI JOIN c.b.keys AS k ON k.key = e.key AND e.at > now()", false);
        expected.put("FULL JOIN c.b.keys AS k ON k.key = e.key WHERE e.at > now()", false);
        expected.put("", false);
        expected.put("WHERE e.at < now()", false);
        expected.put("WHERE e.at = now()", false);
        expected.put("WHERE e.n = e.id", false);
        expected.put("WHERE e.at > now() OR n = 1", false);
        expected.put("WHERE NOT e.at > now()", false);
        expected.put("WHERE e.at < TIMESTAMP '2026-01-01 00:00:00'", true);
        expected.put("WHERE e.key = 'a' AND e.n % 2 = 1", true);
        expected.put("WHERE 5 > e.n", true);
        expected.put("WHERE e.n % 2 = 1", false);
        expected.put("WHERE e.n > hour(now())", false);
        expected.put("WHERE e.n > 5 - unix_micros(now())", false);
        expected.put("WHERE e.n > unix_micros(now()) % 100", false);
        expected.put("WHERE e.at > now() AND e.id > (SELECT min(id) FROM c.b.events)", false);
        var text = new StringBuilder(TABLES);
        var number = 0;
        for (var where : expected.keySet()) {
            text.append(
                    "CREATE MATERIALIZED VIEW c.g.v%d AS SELECT count(e.n) AS c FROM c.b.events AS e %s;\n"
                            .formatted(number++, where));
        }
        var views = program(text.toString()).views();
        var told = new LinkedHashMap<String, Boolean>();
        number = 0;
        for (var where : expected.keySet()) {
            told.put(where, views.get(number++).query().retained().containsKey(EVENTS));
        }
        assertThat(told).isEqualTo(expected);
    }

    @Test
    void everyReadingOfATableCounts() {
        var text =
                TABLES
                        + view("day", "at > now() - INTERVAL 24 HOURS")
                        + view("hour", "at > now() - INTERVAL 1 HOUR AND day > current_date()");
        var readings = program(text).limitedReadings(EVENTS);
        assertThat(readings).hasSize(2);
        var all = readings.stream().flatMap(reading -> reading.conditions().stream()).toList();
        assertThat(all).extracting(List::size).containsExactly(1, 2);
        assertThat(Retention.readable(all, "now()").split(" OR ")).hasSize(2);
        assertThat(program(text + view("all", "n % 2 = 1")).limitedReadings(EVENTS)).isEmpty();
    }

    @Test
    void rowsBehindAllWindowsGo() {
        try (var run = new Run(program(TABLES + WINDOWS))) {
            for (int minute = 0; minute < 300; minute += 10) {
                run.batch(minute, event(minute, minute), event(minute + 1, minute - 5));
                assertThat(run.audited()).doesNotContainValue(false);
            }
            // The latest is of minute 290: those of the hour before it, and of a turn of the chart
            // that is behind by less.
            assertThat(run.held(Engine.whole(CLEAN))).isBetween(11L, 20L);
            assertThat(run.held(Engine.keys(CLEAN))).isEqualTo(60);
            run.batch(300, event(0, 300), event(1, 299), event(999, 300));
            assertThat(run.held(Engine.keys(CLEAN))).as("seen long ago").isEqualTo(61);
            assertThat(run.audited()).doesNotContainValue(false);
        }
    }

    @Test
    void aTableThatOneQueryReadsWholeKeepsAll() {
        try (var run =
                new Run(
                        program(
                                TABLES
                                        + WINDOWS
                                        + "CREATE MATERIALIZED VIEW c.g.all AS SELECT count(*) AS n"
                                        + " FROM c.s.clean;"))) {
            for (int minute = 0; minute < 300; minute += 10) {
                run.batch(minute, event(minute, minute));
            }
            assertThat(run.held(Engine.whole(CLEAN))).isEqualTo(30);
        }
    }

    @Test
    void whatHasLeftItsWindowIsNotLoaded() {
        try (var run = new Run(program(TABLES + WINDOWS))) {
            run.engine.now(START.plusSeconds(300 * 60));
            var stream = run.engine.program().streams().getFirst();
            var all = new ArrayList<Row>();
            for (int minute = 0; minute < 300; minute++) {
                all.add(row((long) minute, "k", micros(minute), (long) minute));
            }
            run.load(() -> rows(run.allocator, stream.schema(), all));
            assertThat(run.held(Engine.whole(CLEAN))).isEqualTo(59);
            run.batch(300, event(1_000, 300));
            assertThat(run.held(Engine.keys(CLEAN))).isEqualTo(301);
            assertThat(run.audited()).doesNotContainValue(false);
        }
    }

    private Program program(String text) {
        var sources = List.of(new SourceText("retention.sql", text));
        return Program.of(
                CompilerProcess.compile("retention", sources, folder.resolve("compiled"))
                        .orThrow());
    }

    private static String view(String name, String where) {
        return "CREATE MATERIALIZED VIEW c.g.%s AS SELECT count(*) AS n FROM c.b.events WHERE %s;\n"
                .formatted(name, where);
    }

    private static Row event(long id, long minute) {
        return row(id, "k" + id % 3, micros(minute), null, id);
    }

    private static long micros(long minute) {
        return Engine.micros(START.plusSeconds(minute * 60));
    }

    /** An engine that tidies after each batch. */
    private final class Run implements AutoCloseable {
        final RootAllocator allocator = new RootAllocator();
        final Engine engine;
        private long number;

        Run(Program program) {
            var duck =
                    DuckSession.open(PipelineConfig.Duck.DEFAULT, folder.resolve("tmp"), allocator);
            engine = new Engine(program, duck, MaintenanceChoice.INCREMENTAL);
            engine.upkeep().every(1);
        }

        void batch(long minute, Row... events) {
            var schema = engine.program().sources().getFirst().schema();
            number++;
            try (var batch =
                    new TableBatch(
                            rows(allocator, schema, List.of(events)),
                            new long[events.length],
                            number)) {
                var input =
                        new HashMap<TableName, List<TableBatch>>(Map.of(EVENTS, List.of(batch)));
                var outcome =
                        engine.run(
                                new BatchInput(
                                        number,
                                        START.plusSeconds(minute * 60),
                                        input,
                                        number == 1));
                assertThat(outcome).isInstanceOf(BatchOutcome.Done.class);
                ((BatchOutcome.Done) outcome).changes().values().forEach(c -> c.close());
            }
        }

        void load(java.util.function.Supplier<Rows> content) {
            var stream = engine.program().streams().getFirst();
            for (var keys : List.of(false, true)) {
                var next = new ArrayList<>(List.of(content.get()));
                java.util.function.Supplier<Rows> each =
                        () -> next.isEmpty() ? null : next.removeLast();
                if (keys) {
                    engine.loadKeys(stream, stream.schema(), each);
                } else {
                    engine.load(CLEAN, stream.schema(), each);
                }
            }
        }

        long held(String table) {
            return engine.duck().count("SELECT count(*) FROM " + table);
        }

        Map<String, Boolean> audited() {
            var equal = new TreeMap<String, Boolean>();
            engine.audit().forEach(audit -> equal.put(audit.view().toString(), audit.equal()));
            return equal;
        }

        @Override
        public void close() {
            engine.close();
            allocator.close();
        }
    }
}
