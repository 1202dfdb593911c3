package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourceText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** AUTO CDC against a plain reading of its rules, whatever the order of arrival. */
final class AutoCdcTest {
    private static final String TEXT =
            """
            CREATE TABLE c.b.e (id BIGINT NOT NULL, op STRING, n BIGINT NOT NULL, a STRING, b INT);
            CREATE STREAMING TABLE c.s.one FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
              APPLY AS DELETE WHEN op = 'D' APPLY AS TRUNCATE WHEN op = 'T' SEQUENCE BY n
              COLUMNS * EXCEPT (op);
            CREATE STREAMING TABLE c.s.filled FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
              IGNORE NULL UPDATES ON (b) APPLY AS DELETE WHEN op = 'D' SEQUENCE BY n
              COLUMNS (id, a, b) STORED AS SCD TYPE 1;
            CREATE STREAMING TABLE c.s.two FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
              APPLY AS DELETE WHEN op = 'D' SEQUENCE BY n COLUMNS (id, a, b) STORED AS SCD TYPE 2;
            CREATE STREAMING TABLE c.s.tracked;
            CREATE FLOW tracked AS AUTO CDC INTO c.s.tracked FROM STREAM(c.b.e) KEYS (id)
              APPLY AS DELETE WHEN op = 'D' SEQUENCE BY n COLUMNS (id, a, b) STORED AS SCD TYPE 2
              TRACK HISTORY ON * EXCEPT (b, op, n);
            CREATE STREAMING TABLE c.s.filled_two FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
              IGNORE NULL UPDATES APPLY AS DELETE WHEN op = 'D' SEQUENCE BY n
              COLUMNS (id, a, b) STORED AS SCD TYPE 2;
            """;

    @TempDir Path folder;

    private record Event(long id, String op, long n, @Nullable String a, @Nullable Integer b) {
        Event with(@Nullable String newA, @Nullable Integer newB) {
            return new Event(id, op, n, newA, newB);
        }
    }

    @Test
    void shuffledBatchesGiveWhatTheRulesSay() {
        var plan =
                CompilerProcess.compile("test", List.of(new SourceText("t.sql", TEXT)), folder)
                        .orThrow();
        var program = Program.of(plan);
        Seeds.check(
                2,
                seed -> {
                    var random = new Random(seed);
                    var events = events(random);
                    var arrived = new ArrayList<>(events);
                    Collections.shuffle(arrived, random);
                    var world = new TestWorld(Files.createTempDirectory(folder, "w"), program);
                    world.start();
                    for (int i = 0; i < arrived.size(); ) {
                        for (int more = 1 + random.nextInt(12); more > 0; more--) {
                            if (i < arrived.size()) {
                                var e = arrived.get(i++);
                                world.send("c.b.e", row(e.id, e.op, e.n, e.a, e.b));
                            }
                        }
                        assertThat(world.run().advance(false))
                                .isInstanceOf(PipelineRun.Advance.Ran.class);
                        if (random.nextInt(5) == 0) {
                            world.settle();
                            world.crash();
                            world.start();
                        }
                    }
                    world.settle();
                    assertThat(sorted(world, "c.s.one")).isEqualTo(newest(untruncated(events)));
                    assertThat(sorted(world, "c.s.filled"))
                            .isEqualTo(
                                    newest(filled(events, false)).stream()
                                            .map(text -> text.replaceFirst("\\|\\d+", ""))
                                            .toList());
                    assertThat(sorted(world, "c.s.two")).isEqualTo(versions(events, true));
                    assertThat(sorted(world, "c.s.tracked")).isEqualTo(versions(events, false));
                    assertThat(sorted(world, "c.s.filled_two"))
                            .isEqualTo(versions(filled(events, true), true));
                    world.close();
                });
    }

    /** In the order of their sequence. */
    private static List<Event> events(Random random) {
        return LongStream.rangeClosed(1, 60)
                .mapToObj(
                        n ->
                                new Event(
                                        random.nextInt(4),
                                        switch (random.nextInt(14)) {
                                            case 0, 1 -> "D";
                                            case 2 -> random.nextInt(4) == 0 ? "T" : "U";
                                            default -> "U";
                                        },
                                        n,
                                        random.nextInt(4) == 0 ? null : "a" + random.nextInt(2),
                                        random.nextInt(3) == 0 ? null : random.nextInt(3)))
                .toList();
    }

    private static List<String> sorted(TestWorld world, String table) {
        return world.inDelta(table).stream().sorted().toList();
    }

    private static List<Event> of(List<Event> events, long id) {
        return events.stream().filter(e -> e.id == id).toList();
    }

    private static List<Event> untruncated(List<Event> events) {
        var last =
                events.stream().filter(e -> e.op.equals("T")).mapToLong(Event::n).max().orElse(0);
        return events.stream().filter(e -> e.n > last).toList();
    }

    private static List<String> newest(List<Event> events) {
        var found = new ArrayList<String>();
        for (long id = 0; id < 4; id++) {
            of(events, id).stream()
                    .max(Comparator.comparingLong(Event::n))
                    .filter(e -> !e.op.equals("D"))
                    .ifPresent(e -> found.add("%d|%d|%s|%s".formatted(e.id, e.n, e.a, e.b)));
        }
        return found.stream().sorted().toList();
    }

    private static List<Event> filled(List<Event> events, boolean all) {
        var filled = new ArrayList<Event>();
        for (long id = 0; id < 4; id++) {
            String a = null;
            Integer b = null;
            for (var e : of(events, id)) {
                if (e.op.equals("D")) {
                    a = null;
                    b = null;
                    filled.add(e);
                } else {
                    a = e.a == null && all ? a : e.a;
                    b = e.b == null ? b : e.b;
                    filled.add(e.with(a, b));
                }
            }
        }
        return filled;
    }

    private static List<String> versions(List<Event> events, boolean trackB) {
        var found = new ArrayList<String>();
        for (long id = 0; id < 4; id++) {
            Event first = null;
            Event last = null;
            for (var e : of(events, id)) {
                var same =
                        last != null
                                && first != null
                                && !e.op.equals("D")
                                && Objects.equals(e.a, last.a)
                                && (!trackB || Objects.equals(e.b, last.b));
                if (!same && first != null && last != null) {
                    found.add(version(first, last, Long.toString(e.n)));
                    first = null;
                }
                first = e.op.equals("D") ? null : first == null ? e : first;
                last = e.op.equals("D") ? null : e;
            }
            if (first != null && last != null) {
                found.add(version(first, last, "null"));
            }
        }
        return found.stream().sorted().toList();
    }

    private static String version(Event first, Event last, String end) {
        return "%d|%s|%s|%d|%s".formatted(first.id, last.a, last.b, first.n, end);
    }

    @Test
    void aStructIsASequenceOfItsColumnsInOrder() {
        var text =
                """
                CREATE TABLE c.b.e (id BIGINT NOT NULL, day INT, n BIGINT, a STRING);
                CREATE STREAMING TABLE c.s.one FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
                  SEQUENCE BY STRUCT(day, n) COLUMNS (id, a);
                CREATE STREAMING TABLE c.s.two FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
                  APPLY AS DELETE WHEN a = 'gone' SEQUENCE BY STRUCT(day, n) COLUMNS (id, a)
                  STORED AS SCD TYPE 2;
                CREATE STREAMING TABLE c.s.filled FLOW AUTO CDC FROM STREAM(c.b.e) KEYS (id)
                  IGNORE NULL UPDATES SEQUENCE BY STRUCT(day, n) COLUMNS (id, a)
                  STORED AS SCD TYPE 2;
                CREATE MATERIALIZED VIEW c.g.two AS SELECT id, a, __START_AT.day AS d,
                  __START_AT.n AS n, __END_AT.day AS d2, __END_AT.n AS n2 FROM c.s.two;
                CREATE MATERIALIZED VIEW c.g.filled AS SELECT id, a, __START_AT.day AS d,
                  __START_AT.n AS n, __END_AT.day AS d2, __END_AT.n AS n2 FROM c.s.filled;
                """;
        var plan =
                CompilerProcess.compile("test", List.of(new SourceText("t.sql", text)), folder)
                        .orThrow();
        var world = new TestWorld(folder, Program.of(plan));
        world.start();
        world.send("c.b.e", row(1, 2, 1, "third"), row(1, 1, 9, "second"));
        world.settle();
        world.send("c.b.e", row(1, 1, 2, "first"), row(1, 1, 2, "first b"));
        world.settle();
        world.send("c.b.e", row(1, null, 5, "no day"), row(2, 7, 1, "a"), row(2, 7, 3, "gone"));
        world.send("c.b.e", row(1, 1, 4, null));
        world.settle();
        assertThat(world.inDelta("c.s.one")).containsExactlyInAnyOrder("1|third", "2|gone");
        assertThat(world.inDelta("c.g.two"))
                .containsExactlyInAnyOrder(
                        "1|no day|null|5|1|2",
                        "1|first b|1|2|1|4",
                        "1|null|1|4|1|9",
                        "1|second|1|9|2|1",
                        "1|third|2|1|null|null",
                        "2|a|7|1|7|3");
        assertThat(world.inDelta("c.g.filled"))
                .containsExactlyInAnyOrder(
                        "1|no day|null|5|1|2",
                        "1|first b|1|2|1|9",
                        "1|second|1|9|2|1",
                        "1|third|2|1|null|null",
                        "2|a|7|1|7|3",
                        "2|gone|7|3|null|null");
        world.crash();
        world.start();
        world.settle();
        assertThat(world.run().audit()).allMatch(a -> a.missing() + a.surplus() == 0);
        world.close();
    }
}
