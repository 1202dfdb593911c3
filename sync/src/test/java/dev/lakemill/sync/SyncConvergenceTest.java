package dev.lakemill.sync;

import static dev.lakemill.sync.TestPostgres.await;
import static dev.lakemill.sync.TestPostgres.postgres;
import static dev.lakemill.sync.TestPostgres.query;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random batches over two tables, with rounds that lag, memory that forgets, a sync that restarts
 * and a Postgres that is killed, all by a seed: in the end Postgres equals the pipeline.
 */
@Timeout(300)
final class SyncConvergenceTest {
    private static final List<TableName> TABLES =
            List.of(TableName.parse("farm.gold.a"), TableName.parse("farm.gold.b"));
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.nullable("region", Primitive.STRING),
                    Column.nullable("number", Primitive.INTEGER),
                    Column.nullable("value", Primitive.LONG),
                    Column.nullable("note", Primitive.STRING));
    private static final int STEPS = 100;
    private static final int KEYS = 40;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void postgresEqualsThePipelineInTheEnd(long seed) throws Exception {
        var random = new Random(seed);
        var name = TestPostgres.uniqueName("converge");
        var schemas = new HashMap<TableName, TableSchema>();
        TABLES.forEach(table -> schemas.put(table, SCHEMA));
        try (var pipeline = new TestPipeline(name, folder.resolve(name), schemas, 60_000)) {
            pipeline.commit();
            try (var run = new Run(pipeline, random)) {
                for (var step = 1; step <= STEPS; step++) {
                    run.step(step);
                }
                pipeline.commit();
                run.awaitShown(STEPS);
                for (var i = 0; i < TABLES.size(); i++) {
                    isEqual(pipeline, TABLES.get(i), run.sync.status().get(i), seed);
                }
            }
        }
    }

    /** A sync of the pipeline, started anew now and then. */
    private static final class Run implements AutoCloseable {
        private final TestPipeline pipeline;
        private final Random random;
        private Sync sync;

        Run(TestPipeline pipeline, Random random) {
            this.pipeline = pipeline;
            this.random = random;
            this.sync = start(pipeline);
        }

        void step(int step) throws Exception {
            TABLES.forEach(table -> change(pipeline, table, random));
            pipeline.publish();
            switch (random.nextInt(40)) {
                case 0, 1, 2, 3 -> pipeline.commit();
                case 4 -> {
                    sync.close();
                    pipeline.commit();
                    sync = start(pipeline);
                }
                case 5 -> TestPostgres.kill();
                case 6, 7, 8, 9, 10, 11, 12 -> awaitReachable(random.nextInt(step));
                default -> {}
            }
        }

        /** Whether memory forgot the batch is up to the feed; a round brings it in any case. */
        private void awaitReachable(long batch) throws Exception {
            pipeline.commit();
            awaitShown(batch);
        }

        void awaitShown(long batch) throws Exception {
            await("batch " + batch, () -> sync.status().getFirst().batch() >= batch);
        }

        @Override
        public void close() {
            sync.close();
        }
    }

    /** Some rows come, some go, some change; a few cannot be held by Postgres. */
    private static void change(TestPipeline pipeline, TableName table, Random random) {
        var most = random.nextInt(20) == 0 ? 400 : 8;
        for (var i = random.nextInt(most); i > 0; i--) {
            var region = random.nextInt(25) == 0 ? null : "r" + random.nextInt(3);
            var number = random.nextInt(most > 8 ? 400 : KEYS);
            var found =
                    pipeline.content(table).stream()
                            .filter(row -> region != null && region.equals(row.get(0)))
                            .filter(row -> Integer.valueOf(number).equals(row.get(1)))
                            .findFirst();
            found.ifPresent(row -> pipeline.delete(table, row));
            if (found.isEmpty() || random.nextBoolean()) {
                var note = random.nextInt(25) == 0 ? "bad\0" : "n" + random.nextInt(5);
                pipeline.insert(table, region, number, random.nextLong(), note);
            }
        }
    }

    private static void isEqual(
            TestPipeline pipeline, TableName table, SyncStatus status, long seed) throws Exception {
        var expected = new ArrayList<List<@Nullable String>>();
        var nullKeys = 0L;
        var zeros = 0L;
        for (var row : pipeline.content(table)) {
            if (row.get(0) == null) {
                nullKeys++;
            } else if ("bad\0".equals(row.get(3))) {
                zeros++;
            } else {
                expected.add(row.stream().<@Nullable String>map(String::valueOf).toList());
            }
        }
        var found = query("SELECT * FROM %s.%s".formatted(pipeline.name(), table.table()));
        assertThat(found)
                .as("seed %d, %s", seed, table)
                .containsExactlyInAnyOrderElementsOf(expected);
        assertThat(status.rows()).isEqualTo(expected.size());
        var skipped = new HashMap<String, Long>();
        skipped.put(SkipReason.NULL_KEY.text(), nullKeys);
        skipped.put(SkipReason.ZERO_CHARACTER.text(), zeros);
        skipped.values().removeIf(count -> count == 0);
        assertThat(status.skipped()).as("seed %d", seed).isEqualTo(skipped);
    }

    private static Sync start(TestPipeline pipeline) {
        var specs = TABLES.stream().map(table -> spec(pipeline.name(), table)).toList();
        var plan = new SyncPlan(pipeline.name(), specs);
        return Sync.start(plan, pipeline.feed(), postgres().ownerUnpooled(), TestPostgres.SOON);
    }

    private static SyncedTableSpec spec(String schema, TableName source) {
        return new SyncedTableSpec(
                new TableName("farm", schema, source.table()),
                source,
                SCHEMA,
                List.of("region", "number"),
                List.of(List.of("value")));
    }
}
