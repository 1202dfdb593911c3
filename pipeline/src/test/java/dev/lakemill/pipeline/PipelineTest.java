package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.condition;
import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestPrograms.unique;
import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The pipeline with its threads. */
@Timeout(300)
final class PipelineTest {
    private static final TableName EVENTS = TableName.parse("c.b.events");

    @TempDir Path folder;
    private final Faults faults = new Faults(new Random(1));
    private TestWorld world = new TestWorld(Path.of("."), program().build());

    @BeforeEach
    void makeWorld() {
        world = world(false);
    }

    @Test
    void rowsAreInDeltaAfterAClose() throws InterruptedException {
        var pipeline = start();
        world.send("c.b.events", row(1, "a", 5), row(2, null, 1), row(1, "a", 5));
        var running = until(pipeline, status -> status.batch() >= 1);
        assertThat(running.state()).isEqualTo(PipelineStatus.State.RUNNING);
        pipeline.close();
        var stopped = pipeline.status();
        assertThat(stopped.state()).isEqualTo(PipelineStatus.State.STOPPED);
        assertThat(stopped.committedBatch()).isEqualTo(stopped.batch());
        assertThat(stopped.tables().get(EVENTS)).isEqualTo(TableCount.allKept(3));
        assertThat(stopped.backlog()).containsEntry(EVENTS, 0L);
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5");
        world.close();
    }

    @Test
    void roundsGoOnBesideTheBatches() throws InterruptedException {
        var pipeline = start();
        for (int i = 0; i < 50; i++) {
            world.send("c.b.events", row(i, "a", 1));
            until(pipeline, status -> status.backlog().getOrDefault(EVENTS, 1L) == 0);
        }
        var status = until(pipeline, s -> s.batch() == s.committedBatch());
        assertThat(status.batch()).isGreaterThan(1);
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|50");
        pipeline.close();
        world.close();
    }

    @Test
    void theClockAloneRunsBatches() throws InterruptedException {
        world = world(true);
        var pipeline = start();
        until(pipeline, status -> status.batch() >= 3);
        pipeline.close();
        world.close();
    }

    @Test
    void anAuditIsAnsweredBetweenBatches() throws InterruptedException {
        var pipeline = start();
        world.send("c.b.events", row(1, "a", 5));
        until(pipeline, status -> status.batch() >= 1);
        assertThat(pipeline.audit()).allMatch(ViewAudit::equal).hasSize(1);
        pipeline.close();
        assertThatThrownBy(pipeline::audit).isInstanceOf(LakemillException.class);
        world.close();
    }

    @Test
    void aFailedPipelineKeepsItsTablesAndSaysWhy() throws InterruptedException {
        var pipeline = start();
        world.send("c.b.events", row(1, "a", 5));
        until(pipeline, status -> status.batch() >= 1);
        world.send("c.b.events", row(2, "a", -5));
        var status = until(pipeline, s -> s.state() == PipelineStatus.State.FAILED);
        assertThat(status.error()).contains("never_negative", "-5");
        assertThat(status.hint()).isNotEmpty();
        until(pipeline, s -> s.committedBatch() == 1);
        assertThat(pipeline.audit()).allMatch(ViewAudit::equal);
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5");
        pipeline.close();
        world.close();
    }

    @Test
    void aPipelineThatCannotStartSaysWhy() throws InterruptedException {
        start().close();
        world.close();
        world =
                new TestWorld(
                        folder,
                        program()
                                .source(
                                        "c.b.events",
                                        "id BIGINT NOT NULL, key STRING, amount BIGINT")
                                .stream(
                                        "c.s.events",
                                        "other BIGINT",
                                        "SELECT _lakemill_row, id AS other"
                                                + " FROM {stream c.b.events}")
                                .build());
        var pipeline = start();
        var status = until(pipeline, s -> s.state() == PipelineStatus.State.FAILED);
        assertThat(status.error()).contains("c.s.events has the columns");
        assertThatThrownBy(pipeline::audit).isInstanceOf(LakemillException.class);
        pipeline.close();
        world.close();
    }

    @Test
    void aFullDiskHoldsThePipelineUntilThereIsRoom() throws InterruptedException {
        world.config = quick(2000);
        var pipeline = start();
        world.send("c.b.events", row(0, "a", 1));
        until(pipeline, status -> status.committedBatch() >= 1);
        faults.refuse(1);
        for (int i = 1; i < 40; i++) {
            world.send("c.b.events", row(i, "a", 1));
        }
        var full = until(pipeline, status -> status.waiting().contains("No space left"));
        assertThat(full.state()).isEqualTo(PipelineStatus.State.RUNNING);
        faults.none();
        until(pipeline, s -> s.backlog().getOrDefault(EVENTS, 1L) == 0 && s.waiting().isEmpty());
        pipeline.close();
        assertThat(world.inDelta("c.s.events")).hasSize(40).doesNotHaveDuplicates();
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|40");
        world.close();
    }

    @Test
    void aFolderThatIsGoneForAWhileHoldsTheRoundsOnly() throws IOException, InterruptedException {
        var pipeline = start();
        world.send("c.b.events", row(0, "a", 1));
        until(pipeline, status -> status.committedBatch() >= 1);
        var folder = world.location("c.s.events");
        var aside = folder.resolveSibling("aside");
        Files.move(folder, aside);
        Files.createFile(folder);
        world.send("c.b.events", row(1, "a", 1));
        var held = until(pipeline, status -> !status.waiting().isEmpty());
        assertThat(held.waiting()).contains("c.s.events");
        world.send("c.b.events", row(2, "a", 1));
        until(pipeline, s -> s.backlog().getOrDefault(EVENTS, 1L) == 0);
        Files.delete(folder);
        Files.move(aside, folder);
        until(pipeline, s -> s.waiting().isEmpty() && s.committedBatch() == s.batch());
        pipeline.close();
        assertThat(world.inDelta("c.s.events")).containsExactly("0|a|1", "1|a|1", "2|a|1");
        world.close();
    }

    @Test
    void aRoundThatAnErrorEndsIsNotForgotten() throws InterruptedException {
        var columns = "id BIGINT NOT NULL, key STRING, amount BIGINT";
        var copied = "SELECT _lakemill_row, id, key, amount FROM {stream c.b.events}";
        world =
                new TestWorld(
                        folder,
                        program().source("c.b.events", columns).stream("c.s.a", columns, copied)
                                .stream("c.s.b", columns, copied)
                                .build());
        world.config = quick(1 << 20);
        var reached = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        world.outputTables =
                table ->
                        ((DeltaOutput) table).table().location().endsWith("c.s.b")
                                ? new OutOfMemoryOnce(table, reached, go)
                                : table;
        var pipeline = start();
        world.send("c.b.events", row(1, "a", 1), row(2, "a", 1));
        reached.await();
        var before = pipeline.status().batch();
        world.send("c.b.events", row(3, "a", 1));
        until(pipeline, status -> status.batch() > before);
        go.countDown();
        var status = until(pipeline, s -> s.committedBatch() == s.batch());
        assertThat(status.state()).isEqualTo(PipelineStatus.State.FAILED);
        assertThat(status.error()).contains("a defect", "Java heap space");
        assertThat(world.inDelta("c.s.a")).containsExactly("1|a|1", "2|a|1", "3|a|1");
        assertThat(world.inDelta("c.s.b")).containsExactly("1|a|1", "2|a|1", "3|a|1");
        pipeline.close();
        world.close();
    }

    /** The first append waits, then meets the end of the heap. */
    private record OutOfMemoryOnce(OutputTable table, CountDownLatch reached, CountDownLatch go)
            implements OutputTable {
        @Override
        public OptionalLong committed() {
            return table.committed();
        }

        @Override
        public OptionalLong committedAt(long batch) {
            return table.committedAt(batch);
        }

        @Override
        public void append(List<Rows> rows, long batch) {
            if (reached.getCount() > 0) {
                reached.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                throw new OutOfMemoryError("Java heap space");
            }
            table.append(rows, batch);
        }

        @Override
        public void replace(Iterator<Rows> rows, long batch) {
            table.replace(rows, batch);
        }

        @Override
        public DeltaSnapshot snapshotAt(long batch) {
            return table.snapshotAt(batch);
        }

        @Override
        public DeltaSnapshot snapshot() {
            return table.snapshot();
        }

        @Override
        public void keep(DeltaSnapshot snapshot, long batch) {
            table.keep(snapshot, batch);
        }
    }

    private TestWorld world(boolean clock) {
        var made = new TestWorld(folder, programOf(clock));
        made.config = quick(1 << 20);
        made.disk = faults.disk();
        made.outputTables = faults::output;
        return made;
    }

    private static PipelineConfig quick(long pendingBytesMax) {
        return new PipelineConfig(
                new PipelineConfig.Batches(Duration.ZERO, 1000, 1 << 20, Duration.ofMillis(20)),
                new PipelineConfig.Rounds(
                        Duration.ofMillis(50), Duration.ofMillis(100), pendingBytesMax, 1 << 20),
                PipelineConfig.Duck.DEFAULT);
    }

    private static Program programOf(boolean clock) {
        var program =
                program()
                        .source("c.b.events", "id BIGINT NOT NULL, key STRING, amount BIGINT")
                        .stream(
                                "c.s.events",
                                "id BIGINT NOT NULL, key STRING, amount BIGINT",
                                "SELECT _lakemill_row, id, key, amount FROM {stream c.b.events}",
                                condition("has_key", "key IS NOT NULL", OnViolation.DROP_ROW),
                                condition("never_negative", "amount >= 0", OnViolation.FAIL_UPDATE),
                                unique("once", OnViolation.DROP_ROW, "id"))
                        .view(
                                "c.g.per_key",
                                "key STRING, n BIGINT",
                                "SELECT key, count(*) AS n FROM {c.s.events: key} GROUP BY key");
        return clock
                ? program.view("c.g.time", "now TIMESTAMP", "SELECT {now} AS now").build()
                : program.build();
    }

    private Pipeline start() {
        var opened = world.open();
        var pipeline = Pipeline.start(world.program, world.config, world.parts());
        opened.feeds.values().forEach(feed -> feed.onPublish(pipeline::wake));
        return pipeline;
    }

    /** Waits for a status; the test's timeout ends a wait in vain. */
    private static PipelineStatus until(Pipeline pipeline, Predicate<PipelineStatus> holds)
            throws InterruptedException {
        while (true) {
            var status = pipeline.status();
            if (holds.test(status)) {
                return status;
            }
            Thread.sleep(5);
        }
    }
}
