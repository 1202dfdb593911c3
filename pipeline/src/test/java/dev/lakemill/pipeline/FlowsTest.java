package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourceText;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Streaming tables that several flows write. */
final class FlowsTest {
    private static final String TEXT =
            """
            CREATE TABLE c.b.old (id BIGINT NOT NULL, name STRING);
            CREATE TABLE c.b.a (id BIGINT NOT NULL, name STRING);
            CREATE TABLE c.b.b (name STRING, id INT NOT NULL);
            CREATE OR REFRESH STREAMING TABLE c.s.all (
              id BIGINT NOT NULL,
              name STRING,
              twice BIGINT GENERATED ALWAYS AS (id * 2),
              CONSTRAINT once EXPECT UNIQUE (id) ON VIOLATION DROP ROW,
              CONSTRAINT named EXPECT (name <> '') ON VIOLATION QUARANTINE);
            CREATE FLOW a AS INSERT INTO c.s.all BY NAME SELECT id, name FROM STREAM(c.b.a);
            CREATE FLOW b AS INSERT INTO c.s.all BY NAME SELECT id, name FROM STREAM(c.b.b);
            CREATE FLOW past AS INSERT INTO ONCE c.s.all BY NAME SELECT id, name FROM c.b.old;
            CREATE OR REFRESH MATERIALIZED VIEW c.g.n AS SELECT count(*) AS n FROM c.s.all;
            """;

    @TempDir Path folder;

    @Test
    void flowsGoTogetherAndOnceIsOnceThroughCrashes() {
        var plan =
                CompilerProcess.compile("test", List.of(new SourceText("t.sql", TEXT)), folder)
                        .orThrow();
        var world = new TestWorld(folder, Program.of(plan));
        world.open();
        world.send("c.b.old", row(1, "old"), row(2, "old"));
        world.crash();
        world.start();
        world.send("c.b.a", row(3, "a"), row(2, "duplicate of an old one"), row(9, null));
        assertThat(world.run().advance(false)).isInstanceOf(PipelineRun.Advance.Ran.class);
        world.crash();
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.all")).containsExactly("1|old|2", "2|old|4", "3|a|6");
        assertThat(world.inDelta("c.s.all_quarantine")).containsExactly("9|null|18|[\"named\"]|1");
        world.send("c.b.old", row(7, "too late for a flow that ran"));
        world.send("c.b.b", row("b", 4), row("b", 4));
        world.settle();
        world.crash();
        world.start();
        world.settle();
        assertThat(world.inDelta("c.s.all"))
                .containsExactly("1|old|2", "2|old|4", "3|a|6", "4|b|8");
        assertThat(world.inDelta("c.g.n")).containsExactly("4");
        world.close();
    }
}
