package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourceText;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Views with pipelines.trigger.interval. */
final class ViewTurnsTest {
    private static final String TEXT =
            """
            CREATE TABLE c.b.t (id BIGINT, key STRING);
            CREATE MATERIALIZED VIEW c.g.chart
              TBLPROPERTIES ('pipelines.trigger.interval' = '10 seconds')
              AS SELECT key, count(*) AS n FROM c.b.t GROUP BY key;
            CREATE MATERIALIZED VIEW c.g.total REFRESH POLICY INCREMENTAL
              AS SELECT sum(n) AS n FROM c.g.chart;
            CREATE MATERIALIZED VIEW c.g.rows REFRESH POLICY FULL
              AS SELECT count(*) AS n FROM c.b.t;
            """;

    private static final Instant START = Instant.parse("2026-11-22T10:00:01Z");

    @TempDir Path folder;

    @Test
    void aViewIsRefreshedAtItsTurnAndThoseOverItFollow() {
        var world = world();
        world.now = START;
        world.start();
        settle(world, 0, "a", "b");
        assertThat(world.inDelta("c.g.chart")).containsExactlyInAnyOrder("a|1", "b|1");
        settle(world, 8, "a");
        assertThat(world.inDelta("c.g.chart")).containsExactlyInAnyOrder("a|1", "b|1");
        assertThat(world.inDelta("c.g.total")).containsExactly("2");
        assertThat(world.inDelta("c.g.rows")).containsExactly("3");
        assertThat(world.run().nextTurn()).contains(START.plusSeconds(9));
        assertThat(audited(world)).containsExactly("total", "rows");
        settle(world, 9, "c");
        assertThat(world.inDelta("c.g.chart")).containsExactlyInAnyOrder("a|2", "b|1", "c|1");
        assertThat(world.inDelta("c.g.total")).containsExactly("4");
        assertThat(world.run().nextTurn()).isEmpty();
        assertThat(audited(world)).containsExactly("chart", "total", "rows");
        world.close();
    }

    @Test
    void itsTurnComesWithoutInputToo() {
        var world = world();
        world.now = START;
        world.start();
        settle(world, 0, "a");
        settle(world, 1, "a");
        world.now = world.run().nextTurn().orElseThrow();
        assertThat(world.run().advance(true)).isInstanceOf(PipelineRun.Advance.Ran.class);
        assertThat(world.run().nextTurn()).isEmpty();
        world.round();
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|2");
        world.close();
    }

    @Test
    void aReplayRefreshesAtTheSameBatches() {
        var world = world();
        world.now = START;
        world.start();
        settle(world, 0, "a");
        for (int second = 1; second <= 25; second += 3) {
            world.now = START.plusSeconds(second);
            world.send("c.b.t", row(second, "a"));
            assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Ran.class);
        }
        world.crash();
        world.now = START.plusSeconds(26);
        world.start();
        world.settle();
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|8");
        assertThat(world.inDelta("c.g.total")).containsExactly("8");
        assertThat(world.inDelta("c.g.rows")).containsExactly("10");
        settle(world, 29, "b");
        assertThat(world.inDelta("c.g.chart")).containsExactlyInAnyOrder("a|10", "b|1");
        world.close();
    }

    /** Retractions, an outer join, and rows that the clock alone takes away. */
    @Test
    void severalBatchesAreTakenForOne() {
        var text =
                """
                CREATE TABLE c.b.t (id BIGINT, key STRING);
                CREATE TABLE c.b.e (key STRING, at TIMESTAMP);
                CREATE MATERIALIZED VIEW c.g.newest REFRESH POLICY FULL
                  AS SELECT key, max(id) AS id FROM c.b.t GROUP BY key;
                CREATE MATERIALIZED VIEW c.g.joined
                  TBLPROPERTIES ('pipelines.trigger.interval' = '5 seconds')
                  AS SELECT n.key, n.id, e.at FROM c.g.newest n LEFT JOIN c.b.e e ON e.key = n.key;
                CREATE MATERIALIZED VIEW c.g.recent
                  TBLPROPERTIES ('pipelines.trigger.interval' = '5 seconds')
                  AS SELECT key, count(*) AS n FROM c.b.e
                  WHERE at > now() - INTERVAL 15 SECONDS GROUP BY key;
                """;
        var world = world(text);
        world.now = START;
        world.start();
        var random = new Random(7);
        var audits = new TreeMap<String, Integer>();
        for (int i = 0; i < 80; i++) {
            world.now = world.now.plusMillis(random.nextLong(2_500));
            if (random.nextInt(4) > 0) {
                world.send("c.b.t", row((long) i, "k" + random.nextInt(6)));
            }
            if (random.nextInt(3) > 0) {
                var at = world.now.minusMillis(random.nextLong(20_000)).toEpochMilli() * 1_000;
                world.send("c.b.e", row("k" + random.nextInt(6), at));
            }
            world.run().advance(true);
            audited(world).forEach(view -> audits.merge(view, 1, Integer::sum));
        }
        assertThat(status(world, "joined").kinds()).doesNotContain(MaintenanceKind.RECOMPUTE);
        assertThat(status(world, "recent").kinds()).doesNotContain(MaintenanceKind.RECOMPUTE);
        assertThat(audits.get("newest")).isEqualTo(80);
        assertThat(audits.get("joined")).isBetween(10, 60);
        assertThat(audits.get("recent")).isBetween(10, 60);
        world.round();
        world.close();
    }

    private static ViewStatus status(TestWorld world, String view) {
        return Objects.requireNonNull(world.run().views().get(TableName.parse("c.g." + view)));
    }

    private TestWorld world() {
        return world(TEXT);
    }

    private TestWorld world(String text) {
        var sources = List.of(new SourceText("v.sql", text));
        var plan = CompilerProcess.compile("v", sources, folder.resolve("compiled")).orThrow();
        var world = new TestWorld(folder, Program.of(plan));
        world.keepViews(MaintenanceChoice.INCREMENTAL);
        return world;
    }

    private static void settle(TestWorld world, int second, String... keys) {
        world.now = START.plusSeconds(second);
        for (var key : keys) {
            world.send("c.b.t", row(1, key));
        }
        world.settle();
    }

    private static List<String> audited(TestWorld world) {
        var audits = world.run().audit();
        assertThat(audits).allMatch(ViewAudit::equal);
        return audits.stream().map(audit -> audit.view().table()).toList();
    }
}
