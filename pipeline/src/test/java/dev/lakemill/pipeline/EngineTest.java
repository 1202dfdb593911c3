package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.condition;
import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestPrograms.unique;
import static dev.lakemill.pipeline.TestRows.row;
import static dev.lakemill.pipeline.TestRows.rows;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EngineTest {
    private static final String EVENTS =
            "id BIGINT NOT NULL, key STRING, amount DOUBLE, ts TIMESTAMP";

    @TempDir Path folder;
    private final RootAllocator root = new RootAllocator();
    private @Nullable Engine engine;
    private long number;

    /** Inserted and deleted rows of the last batch, by table. */
    private final Map<String, List<String>> inserted = new TreeMap<>();

    private final Map<String, List<String>> deleted = new TreeMap<>();
    private final Map<String, TableCount> counts = new TreeMap<>();

    @AfterEach
    void nothingLeaks() {
        if (engine != null) {
            engine.close();
        }
        root.close();
    }

    @Test
    void aStreamingTableAppendsWhatItsQueryGives() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        "id BIGINT NOT NULL, doubled DOUBLE, ts TIMESTAMP",
                        "SELECT _lakemill_row, id, 2 * amount AS doubled, ts FROM {stream c.b.events} WHERE amount > 1"));
        run(
                "c.b.events",
                row(1, "a", 1.0, 10),
                row(2, "b", 2.5, 1_000_001),
                row(3, null, null, 12));
        assertThat(inserted.get("c.s.events")).containsExactly("2|5.0|1000001");
        assertThat(deleted.get("c.s.events")).isEmpty();
        assertThat(counts.get("c.b.events")).isEqualTo(TableCount.allKept(3));
        assertThat(counts.get("c.s.events")).isEqualTo(TableCount.allKept(1));
    }

    @Test
    void rulesWarnDropAndQuarantine() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        condition("has_key", "key IS NOT NULL", OnViolation.QUARANTINE),
                        condition("positive", "amount > 0", OnViolation.DROP_ROW),
                        condition("small", "amount < 100", OnViolation.WARN)));
        run(
                "c.b.events",
                row(1, "a", 1.0, null),
                row(2, "b", 200.0, null),
                row(3, null, 5.0, null),
                row(4, "d", -1.0, null),
                row(5, null, -300.0, null),
                row(6, "f", null, null));
        assertThat(inserted.get("c.s.events")).containsExactly("1|a|1.0|null", "2|b|200.0|null");
        assertThat(inserted.get("c.s.events_quarantine"))
                .containsExactly(
                        "3|null|5.0|null|[\"has_key\"]|1",
                        "5|null|-300.0|null|[\"has_key\",\"positive\"]|1");
        var count = counts.get("c.s.events");
        assertThat(count)
                .isEqualTo(
                        new TableCount(
                                6,
                                2,
                                2,
                                2,
                                List.of(
                                        new TableCount.RuleCount("has_key", 4, 2),
                                        new TableCount.RuleCount("positive", 3, 3),
                                        new TableCount.RuleCount("small", 4, 2))));
    }

    @Test
    void aFailingUpdateChangesNothingAndNamesRowAndRule() {
        start(
                program().source("c.b.events", EVENTS).stream(
                                "c.s.events",
                                EVENTS,
                                "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                                condition("positive", "amount > 0", OnViolation.FAIL_UPDATE))
                        .view("c.g.total", "n BIGINT", "SELECT count(*) AS n FROM {c.s.events:}"));
        run("c.b.events", row(1, "a", 1.0, null));
        var outcome = outcome("c.b.events", row(2, "a", 1.0, null), row(3, "x", -7.5, null));
        assertThat(outcome).isInstanceOf(BatchOutcome.Rejected.class);
        var rejected = (BatchOutcome.Rejected) outcome;
        assertThat(rejected.reason())
                .contains("c.s.events", "positive EXPECT (amount > 0) at test.sql:1:1", "-7.5");
        run("c.b.events", row(4, "a", 1.0, null));
        assertThat(inserted.get("c.g.total")).containsExactly("2");
    }

    @Test
    void uniqueKeepsTheFirstOfTheBatchAndOfAllTime() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        condition("positive", "amount > 0", OnViolation.QUARANTINE),
                        unique("once", OnViolation.DROP_ROW, "key")));
        run(
                "c.b.events",
                row(1, "a", -1.0, null),
                row(2, "a", 1.0, null),
                row(3, "a", 2.0, null),
                row(4, null, 1.0, null),
                row(5, null, 2.0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("2|a|1.0|null", "4|null|1.0|null");
        run("c.b.events", row(6, "b", 1.0, null), row(7, "a", 1.0, null), row(8, null, 1.0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("6|b|1.0|null");
        assertThat(count("c.s.events").rules())
                .containsExactly(
                        new TableCount.RuleCount("positive", 3, 0),
                        new TableCount.RuleCount("once", 1, 2));
    }

    @Test
    void uniqueMayWarnOrQuarantine() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        unique("id_once", OnViolation.QUARANTINE, "id"),
                        unique("key_once", OnViolation.WARN, "key", "amount")));
        run("c.b.events", row(1, "a", 1.0, null), row(1, "a", 1.0, null), row(2, "a", 1.0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("1|a|1.0|null", "2|a|1.0|null");
        assertThat(inserted.get("c.s.events_quarantine"))
                .containsExactly("1|a|1.0|null|[\"id_once\"]|1");
        assertThat(count("c.s.events").rules())
                .containsExactly(
                        new TableCount.RuleCount("id_once", 2, 1),
                        new TableCount.RuleCount("key_once", 1, 1));
    }

    @Test
    void uniqueIsAsCountedOneByOne() {
        startUnique();
        assertUniqueIsAsCountedOneByOne();
        assertThat(running().keptKeys(running().program().streams().getFirst())).hasSize(2);
    }

    @Test
    void uniqueIsAsCountedOneByOneWithMoreKeysThanMemoryBears() {
        startUnique();
        var room = new KeptKeys.Room(500, 1_500);
        running().keysRoom(room);
        assertUniqueIsAsCountedOneByOne();
        assertThat(running().keptKeys(running().program().streams().getFirst())).isEmpty();
        assertThat(room.left()).isEqualTo(1_500);
    }

    @Test
    void moreKeptRowsThanMemoryBearsAreNotReadAtTheStart() {
        startUnique();
        var room = new KeptKeys.Room(500, 1_500);
        running().keysRoom(room);
        var kept = new ArrayList<Row>();
        for (long id = 0; id < 800; id++) {
            kept.add(row(id, "k" + id));
        }
        var schema = TestRows.schema("id BIGINT, key STRING");
        var batches = new ArrayDeque<>(List.of(rows(root, schema, kept)));
        var stream = running().program().streams().getFirst();
        running().loadKeys(stream, schema, batches::poll);
        assertThat(running().keptKeys(stream)).isEmpty();
        assertThat(room.left()).isEqualTo(1_500);
        run(
                "c.b.events",
                row(7L, "new", 1.0, null),
                row(900L, "k7", 1.0, null),
                row(901L, "k901", 1.0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("901|k901|1.0|null");
    }

    private void startUnique() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        unique("id_once", OnViolation.QUARANTINE, "id"),
                        unique("key_once", OnViolation.DROP_ROW, "key")));
    }

    private void assertUniqueIsAsCountedOneByOne() {
        var random = new Random(7);
        var ids = new HashSet<Long>();
        var keys = new HashSet<String>();
        for (int batch = 0; batch < 12; batch++) {
            var rows = new ArrayList<Row>();
            int size = batch % 4 == 3 ? 3_000 : random.nextInt(200);
            for (int i = 0; i < size; i++) {
                var key = random.nextInt(50) == 0 ? null : "k" + random.nextInt(4_000);
                rows.add(row((long) random.nextInt(3_000), key, 1.0, null));
            }
            run("c.b.events", rows);
            var idsNow = new HashSet<Long>();
            var first =
                    rows.stream()
                            .filter(r -> idsNow.add((Long) r.values()[0]))
                            .filter(r -> !ids.contains(r.values()[0]))
                            .toList();
            var keysNow = new HashSet<String>();
            var kept =
                    first.stream()
                            .filter(r -> keysNow.add((String) r.values()[1]))
                            .filter(r -> !keys.contains(r.values()[1]))
                            .toList();
            var texts =
                    kept.stream()
                            .map(r -> "%s|%s|1.0|null".formatted(r.values()[0], r.values()[1]))
                            .toList();
            assertThat(inserted.getOrDefault("c.s.events", List.of())).isEqualTo(texts);
            if (size > 0) {
                assertThat(count("c.s.events").rules())
                        .containsExactly(
                                new TableCount.RuleCount(
                                        "id_once", first.size(), size - first.size()),
                                new TableCount.RuleCount(
                                        "key_once", kept.size(), first.size() - kept.size()));
            }
            kept.forEach(r -> ids.add((Long) r.values()[0]));
            kept.forEach(r -> keys.add((String) r.values()[1]));
        }
    }

    @Test
    void uniqueThatFailsTheUpdateNamesTheRow() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        unique("once", OnViolation.FAIL_UPDATE, "id")));
        run("c.b.events", row(1, "a", 1.0, null));
        assertThat(outcome("c.b.events", row(2, "b", 1.0, null), row(1, "c", 1.0, null)))
                .isInstanceOfSatisfying(
                        BatchOutcome.Rejected.class,
                        rejected ->
                                assertThat(rejected.reason())
                                        .contains("fails the expectation once")
                                        .contains("'key': c"));
        run("c.b.events", row(2, "b", 1.0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("2|b|1.0|null");
    }

    @Test
    void rowsBetweenDoublesStayWhole() {
        var columns =
                "id BIGINT, name STRING, tags ARRAY<STRING>, parts STRUCT<a:BIGINT,b:STRING>,"
                        + " even BOOLEAN, amount DECIMAL(20,2)";
        var query =
                "SELECT _lakemill_row, id, key AS name, CASE WHEN id % 7 > 0 THEN"
                        + " [key, NULL, 'x' || id] END AS tags, {'a': id, 'b': key} AS parts,"
                        + " id % 2 = 0 AS even, amount::DECIMAL(20,2) AS amount FROM {stream %s}";
        start(
                program().source("c.b.single", EVENTS).source("c.b.events", EVENTS).stream(
                        "c.s.single", columns, query.replace("%s", "c.b.single"))
                        .stream(
                                "c.s.once",
                                columns,
                                query.replace("%s", "c.b.events"),
                                unique("once", OnViolation.QUARANTINE, "id")));
        var single = new ArrayList<Row>();
        var doubled = new ArrayList<Row>();
        for (long id = 0; id < 500; id++) {
            var row = row(id, id % 5 == 0 ? null : "k" + id, id / 2.0, null);
            single.add(row);
            doubled.add(row);
            if (id % 100 == 99) {
                doubled.add(row);
            }
        }
        run("c.b.single", single);
        var expected = inserted.get("c.s.single");
        run("c.b.events", doubled);
        assertThat(expected).hasSize(500);
        assertThat(inserted.get("c.s.once")).isEqualTo(expected);
        assertThat(inserted.get("c.s.once_quarantine"))
                .hasSize(5)
                .first(STRING)
                .startsWith(expected.get(99) + "|[\"once\"]");
    }

    @Test
    void keysOfABatchThatWasUndoneAreNew() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        EVENTS,
                        "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                        unique("once", OnViolation.DROP_ROW, "id"))
                        .stream(
                                "c.s.checked",
                                EVENTS,
                                "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.s.events}",
                                condition("positive", "amount > 0", OnViolation.FAIL_UPDATE)));
        assertThat(outcome("c.b.events", row(1, "a", 1.0, null), row(2, "b", -1.0, null)))
                .isInstanceOf(BatchOutcome.Rejected.class);
        run("c.b.events", row(1, "a", 1.0, null), row(1, "b", 1.0, null));
        assertThat(inserted.get("c.s.checked")).containsExactly("1|a|1.0|null");
    }

    @Test
    void theFirstInTheSourceWinsThoughAJoinTurnsRowsRound() {
        start(
                program()
                        .source("c.b.names", "key STRING, name STRING")
                        .source("c.b.events", EVENTS)
                        .stream(
                                "c.s.events",
                                "id BIGINT, name STRING",
                                "SELECT e._lakemill_row, e.id, n.name FROM {stream c.b.events} e"
                                        + " LEFT JOIN {c.b.names: key, name} n ON n.key = e.key",
                                unique("once", OnViolation.DROP_ROW, "name")));
        var names = new ArrayList<Row>();
        for (int i = 0; i < 500; i++) {
            names.add(row("k" + i, "n" + i % 2));
        }
        run("c.b.names", names);
        run("c.b.events", row(7, "k400", 0, null), row(8, "k2", 0, null), row(9, "k1", 0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("7|n0", "9|n1");
    }

    @Test
    void datasetsSeeWhatThoseBeforeThemDidInTheSameBatch() {
        start(
                program().source("c.b.events", EVENTS).stream(
                                "c.s.events",
                                EVENTS,
                                "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                                condition("has_key", "key IS NOT NULL", OnViolation.QUARANTINE))
                        .stream(
                                "c.s.big",
                                "id BIGINT",
                                "SELECT _lakemill_row, id FROM {stream c.s.events} WHERE amount > 10")
                        .view(
                                "c.g.per_key",
                                "key STRING, amount DOUBLE",
                                "SELECT key, sum(amount) AS amount FROM {c.s.events: key, amount} GROUP BY key")
                        .view(
                                "c.g.top",
                                "amount DOUBLE",
                                "SELECT max(amount) AS amount FROM {c.g.per_key: amount}")
                        .view(
                                "c.g.bad",
                                "n BIGINT",
                                "SELECT count(*) AS n FROM {c.s.events_quarantine:}"));
        run("c.b.events", row(1, "a", 5.0, null), row(2, "b", 20.0, null), row(3, null, 1.0, null));
        assertThat(inserted.get("c.s.big")).containsExactly("2");
        assertThat(inserted.get("c.g.per_key")).containsExactlyInAnyOrder("a|5.0", "b|20.0");
        assertThat(inserted.get("c.g.top")).containsExactly("20.0");
        assertThat(inserted.get("c.g.bad")).containsExactly("1");
        run("c.b.events", row(4, "a", 1.0, null));
        assertThat(inserted.get("c.g.per_key")).containsExactly("a|6.0");
        assertThat(deleted.get("c.g.per_key")).containsExactly("a|5.0");
        assertThat(inserted).containsOnlyKeys("c.s.events", "c.g.per_key");
    }

    @Test
    void viewsOfTheClockAreRefreshedWithoutInput() {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view(
                                "c.g.recent",
                                "id BIGINT",
                                "SELECT id FROM {c.b.events: id, ts} WHERE ts > {now} - INTERVAL 10 SECOND"));
        run("c.b.events", row(1, "a", 0, at(0)), row(2, "a", 0, at(5)));
        assertThat(inserted.get("c.g.recent")).containsExactlyInAnyOrder("1", "2");
        number = 11;
        run("c.b.events", List.of());
        assertThat(deleted.get("c.g.recent")).containsExactly("1");
        assertThat(inserted.get("c.g.recent")).isEmpty();
        number = 12;
        run("c.b.events", List.of());
        assertThat(inserted).isEmpty();
    }

    @Test
    void nullsAndNansAreNoChangesButZeroSignsAre() {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view(
                                "c.g.odd",
                                "key STRING, amount DOUBLE, n BIGINT",
                                "SELECT key, CASE WHEN n % 2 = 1 THEN amount ELSE -amount END AS amount, 0::BIGINT AS n"
                                        + " FROM (VALUES (NULL, 'nan'::DOUBLE), ('z', 0.0::DOUBLE), ('z', 0.0::DOUBLE), (NULL, NULL)) v(key, amount),"
                                        + " (SELECT count(*) AS n FROM {c.b.events:})"));
        run("c.b.events", row(1, "a", 0, null));
        assertThat(inserted.get("c.g.odd")).hasSize(4);
        run("c.b.events", row(2, "a", 0, null));
        assertThat(inserted.get("c.g.odd")).containsExactly("z|-0.0|0", "z|-0.0|0");
        assertThat(deleted.get("c.g.odd")).containsExactly("z|0.0|0", "z|0.0|0");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theSignOfAZeroReachesViewsThatTellIt(boolean inDuck) {
        var newest = "max_by(amount, ts) AS v FROM {c.b.events: id, amount, ts} GROUP BY id";
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view("c.g.newest", "id BIGINT, v DOUBLE", "SELECT id, " + newest)
                        .view(
                                "c.g.list",
                                "id BIGINT, v ARRAY<DOUBLE>",
                                "SELECT id, [v] AS v FROM (SELECT id, " + newest + ")")
                        .view(
                                "c.g.texts",
                                "v STRING, l STRING",
                                "SELECT n.v::VARCHAR AS v, l.v::VARCHAR AS l"
                                        + " FROM {c.g.newest: id, v} n"
                                        + " JOIN {c.g.list: id, v} l ON n.id = l.id"));
        var values = List.of(5.0, 0.0, -0.0, 7.5);
        for (int i = 0; i < values.size(); i++) {
            if (inDuck) {
                running()
                        .program()
                        .views()
                        .forEach(view -> running().maintenance(view.name()).undone());
            }
            var value = values.get(i);
            run("c.b.events", row(1, "a", value, at(i)));
            assertThat(inserted.get("c.g.newest")).containsExactly("1|" + value);
            assertThat(inserted.get("c.g.list")).containsExactly("1|[" + value + "]");
            assertThat(inserted.get("c.g.texts")).containsExactly(value + "|[" + value + "]");
            assertThat(running().audit()).allMatch(ViewAudit::equal);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void ofZerosOfBothSignsTheRightOneGoes(long gone) {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view(
                                "c.g.kept",
                                "key STRING, amount DOUBLE",
                                "SELECT key, amount FROM {c.b.events: id, key, amount}"
                                        + " WHERE key <> 'gone' AND id NOT IN (SELECT id"
                                        + " FROM {c.b.events: id, key} WHERE key = 'gone')"));
        var rows = new ArrayList<>(List.of(row(1, "z", -0.0, null), row(2, "z", 0.0, null)));
        // So many that single rows are taken out of the table.
        for (long id = 3; id < 20_000; id++) {
            rows.add(row(id, "k" + id, 1.0, null));
        }
        run("c.b.events", rows);
        run("c.b.events", row(gone, "gone", 0.0, null));
        assertThat(deleted.get("c.g.kept")).containsExactly(gone == 1 ? "z|-0.0" : "z|0.0");
        assertThat(inserted.get("c.g.kept")).isEmpty();
        var left =
                "SELECT list(amount)::VARCHAR FROM %s WHERE key = 'z'"
                        .formatted(Engine.whole(TableName.parse("c.g.kept")));
        assertThat(running().duck().text(left)).isEqualTo(gone == 1 ? "[0.0]" : "[-0.0]");
    }

    @Test
    void equalRowsCountAsOftenAsTheyStand() {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view(
                                "c.g.keys",
                                "key STRING",
                                "SELECT key FROM {c.b.events: key, id} WHERE id <= (SELECT max(id) FROM {c.b.events: id}) AND id > (SELECT max(id) - 3 FROM {c.b.events: id})"));
        run("c.b.events", row(1, "a", 0, null), row(2, "a", 0, null), row(3, "b", 0, null));
        assertThat(inserted.get("c.g.keys")).containsExactlyInAnyOrder("a", "a", "b");
        run("c.b.events", row(6, "c", 0, null), row(5, "c", 0, null), row(4, "c", 0, null));
        assertThat(inserted.get("c.g.keys")).containsExactly("c", "c", "c");
        assertThat(deleted.get("c.g.keys")).containsExactlyInAnyOrder("a", "a", "b");
    }

    @Test
    void aViewMayDropOrFailToo() {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view(
                                "c.g.per_key",
                                "key STRING, amount DOUBLE",
                                "SELECT key, sum(amount) AS amount FROM {c.b.events: key, amount} GROUP BY key",
                                condition("known", "key IS NOT NULL", OnViolation.DROP_ROW),
                                condition("sane", "amount < 1000", OnViolation.FAIL_UPDATE)));
        run("c.b.events", row(1, "a", 1.0, null), row(2, null, 1.0, null));
        assertThat(inserted.get("c.g.per_key")).containsExactly("a|1.0");
        assertThat(count("c.g.per_key").dropped()).isEqualTo(1);
        assertThat(outcome("c.b.events", row(3, "a", 5000.0, null)))
                .isInstanceOf(BatchOutcome.Rejected.class);
    }

    @Test
    void aValueThatCannotBeComputedWithRejectsTheBatch() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        "id BIGINT",
                        "SELECT _lakemill_row, cast(key AS BIGINT) AS id FROM {stream c.b.events}"));
        var outcome = outcome("c.b.events", row(1, "12", 0, null), row(2, "twelve", 0, null));
        assertThat(((BatchOutcome.Rejected) outcome).reason()).contains("c.s.events", "twelve");
        run("c.b.events", row(1, "12", 0, null));
        assertThat(inserted.get("c.s.events")).containsExactly("12");
    }

    @Test
    void aMissingValueInARequiredColumnRejectsTheBatch() {
        start(
                program().source("c.b.events", EVENTS).stream(
                        "c.s.events",
                        "key STRING NOT NULL",
                        "SELECT _lakemill_row, key FROM {stream c.b.events}"));
        var outcome = outcome("c.b.events", row(1, null, 0, null));
        assertThat(((BatchOutcome.Rejected) outcome).reason()).contains("c.s.events", "key");
    }

    @Test
    void aSnapshotReadsTheOldContentWhileBatchesGoOn() {
        start(
                program()
                        .source("c.b.events", EVENTS)
                        .view("c.g.n", "n BIGINT", "SELECT count(*) AS n FROM {c.b.events:}"));
        run("c.b.events", row(1, "a", 0, null));
        var running = running();
        var view = running.program().views().getFirst();
        var sql = Engine.content(view);
        try (var snapshot = running.duck().snapshot(Engine.whole(view.name()))) {
            run("c.b.events", row(2, "a", 0, null));
            run("c.b.events", row(3, "a", 0, null));
            var batches = snapshot.read(sql, view.schema());
            try (var rows = batches.next()) {
                assertThat(TestRows.texts(rows)).containsExactly("1");
            }
            assertThat(batches.hasNext()).isFalse();
        }
    }

    private void start(TestPrograms program) {
        var duck = DuckSession.open(PipelineConfig.Duck.DEFAULT, folder.resolve("tmp"), root);
        engine = new Engine(program.build(), duck, MaintenanceChoice.MEASURED);
    }

    private Engine running() {
        if (engine == null) {
            throw new IllegalStateException("start first");
        }
        return engine;
    }

    private void run(String source, Row... values) {
        run(source, List.of(values));
    }

    private void run(String source, List<Row> values) {
        inserted.clear();
        deleted.clear();
        counts.clear();
        var outcome = outcome(source, values);
        assertThat(outcome).isInstanceOf(BatchOutcome.Done.class);
        var done = (BatchOutcome.Done) outcome;
        done.counts().forEach((table, count) -> counts.put(table.toString(), count));
        done.changes()
                .forEach(
                        (table, changes) -> {
                            inserted.put(table.toString(), TestRows.texts(changes.inserted()));
                            deleted.put(table.toString(), TestRows.texts(changes.deleted()));
                            changes.close();
                        });
    }

    private BatchOutcome outcome(String source, Row... values) {
        return outcome(source, List.of(values));
    }

    private BatchOutcome outcome(String source, List<Row> values) {
        var table = TableName.parse(source);
        var schema =
                running().program().sources().stream()
                        .filter(s -> s.name().equals(table))
                        .findFirst()
                        .orElseThrow()
                        .schema();
        var input = new HashMap<TableName, List<TableBatch>>();
        number++;
        if (!values.isEmpty()) {
            var batch = new TableBatch(rows(root, schema, values), new long[values.size()], number);
            input.put(table, List.of(batch));
        }
        try {
            return running()
                    .run(new BatchInput(number, Instant.ofEpochSecond(number), input, number == 1));
        } finally {
            input.values().forEach(batches -> batches.forEach(TableBatch::close));
        }
    }

    private TableCount count(String table) {
        return counts.getOrDefault(table, TableCount.allKept(0));
    }

    private static long at(long second) {
        return second * 1_000_000;
    }
}
