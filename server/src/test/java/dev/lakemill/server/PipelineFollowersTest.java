package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.ModelReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What looks for new texts and new models goes on when a deployment meets a defect. */
@Timeout(60)
final class PipelineFollowersTest {
    @TempDir Path folder;

    @Test
    void theNextTextIsDeployedAfterOneThatMetADefect() throws Exception {
        Files.createDirectories(folder.resolve("sql"));
        Files.writeString(folder.resolve("sql/p.sql"), "SELECT 1");
        Files.writeString(
                folder.resolve("lakemill.yml"), "pipelines:\n  - name: p\n    folder: sql\n");
        var deployments = new AtomicInteger();
        var config = Config.load(folder, Map.of());
        try (var _ = new PipelineWatcher(config, (_, _) -> fail(deployments))) {
            Files.writeString(folder.resolve("sql/p.sql"), "SELECT 2");
            TestNode.await(() -> deployments.get() == 1);
            Files.writeString(folder.resolve("sql/p.sql"), "SELECT 3");
            TestNode.await(() -> deployments.get() == 2);
        }
    }

    @Test
    void theNextModelIsRolledToAfterOneThatMetADefect() throws Exception {
        var rolls = new AtomicInteger();
        var references = new AtomicReference<>(Set.of("a.b.c@1"));
        var followed =
                new ModelFollower.Followed(
                        "p",
                        () -> {
                            var now = references.get();
                            if (now == null || now.isEmpty()) {
                                throw new IllegalStateException("no text");
                            }
                            return now;
                        },
                        () -> fail(rolls));
        ModelReference.Resolver unresolved =
                written -> new ModelReference.Unresolved(written, "none", "");
        try (var _ = ModelFollower.start(unresolved, List.of(followed))) {
            references.set(Set.of("a.b.c@2"));
            TestNode.await(() -> rolls.get() == 1);
            references.set(Set.of());
            TestNode.await(() -> rolls.get() == 2);
            references.set(Set.of("a.b.c@3"));
            TestNode.await(() -> rolls.get() == 3);
        }
        assertThat(rolls).hasValue(3);
    }

    private static void fail(AtomicInteger count) {
        count.incrementAndGet();
        throw new IllegalStateException("oops");
    }
}
