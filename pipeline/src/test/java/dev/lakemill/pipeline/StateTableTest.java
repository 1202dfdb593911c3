package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateTableTest {
    private static final TableName EVENTS = TableName.parse("c.b.t");
    private static final int GROUPS = 10_000;
    private static final int HOURS = 12;

    @TempDir Path folder;

    @Test
    void groupsThatComeAndGoDoNotPileUp() {
        var window = " FROM c.b.t WHERE at > now() - INTERVAL 30 MINUTES GROUP BY id;\n";
        var text =
                "CREATE TABLE c.b.t (id BIGINT, at TIMESTAMP);\n"
                        + "CREATE MATERIALIZED VIEW c.g.counted REFRESH POLICY INCREMENTAL STRICT AS"
                        + " SELECT id, count(*) AS n"
                        + window
                        + "CREATE MATERIALIZED VIEW c.g.last REFRESH POLICY INCREMENTAL STRICT AS"
                        + " SELECT id, max(at) AS at"
                        + window;
        var files = List.of(new SourceText("t.sql", text));
        var program = Program.of(CompilerProcess.compile("test", files, folder).orThrow());
        try (var root = new RootAllocator();
                var engine =
                        new Engine(
                                program,
                                DuckSession.open(
                                        PipelineConfig.Duck.DEFAULT, folder.resolve("tmp"), root),
                                MaintenanceChoice.MEASURED)) {
            for (int hour = 1; hour <= HOURS; hour++) {
                run(engine, root, hour);
            }
            assertThat(engine.audit()).allMatch(ViewAudit::equal);
            assertThat(tables(engine)).hasSize(2).allMatch(rows -> rows < 4 * GROUPS);
        }
    }

    /** The rows in memory of each table of groups, those that are gone among them. */
    private static List<Long> tables(Engine engine) {
        var sizes =
                engine.duck()
                        .text(
                                "SELECT string_agg(estimated_size, ',') FROM duckdb_tables() WHERE"
                                        + " table_name LIKE '% groups'");
        return Stream.of(String.valueOf(sizes).split(",")).map(Long::valueOf).toList();
    }

    private static void run(Engine engine, RootAllocator root, int hour) {
        var now = Instant.ofEpochSecond(hour * 3_600L);
        var values =
                IntStream.range(0, GROUPS)
                        .<Row>mapToObj(i -> row(hour * GROUPS + i, now.toEpochMilli() * 1_000))
                        .toList();
        var schema = engine.program().sources().getFirst().schema();
        try (var batch =
                new TableBatch(TestRows.rows(root, schema, values), new long[GROUPS], hour)) {
            var input = new BatchInput(hour, now, Map.of(EVENTS, List.of(batch)), hour == 1);
            var outcome = engine.run(input);
            assertThat(outcome).isInstanceOf(BatchOutcome.Done.class);
            ((BatchOutcome.Done) outcome).changes().values().forEach(changes -> changes.close());
        }
    }
}
