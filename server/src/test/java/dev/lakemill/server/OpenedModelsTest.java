package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Models that stay open between scores, a few at a time. */
@Timeout(60)
final class OpenedModelsTest {
    private final List<Integer> opened = new CopyOnWriteArrayList<>();
    private final List<Integer> closed = new CopyOnWriteArrayList<>();
    private final OpenedModels<Integer> models =
            new OpenedModels<>(
                    version -> {
                        opened.add(version.version());
                        return version.version();
                    },
                    closed::add,
                    Duration.ofMillis(50));

    @Test
    void oneThatIsUsedAgainIsOpenedOnceAndTheLongestUnusedIsClosed() {
        var kept = version("m", 1);
        for (int i = 2; i < OpenedModels.OPEN_MAX + 2; i++) {
            assertThat(models.<Integer>use(kept, model -> model)).isEqualTo(1);
            models.use(version("m", i), model -> model);
        }
        assertThat(opened).doesNotHaveDuplicates();
        assertThat(closed).containsExactly(2);
    }

    @Test
    void aModelThatIsDeletedWhileItScoresIsClosedAfterwards() {
        var version = version("m", 1);
        models.use(
                version,
                model -> {
                    models.forget(version.model());
                    assertThat(closed).isEmpty();
                    return model;
                });
        assertThat(closed).containsExactly(1);
        models.use(version("other", 2), model -> model);
        models.forget(version.model());
        assertThat(closed).containsExactly(1);
        models.close();
        assertThat(closed).containsExactly(1, 2);
        models.use(version, model -> model);
        assertThat(closed).as("nothing stays open").containsExactly(1, 2, 1);
    }

    @Test
    void moreScoresAtOnceAreRefused() throws Exception {
        var version = version("m", 1);
        var running = new AtomicInteger();
        var end = new CountDownLatch(1);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < OpenedModels.SCORES_AT_ONCE_MAX; i++) {
                threads.execute(
                        () ->
                                models.use(
                                        version,
                                        model -> {
                                            running.incrementAndGet();
                                            await(end);
                                            return model;
                                        }));
            }
            TestNode.await(() -> running.get() == OpenedModels.SCORES_AT_ONCE_MAX);
            assertThatThrownBy(() -> models.use(version, model -> model))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.RESOURCE_EXHAUSTED));
            end.countDown();
        }
        assertThat(models.<Integer>use(version, model -> model)).isEqualTo(1);
        assertThat(opened).containsExactly(1);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static ModelVersion version(String model, int number) {
        return new ModelVersion(
                new UUID(0, number),
                new Securable(SecurableType.REGISTERED_MODEL, "main.ml." + model),
                number,
                "",
                "",
                "",
                ModelVersion.Status.READY,
                "file:/none",
                Instant.EPOCH,
                "",
                Instant.EPOCH,
                "",
                Map.of(),
                List.of());
    }
}
