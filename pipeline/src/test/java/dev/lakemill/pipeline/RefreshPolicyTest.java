package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever writes a policy gets it, whatever the configuration says of other views. */
final class RefreshPolicyTest {
    private static final String SOURCE = "CREATE TABLE c.b.t (id BIGINT, key STRING);\n";

    /** Of each key, written with a star. */
    private static final String NEWEST =
            "id FROM (SELECT *, row_number() OVER (PARTITION BY key ORDER BY id DESC) AS place"
                    + " FROM c.b.t) WHERE place <= 1";

    @TempDir Path folder;

    @Test
    void aViewIsKeptAsItsPolicySays() {
        var text =
                SOURCE
                        + view("auto", "AUTO", "count(*) AS n FROM c.b.t GROUP BY key")
                        + view("full", "FULL", "count(*) AS n FROM c.b.t GROUP BY key")
                        + view("changes", "INCREMENTAL", "count(*) AS n FROM c.b.t GROUP BY key")
                        + view("strict", "INCREMENTAL STRICT", "id FROM c.b.t WHERE id > 1")
                        + view("newest", "INCREMENTAL STRICT", NEWEST);
        var world = new TestWorld(folder, Program.of(compile(text).orThrow()));
        world.keepViews(MaintenanceChoice.RECOMPUTE);
        world.start();
        world.send("c.b.t", row(1, "a"), row(2, "b"));
        world.settle();
        world.send("c.b.t", row(3, "a"));
        world.settle();
        assertThat(kinds(world, "auto")).containsExactly(MaintenanceKind.RECOMPUTE);
        assertThat(kinds(world, "full")).containsExactly(MaintenanceKind.RECOMPUTE);
        assertThat(kinds(world, "changes")).doesNotContain(MaintenanceKind.RECOMPUTE);
        assertThat(kinds(world, "strict")).containsExactly(MaintenanceKind.LINEAR);
        assertThat(status(world, "full").reason()).isEqualTo("its REFRESH POLICY is FULL");
        assertThat(world.inDelta("c.g.changes")).containsExactly("1", "2");
        assertThat(world.inDelta("c.g.strict")).containsExactly("2", "3");
        assertThat(kinds(world, "newest")).contains(MaintenanceKind.AFFECTED_KEYS);
        assertThat(world.inDelta("c.g.newest")).containsExactly("2", "3");
        world.close();
    }

    @Test
    void aStrictPolicyThatCannotBeKeptIsRefusedWithTheReason() {
        var query = "id FROM c.b.t ORDER BY id LIMIT 3";
        var compilation =
                compile(
                        SOURCE
                                + view("open", "INCREMENTAL", query)
                                + view("strict", "INCREMENTAL STRICT", query));
        assertThat(compilation)
                .isInstanceOfSatisfying(
                        Compilation.Rejected.class,
                        rejected -> {
                            var error = rejected.errors().getFirst();
                            assertThat(rejected.errors()).hasSize(1);
                            assertThat(error.position().line()).isEqualTo(3);
                            assertThat(error.message())
                                    .startsWith("c.g.strict has REFRESH POLICY INCREMENTAL STRICT")
                                    .contains("cannot be kept by its changes: ");
                            assertThat(error.hint()).contains("REFRESH POLICY INCREMENTAL");
                        });
    }

    @Test
    void aViewKeptByChangesFollowsOneThatIsRecomputed() {
        var text =
                SOURCE
                        + view("full", "FULL", "key, count(*) AS n FROM c.b.t GROUP BY key")
                        + view("sum", "INCREMENTAL STRICT", "sum(n) AS n FROM c.g.full")
                        + view("many", "INCREMENTAL STRICT", "key FROM c.g.full WHERE n > 1");
        var world = new TestWorld(folder, Program.of(compile(text).orThrow()));
        world.start();
        world.send("c.b.t", row(1, "a"), row(2, "b"));
        world.settle();
        for (int i = 0; i < 4; i++) {
            world.send("c.b.t", row(3, "a"), row(4, "c" + i));
            world.settle();
        }
        assertThat(kinds(world, "full")).containsExactly(MaintenanceKind.RECOMPUTE);
        assertThat(kinds(world, "sum")).doesNotContain(MaintenanceKind.RECOMPUTE);
        assertThat(world.inDelta("c.g.sum")).containsExactly("10");
        assertThat(world.inDelta("c.g.many")).containsExactly("a");
        world.send("c.b.t", row(5, "c0"));
        world.settle();
        assertThat(world.inDelta("c.g.many")).containsExactly("a", "c0");
        world.close();
    }

    @Test
    void theSignOfAZeroReachesViewsThatTellIt() {
        var newest = "id, x AS v FROM c.b.n WHERE seq = (SELECT max(seq) FROM c.b.n)";
        var text = "id, CAST(v AS STRING) AS s FROM c.g.newest";
        var world =
                new TestWorld(
                        folder,
                        Program.of(
                                compile(
                                                "CREATE TABLE c.b.n"
                                                        + " (id BIGINT, seq BIGINT, x DOUBLE);\n"
                                                        + view("newest", "FULL", newest)
                                                        + view("full", "FULL", text)
                                                        + view("changes", "INCREMENTAL", text))
                                        .orThrow()));
        world.start();
        var values = List.of(5.0, 0.0, -0.0, 7.5);
        for (int i = 0; i < values.size(); i++) {
            world.send("c.b.n", row(1, i, values.get(i)));
            world.settle();
            assertThat(world.run().audit()).allMatch(ViewAudit::equal);
            assertThat(world.inDelta("c.g.newest")).containsExactly("1|" + values.get(i));
            assertThat(world.inDelta("c.g.full")).containsExactly("1|" + values.get(i));
            assertThat(world.inDelta("c.g.changes")).containsExactly("1|" + values.get(i));
        }
        world.close();
    }

    private static String view(String name, String policy, String query) {
        return "CREATE MATERIALIZED VIEW c.g.%s REFRESH POLICY %s AS SELECT %s;\n"
                .formatted(name, policy, query);
    }

    private Compilation compile(String text) {
        return CompilerProcess.compile("test", List.of(new SourceText("t.sql", text)), folder);
    }

    private static Set<MaintenanceKind> kinds(TestWorld world, String view) {
        return status(world, view).kinds();
    }

    private static ViewStatus status(TestWorld world, String view) {
        return Objects.requireNonNull(world.run().views().get(new TableName("c", "g", view)));
    }
}
