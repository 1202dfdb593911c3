package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.AskedModels.Asked;
import dev.lakemill.pipeline.AskedModels.Kept;
import dev.lakemill.pipeline.AskedModels.Reply;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Views that ask models: rows wait for their answers, and batches for nothing. */
final class QuestionsTest {
    private static final String TEXT =
            """
            CREATE TABLE a.b.t (k INT NOT NULL, s STRING);
            CREATE MATERIALIZED VIEW a.b.v AS SELECT k, upper(ai_query('w', 'say ' || s)) AS said
            FROM a.b.t;
            """;

    @TempDir Path folder;
    private Scripted models;

    /** Answers with the prompt, and keeps what it is given as Postgres would. */
    private static final class Scripted implements AskedModels {
        final List<String> asked = Collections.synchronizedList(new ArrayList<>());
        final List<Kept> store = new CopyOnWriteArrayList<>();
        final List<String> told = new CopyOnWriteArrayList<>();
        final AtomicInteger running = new AtomicInteger();
        final AtomicInteger runningMost = new AtomicInteger();
        volatile String version = "1";
        volatile boolean isAway;
        volatile boolean isStoreAway;

        @Override
        public String version(String endpoint) {
            return version;
        }

        @Override
        public Reply ask(Asked question) throws InterruptedException {
            runningMost.accumulateAndGet(running.incrementAndGet(), Math::max);
            try {
                if (isAway) {
                    return new Reply.Away("the model is away", Duration.ofMillis(20));
                }
                asked.add(question.prompt());
                Thread.sleep(2);
                return question.prompt().contains("bad")
                        ? new Reply.Refused("it is bad")
                        : new Reply.Answered(question.prompt() + version);
            } finally {
                running.decrementAndGet();
            }
        }

        @Override
        public List<Kept> load() {
            return List.copyOf(store);
        }

        @Override
        public void keep(List<Kept> answers) {
            if (isStoreAway) {
                throw new LakemillException(ErrorCode.UNAVAILABLE, "Postgres is away", "");
            }
            store.addAll(answers);
        }

        @Override
        public void forget(List<String> keys) {
            store.removeIf(kept -> keys.contains(kept.key()));
        }

        @Override
        public void tell(String problem) {
            told.add(problem);
        }
    }

    @BeforeEach
    void makeModels() {
        models = new Scripted();
    }

    private TestWorld world(String text) {
        var plan =
                CompilerProcess.compile(
                        "test",
                        List.of(new dev.lakemill.plan.SourceText("t.sql", text)),
                        folder.resolve("plans"));
        var world = new TestWorld(folder, Program.of(plan.orThrow()));
        world.asked = models;
        return world;
    }

    /** Runs batches until it holds. */
    private static void until(TestWorld world, BooleanSupplier holds) throws InterruptedException {
        for (int look = 0; !holds.getAsBoolean(); look++) {
            if (look == 1_000) {
                throw new AssertionError("looked 1000 times");
            }
            Thread.sleep(10);
            world.now = world.now.plusMillis(10);
            world.settle();
        }
    }

    private static void equalsItsQuery(TestWorld world) {
        assertThat(world.run().audit()).allMatch(ViewAudit::equal);
    }

    @Test
    void rowsComeWithTheirAnswersAndEachPromptIsAskedOnce() throws Exception {
        models.isAway = true;
        var world = world(TEXT);
        world.start();
        world.send("a.b.t", row(1, "x"), row(2, "y"), row(3, "x"), row(4, null));
        world.settle();
        assertThat(world.inDelta("a.b.v"))
                .as("nothing is asked of row 4")
                .containsExactly("4|null");
        models.isAway = false;
        until(world, () -> world.inDelta("a.b.v").size() == 4);
        assertThat(world.inDelta("a.b.v"))
                .containsExactlyInAnyOrder("1|SAY X1", "2|SAY Y1", "3|SAY X1", "4|null");
        assertThat(models.asked).containsExactlyInAnyOrder("say x", "say y");
        equalsItsQuery(world);
        world.land();
        world.close();
        world.start();
        world.send("a.b.t", row(5, "y"));
        world.settle();
        assertThat(world.inDelta("a.b.v")).contains("5|SAY Y1");
        assertThat(models.asked).as("kept over the restart").hasSize(2);
        world.close();
    }

    @Test
    void aRepeatedBatchSeesTheAnswersThatItSaw() throws Exception {
        var world = world(TEXT);
        world.start();
        world.send("a.b.t", row(1, "x"));
        world.settle();
        until(world, () -> !models.store.isEmpty());
        models.isStoreAway = true;
        world.send("a.b.t", row(2, "y"));
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Ran.class);
        var before = world.run().last();
        world.crash();
        // Kept after the batch, by whoever: a batch that is repeated must not see it.
        var asked = new Asked("w", "{}", "say y");
        models.isStoreAway = false;
        models.isAway = true;
        models.store.add(
                new Kept(asked.key(), before.now().plusSeconds(60), "w", "1", "late", null));
        world.start();
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Ran.class);
        assertThat(world.run().last().number()).isEqualTo(before.number());
        equalsItsQuery(world);
        world.round();
        assertThat(world.inDelta("a.b.v")).containsExactly("1|SAY X1");
        world.now = before.now().plusSeconds(61);
        world.send("a.b.t", row(3, "z"));
        world.settle();
        assertThat(world.inDelta("a.b.v")).contains("2|LATE");
        world.close();
    }

    @Test
    void anOutageStopsNothing() throws Exception {
        models.isAway = true;
        var world =
                world(
                        TEXT
                                + "CREATE MATERIALIZED VIEW a.b.n AS SELECT count(*) AS n FROM"
                                + " a.b.t;");
        world.start();
        world.send("a.b.t", row(1, "x"));
        world.settle();
        assertThat(world.inDelta("a.b.n")).containsExactly("1");
        until(world, () -> models.told.contains("the model is away"));
        models.isStoreAway = true;
        models.isAway = false;
        until(world, () -> models.told.stream().anyMatch(t -> t.contains("Postgres is away")));
        world.send("a.b.t", row(2, "x"));
        world.settle();
        assertThat(world.inDelta("a.b.n")).containsExactly("2");
        assertThat(world.inDelta("a.b.v")).isEmpty();
        world.crash();
        models.isStoreAway = false;
        world.start();
        world.settle();
        until(world, () -> world.inDelta("a.b.v").size() == 2);
        world.close();
    }

    @Test
    void whatNoViewShowsAnyMoreIsNotAskedAfterAnOutage() throws Exception {
        models.isAway = true;
        var world =
                world(
                        """
                        CREATE TABLE a.b.t (k INT NOT NULL, s STRING);
                        CREATE MATERIALIZED VIEW a.b.v AS
                        SELECT q.n, ai_query('w', concat('n', CAST(q.n AS STRING))) AS said
                        FROM (SELECT count(*) AS n FROM a.b.t) q;
                        """);
        world.start();
        for (int i = 1; i <= 100; i++) {
            world.send("a.b.t", row(i, "x"));
            world.settle();
        }
        models.isAway = false;
        until(world, () -> world.inDelta("a.b.v").equals(List.of("100|n1001")));
        assertThat(models.asked).contains("n100").hasSizeLessThan(20);
        equalsItsQuery(world);
        world.close();
    }

    @Test
    void aPromptThatIsRefusedForGoodFailsThePipelineOrIsAValue() throws Exception {
        var world = world(TEXT);
        world.start();
        world.send("a.b.t", row(1, "bad"), row(2, "x"));
        PipelineRun.Advance advance;
        for (int look = 0; ; look++) {
            advance = world.run().advance(false);
            if (advance instanceof PipelineRun.Advance.Failed || look == 1_000) {
                break;
            }
            Thread.sleep(10);
        }
        assertThat(advance.toString()).contains("t.sql:2:", "'w' refuses a prompt: it is bad");
        world.crash();
    }

    @Test
    void aRefusalIsAValueWhereItIsToBe() throws Exception {
        var world =
                world(
                        """
                        CREATE TABLE a.b.t (k INT NOT NULL, s STRING);
                        CREATE MATERIALIZED VIEW a.b.v AS
                        SELECT k, q.r.result AS result, q.r.errorMessage AS error
                        FROM (SELECT k, ai_query('w', s, failOnError => false) AS r FROM a.b.t) q;
                        """);
        world.start();
        world.send("a.b.t", row(1, "bad"), row(2, "x"));
        world.settle();
        until(world, () -> world.inDelta("a.b.v").size() == 2);
        assertThat(world.inDelta("a.b.v"))
                .containsExactlyInAnyOrder("1|null|it is bad", "2|x1|null");
        equalsItsQuery(world);
        world.close();
    }

    @Test
    void anotherVersionOfTheEndpointIsAskedAgain() throws Exception {
        var world = world(TEXT);
        world.start();
        world.send("a.b.t", row(1, "x"));
        world.settle();
        until(world, () -> world.inDelta("a.b.v").contains("1|SAY X1"));
        world.land();
        world.close();
        models.version = "2";
        models.isAway = true;
        world.start();
        world.settle();
        assertThat(world.inDelta("a.b.v")).as("the old answer stands").containsExactly("1|SAY X1");
        models.isAway = false;
        until(world, () -> world.inDelta("a.b.v").contains("1|SAY X2"));
        equalsItsQuery(world);
        world.close();
    }

    @Test
    void asksFewAtATimeAndAllInTheEnd() throws Exception {
        var world = world(TEXT);
        world.start();
        for (int i = 0; i < 2_500; i++) {
            world.send("a.b.t", row(i, "p" + i));
        }
        world.settle();
        until(world, () -> world.inDelta("a.b.v").size() == 2_500);
        assertThat(models.runningMost.get()).isBetween(2, 8);
        assertThat(models.asked).hasSize(2_500).doesNotHaveDuplicates();
        world.close();
    }
}
