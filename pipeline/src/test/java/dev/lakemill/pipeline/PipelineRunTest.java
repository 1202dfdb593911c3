package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.condition;
import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestPrograms.unique;
import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.feed.GroupFeed;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PipelineRunTest {
    private static final String EVENTS =
            "id BIGINT NOT NULL, key STRING, amount BIGINT, ts TIMESTAMP";

    @TempDir Path folder;
    private TestWorld world = new TestWorld(Path.of("."), program().build());

    @BeforeEach
    void makeWorld() {
        world = new TestWorld(folder, programOf(OnViolation.QUARANTINE));
    }

    @Test
    void rowsGoFromFeedToDeltaAndOn() throws InterruptedException {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0), row(2, null, 7, 0), row(1, "a", 5, 0));
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0");
        assertThat(world.inDelta("c.s.events_quarantine"))
                .containsExactly("2|null|7|0|[\"has_key\"]|1");
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|1|5");
        var feed = world.process().feed;
        try (var batch = feed.await(1, Duration.ZERO)) {
            assertThat(batch).isNotNull();
            if (batch != null) {
                assertThat(batch.sources()).containsEntry(TableName.parse("c.b.events"), 300L);
                assertThat(batch.receivedMicros()).isEqualTo(300);
                assertThat(batch.changes()).hasSize(3);
            }
        }
        var round = feed.lastRound();
        assertThat(round).isNotNull();
        if (round != null) {
            assertThat(round.number()).isEqualTo(1);
            assertThat(round.tables()).hasSize(3);
        }
        world.close();
    }

    @Test
    void aRestartGoesOnWhereItStood() {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0), row(2, null, 7, 0));
        world.settle();
        world.land();
        var committed = world.run().committed();
        world.close();
        world.start();
        // Who follows the feed can start, though nothing has changed.
        assertThat(world.process().feed.lastRound())
                .isNotNull()
                .extracting(GroupFeed.Round::number)
                .isEqualTo(committed);
        world.send("c.b.events", row(1, "a", 5, 0), row(3, "a", 1, 0));
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0", "3|a|1|0");
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|2|6");
        var count = world.run().counts().get(TableName.parse("c.s.events"));
        assertThat(count).isNotNull();
        if (count != null) {
            assertThat(count.in()).isEqualTo(4);
            assertThat(count.kept() + count.quarantined() + count.dropped()).isEqualTo(4);
        }
        world.close();
    }

    /** The vacuum of a view's files that a round replaced which then broke off. */
    @Test
    void theLastCompleteRoundIsRecoveredHoweverLongAgoItWas() {
        var faults = new Faults(new Random(2));
        world.outputTables = faults::output;
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.send("c.b.events", row(2, "a", 6, 0));
        world.run().advance(false);
        faults.crashAfter(1);
        assertThatThrownBy(world::round).isInstanceOf(Faults.Crash.class);
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|2|11");
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0");
        world.process().tables.values().forEach(table -> table.vacuum(Duration.ZERO));
        world.crash();
        faults.none();
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0", "2|a|6|0");
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|2|11");
        world.close();
    }

    @Test
    void uncommittedBatchesAreRepeatedWithTheirBoundariesAndTheirNow() {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.run().advance(false);
        var first = world.run().last();
        world.send("c.b.events", row(2, "a", 6, 0));
        world.run().advance(false);
        var second = world.run().last();
        world.crash();
        world.now = world.now.plusSeconds(3600);
        world.start();
        world.run().advance(false);
        assertThat(world.run().last()).isEqualTo(first);
        world.run().advance(false);
        assertThat(world.run().last()).isEqualTo(second);
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0", "2|a|6|0");
        world.close();
    }

    @Test
    void theClockNeverRunsBackwards() {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.run().advance(false);
        var before = world.run().last().now();
        world.now = world.now.minusSeconds(60);
        world.send("c.b.events", row(2, "a", 5, 0));
        world.run().advance(false);
        assertThat(world.run().last().now()).isEqualTo(before);
        world.close();
    }

    @Test
    void aFailedUpdateStopsThePipelineAndARestartTriesAgain() {
        world = new TestWorld(folder, programOf(OnViolation.FAIL_UPDATE));
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.send("c.b.events", row(2, null, 7, 0));
        assertThat(world.run().advance(false))
                .isInstanceOfSatisfying(
                        PipelineRun.Advance.Failed.class,
                        failed -> {
                            assertThat(failed.reason()).contains("has_key", "'id': 2");
                            assertThat(failed.hint()).contains("start the pipeline again");
                        });
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Failed.class);
        world.round();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0");
        world.close();
        world.start();
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Failed.class);
        world.close();
        mended(OnViolation.DROP_ROW).settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0");
        world.close();
    }

    @Test
    void theTemporaryFolderIsNothingButRoom() throws IOException {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.close();
        var temporary = folder.resolve("pipeline").resolve("temporary");
        Files.createDirectories(temporary);
        Files.writeString(temporary.resolve("duckdb_temp_storage-0.tmp"), "left by a kill");
        var ofFiles = Files.createDirectories(temporary.resolve("c.s.t__files_1"));
        Files.writeString(ofFiles.resolve("duckdb_temp_storage-0.tmp"), "of another engine");
        world.start();
        assertThat(temporary).isDirectoryNotContaining(Files::isRegularFile);
        assertThat(ofFiles).isNotEmptyDirectory();
        Files.delete(ofFiles.resolve("duckdb_temp_storage-0.tmp"));
        Files.delete(ofFiles);
        Files.delete(temporary);
        world.send("c.b.events", row(2, "a", 5, 0));
        world.settle();
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|2|10");
        world.close();
    }

    @Test
    void aLostJournalCostsNothingThatDeltaHas() throws IOException {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.send("c.b.events", row(2, "a", 6, 0));
        world.run().advance(false);
        world.crash();
        Files.delete(folder.resolve("pipeline").resolve("journal"));
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("1|a|5|0", "2|a|6|0");
        world.close();
    }

    @Test
    void aLostFolderIsRefusedWithAdvice() throws IOException {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.close();
        try (var files = Files.list(folder.resolve("pipeline"))) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        assertThatThrownBy(world::start)
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
                            assertThat(e.hint()).contains("built again");
                        });
    }

    @Test
    void aDamagedCheckpointIsMadeUpForByTheOneBefore() throws IOException {
        world.start();
        for (int i = 0; i < 3; i++) {
            world.send("c.b.events", row(i, "a", i, 0));
            world.settle();
        }
        world.close();
        Files.write(folder.resolve("pipeline").resolve("checkpoint-3"), new byte[] {1});
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.events")).containsExactly("0|a|0|0", "1|a|1|0", "2|a|2|0");
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|3|3");
        world.close();
    }

    @Test
    void aNewPlanComputesItsViewsAnew() {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.land();
        world.close();
        world =
                successor(
                        events(OnViolation.QUARANTINE)
                                .view(
                                        "c.g.per_key",
                                        "key STRING, n BIGINT, amount BIGINT",
                                        "SELECT key, 100 * count(*) AS n, sum(amount)::BIGINT AS amount FROM {c.s.events: key, amount} GROUP BY key")
                                .view(
                                        "c.g.all",
                                        "n BIGINT",
                                        "SELECT count(*) AS n FROM {c.s.events:}")
                                .build("other"));
        world.start();
        world.settle();
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|100|5");
        assertThat(world.inDelta("c.g.all")).containsExactly("1");
        world.close();
    }

    @Test
    void aNewStreamingTableInAPipelineThatRanIsRefused() {
        world.start();
        world.send("c.b.events", row(1, "a", 5, 0));
        world.settle();
        world.land();
        world.close();
        world =
                successor(
                        events(OnViolation.QUARANTINE).stream(
                                        "c.s.more",
                                        "id BIGINT",
                                        "SELECT _lakemill_row, id FROM {stream c.b.events}")
                                .build("other"));
        assertThatThrownBy(world::start)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("c.s.more is new");
    }

    @Test
    void otherColumnsThanInDeltaAreRefused() {
        world.start();
        world.close();
        world =
                successor(
                        program().source("c.b.events", EVENTS).stream(
                                        "c.s.events",
                                        "id STRING",
                                        "SELECT _lakemill_row, id::VARCHAR AS id FROM {stream c.b.events}")
                                .build("other"));
        assertThatThrownBy(world::start)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("c.s.events has the columns");
    }

    @Test
    void batchesStayWithinTheirLimit() {
        var config = PipelineConfig.DEFAULT;
        world.config =
                new PipelineConfig(
                        new PipelineConfig.Batches(Duration.ZERO, 3, 1 << 20, Duration.ZERO),
                        config.rounds(),
                        config.duck());
        world.start();
        for (int i = 0; i < 10; i++) {
            world.send("c.b.events", row(i, "a", 1, 0));
        }
        world.settle();
        assertThat(world.run().last().number()).isEqualTo(4);
        assertThat(world.inDelta("c.g.per_key")).containsExactly("a|10|10");
        world.close();
    }

    @Test
    void rowsThatWaitForDeltaHoldNewBatchesUp() {
        var config = PipelineConfig.DEFAULT;
        world.config =
                new PipelineConfig(
                        config.batches(),
                        new PipelineConfig.Rounds(
                                Duration.ofSeconds(1), Duration.ofSeconds(1), 1, 1 << 20),
                        config.duck());
        world.start();
        world.send("c.b.events", row(1, "a", 1, 0));
        world.run().advance(false);
        world.send("c.b.events", row(2, "a", 1, 0));
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Held.class);
        world.round();
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Ran.class);
        world.round();
        world.close();
    }

    private static TestPrograms events(OnViolation hasKey) {
        return program().source("c.b.events", EVENTS).stream(
                "c.s.events",
                EVENTS,
                "SELECT _lakemill_row, id, key, amount, ts FROM {stream c.b.events}",
                condition("has_key", "key IS NOT NULL", hasKey),
                unique("once", OnViolation.DROP_ROW, "id"));
    }

    private static Program programOf(OnViolation hasKey) {
        return events(hasKey)
                .view(
                        "c.g.per_key",
                        "key STRING, n BIGINT, amount BIGINT",
                        "SELECT key, count(*) AS n, sum(amount)::BIGINT AS amount FROM {c.s.events: key, amount} GROUP BY key")
                .build();
    }

    private TestWorld mended(OnViolation hasKey) {
        world = successor(programOf(hasKey));
        world.start();
        return world;
    }

    /** Another plan over the same tables; all rows of the log are in Bronze. */
    private TestWorld successor(Program plan) {
        var next = new TestWorld(folder, plan);
        next.resume(world);
        return next;
    }
}
