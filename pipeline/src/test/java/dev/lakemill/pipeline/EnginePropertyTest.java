package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.condition;
import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestPrograms.unique;
import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whatever comes in, and however it is cut into batches. */
final class EnginePropertyTest {
    private static final int TRIES = 25;
    private static final List<String> KEYS = List.of("a", "b", "", "ä𝄞");
    private static final List<Double> AMOUNTS =
            List.of(
                    0.0,
                    -0.0,
                    Double.NaN,
                    Double.POSITIVE_INFINITY,
                    Double.NEGATIVE_INFINITY,
                    Double.MIN_VALUE,
                    -Double.MAX_VALUE,
                    1.5,
                    -2.25);
    private static final TableName EVENTS = TableName.parse("c.b.events");
    private static final Path TEMPORARY = Path.of("target", "temporary");

    private final RootAllocator root = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        assertThat(root.getAllocatedMemory()).isZero();
    }

    @Test
    void changesAddUpToViewsThatEqualTheirQueries() {
        Seeds.check(
                TRIES,
                seed -> {
                    var random = new Random(seed);
                    run(events(random), cuts(random), true);
                });
    }

    @Test
    void cutsDoNotMatter() {
        Seeds.check(
                TRIES,
                seed -> {
                    var random = new Random(seed);
                    var events = events(random);
                    assertThat(run(events, cuts(random), false))
                            .isEqualTo(run(events, List.of(events.size()), false));
                });
    }

    private static List<Row> events(Random random) {
        return Stream.generate(() -> event(random)).limit(random.nextInt(121)).toList();
    }

    private static Row event(Random random) {
        return row(
                random.nextLong(41),
                random.nextInt(5) == 0 ? null : KEYS.get(random.nextInt(KEYS.size())),
                random.nextInt(5) == 0 ? null : AMOUNTS.get(random.nextInt(AMOUNTS.size())),
                random.nextInt(10) == 0 ? null : random.nextLong(-5_000_000, 5_000_001));
    }

    private static List<Integer> cuts(Random random) {
        return random.ints(1 + random.nextInt(20), 0, 31).boxed().toList();
    }

    /** The outputs' content in the end, as sorted text; of streaming tables in order. */
    private Map<String, List<String>> run(List<Row> events, List<Integer> cuts, boolean audit) {
        var content = new TreeMap<String, List<String>>();
        var program = judged();
        try (var engine =
                new Engine(
                        program,
                        DuckSession.open(PipelineConfig.Duck.DEFAULT, TEMPORARY, root),
                        MaintenanceChoice.MEASURED)) {
            var from = 0;
            for (int number = 1; from < events.size() || number == 1; number++) {
                var size = number <= cuts.size() ? cuts.get(number - 1) : events.size();
                var to = Math.min(events.size(), from + size);
                apply(content, batch(engine, program, number, events.subList(from, to)));
                from = to;
                if (audit) {
                    assertThat(engine.audit()).allMatch(ViewAudit::equal);
                }
            }
        }
        for (var view : program.views()) {
            content.computeIfPresent(
                    view.name().toString(), (_, rows) -> rows.stream().sorted().toList());
        }
        return content;
    }

    private BatchOutcome.Done batch(Engine engine, Program program, long number, List<Row> events) {
        var schema = program.sources().getFirst().schema();
        try (var batch =
                new TableBatch(
                        TestRows.rows(root, schema, events), new long[events.size()], number)) {
            Map<TableName, List<TableBatch>> rows =
                    events.isEmpty() ? Map.of() : Map.of(EVENTS, List.of(batch));
            var outcome =
                    engine.run(new BatchInput(number, Instant.ofEpochSecond(2), rows, number == 1));
            assertThat(outcome).isInstanceOf(BatchOutcome.Done.class);
            return (BatchOutcome.Done) outcome;
        }
    }

    private static void apply(Map<String, List<String>> content, BatchOutcome.Done done) {
        done.changes()
                .forEach(
                        (table, changes) -> {
                            var rows =
                                    content.computeIfAbsent(
                                            table.toString(), _ -> new ArrayList<>());
                            for (var gone : unsigned(changes.deleted())) {
                                assertThat(rows.remove(gone)).as("%s was there", gone).isTrue();
                            }
                            rows.addAll(unsigned(changes.inserted()));
                            changes.close();
                        });
    }

    /** As texts; a zero's sign is no difference between rows. */
    private static List<String> unsigned(Rows rows) {
        return TestRows.texts(rows).stream()
                .map(text -> text.replaceAll("(?<![^|])-0\\.0(?![^|])", "0.0"))
                .toList();
    }

    private static Program judged() {
        return program()
                .source("c.b.events", "id BIGINT, key STRING, amount DOUBLE, ts TIMESTAMP")
                .stream(
                        "c.s.events",
                        "id BIGINT, key STRING, amount DOUBLE, ts TIMESTAMP",
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        condition("sane", "NOT isinf(amount)", OnViolation.DROP_ROW),
                        condition("has_time", "ts IS NOT NULL", OnViolation.WARN),
                        unique("once", OnViolation.DROP_ROW, "id", "key"),
                        unique("amounts", OnViolation.WARN, "amount"))
                .view(
                        "c.g.per_key",
                        "key STRING, n BIGINT, lo DOUBLE, hi DOUBLE, last TIMESTAMP",
                        "SELECT key, count(*) AS n, min(amount) AS lo, max(amount) AS hi,"
                                + " max(ts) AS last FROM {c.s.events: key, amount, ts}"
                                + " GROUP BY key")
                .view(
                        "c.g.recent",
                        "id BIGINT, amount DOUBLE",
                        "SELECT id, amount FROM {c.s.events: id, amount, ts}"
                                + " WHERE ts > {now} - INTERVAL 3 SECOND")
                .view(
                        "c.g.odd",
                        "amount DOUBLE, n BIGINT",
                        "SELECT amount, count(*) AS n FROM {c.g.recent: amount} GROUP BY amount"
                                + " UNION ALL SELECT hi, n FROM {c.g.per_key: hi, n}")
                .build();
    }
}
