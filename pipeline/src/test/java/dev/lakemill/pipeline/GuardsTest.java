package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.pipeline.TestRows.Row;
import dev.lakemill.plan.SourceText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a condition rules out is not computed, in whatever way the query is run. */
final class GuardsTest {
    private static final String TABLES =
            """
            CREATE TABLE c.b.t (id BIGINT, s STRING, n BIGINT, at TIMESTAMP);
            CREATE TABLE c.b.u (id BIGINT, s STRING, n BIGINT);
            """;
    private static final long NOW = 1_795_341_600_000_000L;

    @TempDir Path folder;

    @Test
    void ofConditions() {
        var world =
                world(
                        "CREATE STREAMING TABLE c.s.judged (CONSTRAINT second EXPECT"
                                + " (size(split(s, ',')) > 1 AND split(s, ',')[1] = 'x') ON"
                                + " VIOLATION DROP ROW) AS SELECT id, s FROM STREAM(c.b.t);\n"
                                + view(
                                        "counted",
                                        "count(*) FILTER (WHERE size(split(s, ',')) > 1 AND"
                                                + " element_at(split(s, ','), 2) = 'x') AS n,"
                                                + " max(split(s, ',')[1]) FILTER (WHERE"
                                                + " size(split(s, ',')) > 1) AS m FROM c.b.t"));
        world.send("c.b.t", row(1, "a", 0, NOW), row(2, "a,x", 0, NOW), row(3, "a,b,c", 0, NOW));
        world.settle();
        assertThat(world.inDelta("c.s.judged")).containsExactly("2|a,x");
        assertThat(world.inDelta("c.g.counted")).containsExactly("1|x");
        world.close();
    }

    @Test
    void ofViewsKeptByTheirChanges() {
        var world =
                world(
                        view(
                                        "numbers",
                                        "id FROM c.b.t WHERE s RLIKE '^[0-9]+$' AND CAST(s AS INT)"
                                                + " > n")
                                + view(
                                        "three",
                                        "id FROM c.b.t WHERE s RLIKE '^[0-9]+$' AND n = 0 AND"
                                                + " CAST(s AS INT) = 12")
                                + view(
                                        "recent",
                                        "id FROM c.b.t WHERE at > now() - INTERVAL 1 HOUR AND s"
                                                + " RLIKE '^[0-9]+$' AND CAST(s AS INT) > n")
                                + view(
                                        "future",
                                        "id FROM c.b.t WHERE s RLIKE '^[0-9]+$' AND"
                                                + " timestamp_seconds(CAST(s AS BIGINT)) < now()")
                                + view(
                                        "later",
                                        "id FROM c.b.t WHERE at > now() - INTERVAL 1 HOUR AND"
                                                + " CAST(s AS INT) >= 12")
                                + view(
                                        "newest",
                                        "id FROM (SELECT *, row_number() OVER (PARTITION BY s ORDER"
                                                + " BY id DESC) AS place FROM c.b.t) WHERE place ="
                                                + " 1 AND s RLIKE '^[0-9]+$' AND CAST(s AS INT) >"
                                                + " n"));
        for (int batch = 0; batch < 3; batch++) {
            world.send("c.b.t", rows(batch));
            world.settle();
        }
        assertThat(world.run().audit()).allMatch(ViewAudit::equal);
        assertThat(world.inDelta("c.g.numbers")).hasSize(30);
        assertThat(world.inDelta("c.g.three")).hasSize(30);
        assertThat(world.inDelta("c.g.recent")).hasSize(30);
        assertThat(world.inDelta("c.g.future")).hasSize(30);
        assertThat(world.inDelta("c.g.later")).hasSize(30);
        assertThat(world.inDelta("c.g.newest")).hasSize(1);
        world.now = world.now.plusSeconds(7_200);
        world.send("c.b.t", row(1, "x", 0, NOW));
        world.settle();
        assertThat(world.run().audit()).allMatch(ViewAudit::equal);
        assertThat(world.inDelta("c.g.recent")).isEmpty();
        assertThat(world.inDelta("c.g.later")).isEmpty();
        world.close();
    }

    @Test
    void ofJoins() {
        var world =
                world(
                        view(
                                        "joined",
                                        "l.id FROM c.b.t l JOIN c.b.u r ON l.id = r.id AND"
                                                + " length(r.s) = 3 AND CAST(r.s AS INT) > r.n")
                                + view(
                                        "both",
                                        "l.id FROM c.b.t l LEFT JOIN c.b.u r ON l.id = r.id AND"
                                                + " length(r.s) = 3 AND CAST(r.s AS INT) > l.n WHERE"
                                                + " r.id IS NOT NULL"));
        world.send("c.b.t", row(1, "", 0, NOW), row(2, "", 0, NOW), row(3, "", 0, NOW));
        world.send("c.b.u", row(1, "123", 0), row(2, "many", 0), row(3, "456", 1_000));
        world.settle();
        assertThat(world.run().audit()).allMatch(ViewAudit::equal);
        assertThat(world.inDelta("c.g.joined")).containsExactly("1");
        assertThat(world.inDelta("c.g.both")).containsExactlyInAnyOrder("1", "3");
        world.close();
    }

    /**
     * One row in a hundred is a number; the others are not, and those that are too long are old.
     */
    private static Row[] rows(int batch) {
        var rows = new ArrayList<Row>();
        for (int i = 0; i < 1_000; i++) {
            var id = batch * 1_000L + i;
            rows.add(
                    i % 100 == 0
                            ? row(id, "12", 0, NOW)
                            : row(id, "no number " + i, 0, NOW - 36_000_000_000L));
        }
        return rows.toArray(Row[]::new);
    }

    private static String view(String name, String query) {
        return "CREATE MATERIALIZED VIEW c.g.%s REFRESH POLICY INCREMENTAL STRICT AS SELECT %s;\n"
                .formatted(name, query);
    }

    private TestWorld world(String text) {
        var files = List.of(new SourceText("t.sql", TABLES + text));
        var plan = CompilerProcess.compile("test", files, folder).orThrow();
        var world = new TestWorld(folder, Program.of(plan));
        world.start();
        return world;
    }
}
