package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.GroupFeed;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streaming tables computed anew beside a pipeline. */
@Timeout(300)
final class RebuildTest {
    private static final TableName MORE = TableName.parse("c.s.more");
    private static final String BEFORE =
            """
            CREATE TABLE c.b.t (id BIGINT NOT NULL, x BIGINT);
            CREATE STREAMING TABLE c.s.t AS SELECT id, x FROM STREAM(c.b.t) WHERE x > 0;
            """;
    private static final String AFTER =
            BEFORE
                    + """
                    CREATE STREAMING TABLE c.s.more AS SELECT id, x * 2 AS y FROM STREAM(c.s.t);
                    CREATE MATERIALIZED VIEW c.g.n AS SELECT count(*) AS n FROM c.s.more;
                    """;

    @TempDir Path folder;

    /** The staged tables of one process. */
    private final Map<Path, DeltaTable> staged = new HashMap<>();

    @Test
    void aNewTableGetsTheRowsBeforeItThroughACrashInTheSwap() throws Exception {
        var first = new TestWorld(folder, Program.of(plan(BEFORE)));
        first.start();
        first.send("c.b.t", row(1, 5), row(2, 0), row(3, 7));
        first.settle();
        first.land();
        first.crash();

        var after = plan(AFTER);
        var world = new TestWorld(folder, Program.of(after));
        world.resume(first);
        world.open();
        var pipeline = folder.resolve("pipeline");
        assertThat(Rebuild.needed(after, pipeline, Set.of())).containsExactly(MORE);
        var wiring = wiring(world);
        var rebuild =
                Rebuild.start(
                        after,
                        Set.of(MORE),
                        PipelineConfig.DEFAULT,
                        wiring,
                        output -> stage(world, output));
        world.send("c.b.t", row(4, 9)); // behind the pipeline's position: not the rebuild's
        while (!rebuild.isCaughtUp()) {
            Thread.sleep(10);
        }
        assertThatThrownBy(
                        () ->
                                rebuild.swapInto(
                                        () -> {
                                            throw new IllegalStateException("killed");
                                        }))
                .hasMessage("killed");
        rebuild.close();
        assertThat(Rebuild.swapping(pipeline)).containsExactly(MORE);
        assertThat(world.inDelta("c.s.more")).isEmpty();

        Rebuild.finish(after, wiring, output -> stage(world, output));
        staged.values().forEach(DeltaTable::close);
        assertThat(world.inDelta("c.s.more")).containsExactly("1|10", "3|14");
        assertThat(Rebuild.swapping(pipeline)).isEmpty();
        assertThat(Rebuild.needed(after, pipeline, Set.of())).isEmpty();
        world.process().feed.close();

        world.crash();
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.t")).containsExactly("1|5", "3|7", "4|9");
        assertThat(world.inDelta("c.s.more")).containsExactly("1|10", "3|14", "4|18");
        assertThat(world.inDelta("c.g.n")).containsExactly("3");
        world.close();
    }

    /** The pipeline before took them after the new tables had been where it stood. */
    @Test
    void rowsThatThePipelineTookAtItsEndAreInTheNewTable() throws Exception {
        var first = new TestWorld(folder, Program.of(plan(BEFORE)));
        first.start();
        first.send("c.b.t", row(1, 5), row(3, 7));
        first.settle();
        first.land();
        first.crash();

        var after = plan(AFTER);
        var world = new TestWorld(folder, Program.of(after));
        world.resume(first);
        world.open();
        var positions = Rebuild.positions(folder.resolve("pipeline"));
        var taken = new AtomicLong(positions.getOrDefault(TableName.parse("c.b.t"), 0L));
        var rebuild =
                Rebuild.start(
                        after,
                        Set.of(MORE),
                        PipelineConfig.DEFAULT,
                        wiring(world, _ -> taken.get()),
                        output -> stage(world, output));
        world.send("c.b.t", row(4, 9));
        while (!rebuild.isCaughtUp()) {
            Thread.sleep(10);
        }
        taken.set(Long.MAX_VALUE);
        rebuild.swapInto(() -> {});
        rebuild.close();
        staged.values().forEach(DeltaTable::close);
        assertThat(world.inDelta("c.s.more")).containsExactly("1|10", "3|14", "4|18");
        world.process().feed.close();
        world.crash();
    }

    private PipelinePlan plan(String text) {
        return CompilerProcess.compile(
                        "test", List.of(new SourceText("t.sql", text)), folder.resolve("plans"))
                .orThrow();
    }

    private Pipeline.Wiring wiring(TestWorld world) {
        return wiring(
                world,
                source -> Rebuild.positions(folder.resolve("pipeline")).getOrDefault(source, 0L));
    }

    private Pipeline.Wiring wiring(TestWorld world, SourceLimits limits) {
        var opened = world.process();
        return new Pipeline.Wiring(
                opened.feeds,
                output -> Objects.requireNonNull(opened.tables.get(output.name())),
                new GroupFeed("test", 1),
                world.models,
                world.asked,
                folder.resolve("pipeline"),
                opened.allocator,
                Clock.systemUTC(),
                limits);
    }

    private DeltaTable stage(TestWorld world, PipelineOutputs.Output output) {
        var at = Rebuild.staging(folder.resolve("pipeline")).resolve(output.name().toString());
        return staged.computeIfAbsent(
                at,
                _ ->
                        DeltaTable.create(
                                at,
                                output.schema(),
                                DeltaConfig.DEFAULT,
                                world.process().allocator,
                                Clock.systemUTC()));
    }
}
