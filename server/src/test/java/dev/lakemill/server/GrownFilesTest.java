package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** New columns of files, where the text cannot be put in place again at once. */
@Timeout(60)
final class GrownFilesTest {
    private static final Duration PAUSE = Duration.ofMillis(20);

    @Test
    void whatHindersItIsToldAndTriedAgainUntilItIsDone() throws Exception {
        var outcomes = new SynchronousQueue<Runnable>();
        var busy = new AtomicBoolean(true);
        try (var grown = new GrownFiles("p", busy::get, () -> take(outcomes).run(), PAUSE)) {
            grown.tell();
            assertThat(outcomes.offer(() -> {})).isFalse();
            busy.set(false);
            outcomes.put(
                    () -> {
                        throw new LakemillException(ErrorCode.UNAVAILABLE, "no compiler", "wait");
                    });
            TestNode.await(() -> grown.error().orElse("").contains("no compiler"));
            outcomes.put(
                    () -> {
                        throw new IllegalStateException("oops");
                    });
            TestNode.await(() -> grown.error().orElse("").contains("a defect: "));
            outcomes.put(() -> {});
            TestNode.await(() -> grown.error().isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {20, 3_600_000})
    void nothingIsTriedAgainOnceItIsClosed(long pauseMillis) throws Exception {
        var tries = new AtomicInteger();
        var closed = new AtomicBoolean();
        var grown =
                new GrownFiles(
                        "p",
                        () -> false,
                        () -> {
                            // One that is under way may come to its end.
                            if (closed.get() || tries.get() == 0) {
                                tries.incrementAndGet();
                            }
                            throw new IllegalStateException("oops");
                        },
                        Duration.ofMillis(pauseMillis));
        grown.tell();
        TestNode.await(() -> grown.error().isPresent());
        grown.close();
        Thread.sleep(PAUSE.toMillis());
        closed.set(true);
        Thread.sleep(5 * PAUSE.toMillis());
        assertThat(tries).hasValue(1);
    }

    private static Runnable take(SynchronousQueue<Runnable> outcomes) {
        try {
            return outcomes.take();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
