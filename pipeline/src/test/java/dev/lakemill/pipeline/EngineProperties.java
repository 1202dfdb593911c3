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
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterTry;
import org.apache.arrow.memory.RootAllocator;

/** Whatever comes in, and however it is cut into batches. */
final class EngineProperties {
    private static final TableName EVENTS = TableName.parse("c.b.events");
    private static final Path TEMPORARY = Path.of("target", "temporary");

    private final RootAllocator root = new RootAllocator();

    @AfterTry
    void nothingLeaks() {
        assertThat(root.getAllocatedMemory()).isZero();
    }

    @Property(tries = 25, seed = "20261122")
    void changesAddUpToViewsThatEqualTheirQueries(
            @ForAll("events") @Size(max = 120) List<Row> events,
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 0, max = 30) Integer> cuts) {
        run(events, cuts, true);
    }

    @Property(tries = 25, seed = "20261123")
    void cutsDoNotMatter(
            @ForAll("events") @Size(max = 120) List<Row> events,
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 0, max = 30) Integer> cuts) {
        assertThat(run(events, cuts, false)).isEqualTo(run(events, List.of(events.size()), false));
    }

    @Provide
    Arbitrary<List<Row>> events() {
        var ids = Arbitraries.longs().between(0, 40);
        var keys = Arbitraries.of("a", "b", "", "ä𝄞").injectNull(0.2);
        var amounts =
                Arbitraries.of(
                                0.0,
                                -0.0,
                                Double.NaN,
                                Double.POSITIVE_INFINITY,
                                Double.NEGATIVE_INFINITY,
                                Double.MIN_VALUE,
                                -Double.MAX_VALUE,
                                1.5,
                                -2.25)
                        .injectNull(0.2);
        var times = Arbitraries.longs().between(-5_000_000, 5_000_000).injectNull(0.1);
        return Combinators.combine(ids, keys, amounts, times)
                .as((id, key, amount, time) -> row(id, key, amount, time))
                .list()
                .ofMaxSize(120);
    }

    /** The outputs' content in the end, as sorted text; of streaming tables in order. */
    private Map<String, List<String>> run(List<Row> events, List<Integer> cuts, boolean audit) {
        var content = new TreeMap<String, List<String>>();
        var program = judged();
        try (var engine =
                new Engine(
                        program, DuckSession.open(PipelineConfig.Duck.DEFAULT, TEMPORARY, root))) {
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
