package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.condition;
import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestPrograms.unique;
import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random input, batches, rounds, refusals and kills between and within any two effects. Whatever
 * happened, in the end each row stands in each table once, in order; views equal their queries; the
 * counts add up; and a follower of the feed has what Delta has.
 */
final class CrashTest {
    private static final TableName EVENTS = TableName.parse("c.b.events");
    private static final TableName NAMES = TableName.parse("c.b.names");
    private static final int STEPS = 60;

    @TempDir Path folder;

    static LongStream seeds() {
        var one = Long.getLong("lakemill.seed");
        return one == null ? LongStream.range(0, 12) : LongStream.of(one);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyRowCountsOnceWhateverHappens(long seed) throws InterruptedException {
        var random = new Random(seed);
        var faults = new Faults(random);
        var world = new TestWorld(folder, farm(random.nextBoolean()));
        world.disk = faults.disk();
        world.outputTables = faults::output;
        var replica = new Replica();
        var round = new CommitRound[1];
        start(world, faults, replica);
        for (int i = 0; i < STEPS; i++) {
            try {
                step(world, random, replica, round);
            } catch (Faults.Crash _) {
                faults.none();
                world.crash();
                round[0] = null;
                world.now = world.now.plusSeconds(random.nextInt(5));
                start(world, faults, replica);
            }
            if (random.nextInt(4) == 0) {
                faults.crashAfter(random.nextInt(8));
            }
            faults.refuse(random.nextInt(5) == 0 ? 0.3 : 0);
        }
        faults.none();
        finish(world, round[0], replica);
        check(world, replica);
        world.close();
    }

    private static void start(TestWorld world, Faults faults, Replica replica) {
        faults.none();
        replica.part();
        world.start();
    }

    private static void step(
            TestWorld world, Random random, Replica replica, @Nullable CommitRound[] round)
            throws InterruptedException {
        switch (random.nextInt(9)) {
            case 0, 1 -> world.send(EVENTS, events(random));
            case 2 -> world.send(NAMES, names(random));
            case 3 -> world.land();
            case 4 -> replica.follow(world.process().feed, random.nextInt(4));
            case 5, 6 -> {
                world.now = world.now.plusMillis(random.nextInt(3000));
                var advance = world.run().advance(random.nextBoolean());
                assertThat(advance).isNotInstanceOf(PipelineRun.Advance.Failed.class);
            }
            default -> {
                var begun = round[0];
                if (begun == null) {
                    round[0] = world.run().beginRound();
                } else {
                    round[0] = null;
                    world.run().finishRound(begun, begun.run());
                }
            }
        }
    }

    private static void finish(TestWorld world, @Nullable CommitRound begun, Replica replica)
            throws InterruptedException {
        if (begun != null) {
            world.run().finishRound(begun, begun.run());
        }
        world.settle();
        replica.follow(world.process().feed, Integer.MAX_VALUE);
    }

    private static void check(TestWorld world, Replica replica) {
        var expected = new Expected(world.rows(EVENTS));
        assertThat(world.inDelta("c.s.events")).isEqualTo(expected.kept);
        assertThat(withoutBatch(world.inDelta("c.s.events_quarantine")))
                .isEqualTo(expected.quarantined);
        assertThat(world.inDelta("c.s.big")).isEqualTo(expected.big);
        assertThat(world.inDelta("c.g.per_key"))
                .containsExactlyInAnyOrderElementsOf(expected.perKey());
        var count = world.run().counts().get(TableName.parse("c.s.events"));
        assertThat(count).isNotNull();
        if (count != null) {
            assertThat(count.in()).isEqualTo(world.rows(EVENTS).size());
            assertThat(count.kept()).isEqualTo(expected.kept.size());
            assertThat(count.quarantined()).isEqualTo(expected.quarantined.size());
            assertThat(count.in()).isEqualTo(count.kept() + count.quarantined() + count.dropped());
        }
        for (var audit : world.run().audit()) {
            assertThat(audit.equal()).as(audit.toString()).isTrue();
        }
        assertThat(replica.batch()).isEqualTo(world.run().last().number());
        for (var output : world.program.outputs()) {
            var name = output.name().toString();
            assertThat(replica.rows(name))
                    .as(name)
                    .containsExactlyInAnyOrderElementsOf(world.inDelta(name));
        }
    }

    /** What a reader of all events in order would keep. */
    private static final class Expected {
        private final List<String> kept = new ArrayList<>();
        private final List<String> quarantined = new ArrayList<>();
        private final List<String> big = new ArrayList<>();
        private final Map<String, long[]> sums = new TreeMap<>();

        Expected(Map<Long, Row> events) {
            var seen = new HashSet<Object>();
            for (var event : events.values()) {
                var values = event.values();
                var text = "%s|%s|%s|%s".formatted(values);
                var amount = (Long) values[2];
                if (amount == null || amount <= 0) {
                    var failed = new ArrayList<String>(List.of("\"positive\""));
                    if (values[1] == null) {
                        failed.add("\"has_key\"");
                    }
                    if (amount == null) {
                        failed.add("\"small\"");
                    }
                    quarantined.add(text + "|[" + String.join(",", failed) + "]");
                } else if (values[1] != null && seen.add(String.valueOf(values[0]))) {
                    kept.add(text);
                    var sum = sums.computeIfAbsent(String.valueOf(values[1]), _ -> new long[2]);
                    sum[0]++;
                    sum[1] += amount;
                    if (amount > 50) {
                        big.add(values[0] + "|" + amount);
                    }
                }
            }
        }

        List<String> perKey() {
            return sums.entrySet().stream()
                    .map(e -> e.getKey() + "|" + e.getValue()[0] + "|" + e.getValue()[1])
                    .toList();
        }
    }

    /** A batch number depends on when rows came, not on which. */
    private static List<String> withoutBatch(List<String> rows) {
        return rows.stream().map(row -> row.substring(0, row.lastIndexOf('|'))).toList();
    }

    private static List<Row> events(Random random) {
        var rows = new ArrayList<Row>();
        for (int i = random.nextInt(30); i >= 0; i--) {
            rows.add(
                    row(
                            (long) random.nextInt(400),
                            random.nextInt(8) == 0 ? null : "k" + random.nextInt(6),
                            random.nextInt(20) == 0 ? null : (Long) (random.nextLong(120) - 20),
                            1_795_341_600_000_000L + random.nextInt(60_000_000)));
        }
        return rows;
    }

    private static List<Row> names(Random random) {
        return List.of(row("k" + random.nextInt(6), "name " + random.nextInt(100)));
    }

    /**
     * @param clock whether a view uses now()
     */
    private static Program farm(boolean clock) {
        var program =
                program()
                        .source(
                                "c.b.events",
                                "id BIGINT NOT NULL, key STRING, amount BIGINT, ts TIMESTAMP")
                        .source("c.b.names", "key STRING, name STRING")
                        .stream(
                                "c.s.events",
                                "id BIGINT NOT NULL, key STRING, amount BIGINT, ts TIMESTAMP",
                                "SELECT _lakemill_row, id, key, amount, ts"
                                        + " FROM {stream c.b.events}",
                                condition("positive", "amount > 0", OnViolation.QUARANTINE),
                                condition("has_key", "key IS NOT NULL", OnViolation.DROP_ROW),
                                condition("small", "amount < 90", OnViolation.WARN),
                                unique("once", OnViolation.DROP_ROW, "id"))
                        .stream(
                                "c.s.big",
                                "id BIGINT, amount BIGINT",
                                "SELECT _lakemill_row, id, amount FROM {stream c.s.events}"
                                        + " WHERE amount > 50")
                        .view(
                                "c.g.per_key",
                                "key STRING, n BIGINT, amount BIGINT",
                                "SELECT key, count(*) AS n, sum(amount)::BIGINT AS amount"
                                        + " FROM {c.s.events: key, amount} GROUP BY key")
                        .view(
                                "c.g.named",
                                "name STRING, n BIGINT",
                                "SELECT name, n FROM {c.g.per_key: key, n} JOIN"
                                        + " (SELECT key, max(name) AS name"
                                        + " FROM {c.b.names: key, name} GROUP BY key) USING (key)")
                        .view(
                                "c.g.bad",
                                "key STRING, n BIGINT",
                                "SELECT key, count(*) AS n FROM {c.s.events_quarantine: key}"
                                        + " GROUP BY key");
        return clock
                ? program.view(
                                "c.g.recent",
                                "key STRING, share DOUBLE",
                                "SELECT key, sum(amount / 7.0)::DOUBLE AS share"
                                        + " FROM {c.s.events: key, amount, ts}"
                                        + " WHERE ts > {now} - INTERVAL 20 SECOND GROUP BY key")
                        .build()
                : program.build();
    }
}
