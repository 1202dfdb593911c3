package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourceText;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|1", "b|1");
        settle(world, 8, "a");
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|1", "b|1");
        assertThat(world.inDelta("c.g.total")).containsExactly("2");
        assertThat(world.inDelta("c.g.rows")).containsExactly("3");
        assertThat(world.run().nextTurn()).contains(START.plusSeconds(9));
        assertThat(audited(world)).containsExactly("total", "rows");
        settle(world, 9, "c");
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|2", "b|1", "c|1");
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
        assertThat(world.inDelta("c.g.chart")).containsExactly("a|10", "b|1");
        world.close();
    }

    private TestWorld world() {
        var sources = List.of(new SourceText("v.sql", TEXT));
        var plan = CompilerProcess.compile("v", sources, folder.resolve("compiled")).orThrow();
        var world = new TestWorld(folder, Program.of(plan));
        var usual = world.config;
        world.config =
                new PipelineConfig(
                        usual.batches(),
                        usual.rounds(),
                        usual.duck(),
                        new PipelineConfig.Views(MaintenanceChoice.INCREMENTAL, Duration.ZERO));
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
