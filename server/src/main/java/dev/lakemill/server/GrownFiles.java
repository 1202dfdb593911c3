package dev.lakemill.server;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts the same text in place again when files have brought new columns. Of their folder nothing is
 * read until then, so what hinders it is told, and it is tried again until it is done or closed.
 */
final class GrownFiles implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(GrownFiles.class);
    private static final Duration LOOK = Duration.ofMillis(200);

    private final String pipeline;
    private final BooleanSupplier isBusy;
    private final Runnable redeploy;
    private final Duration retryPause;
    private final CountDownLatch ending = new CountDownLatch(1);
    private volatile @Nullable String error;

    /**
     * @param isBusy whether the pipeline takes no other text yet
     */
    GrownFiles(String pipeline, BooleanSupplier isBusy, Runnable redeploy, Duration retryPause) {
        this.pipeline = pipeline;
        this.isBusy = isBusy;
        this.redeploy = redeploy;
        this.retryPause = retryPause;
    }

    /** Files of a folder have new columns; returns at once. */
    void tell() {
        Thread.ofVirtual().name("grow-" + pipeline).start(this::run);
    }

    /** Why the folder is not read; empty while nothing hinders it. */
    Optional<String> error() {
        return Optional.ofNullable(error)
                .map(
                        e ->
                                "files have new columns, and are read again when the text runs"
                                        + " with them: "
                                        + e);
    }

    private void run() {
        try {
            while (!isDone()) {
                if (ending.await(retryPause.toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isDone() throws InterruptedException {
        while (isBusy.getAsBoolean()) {
            if (ending.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                return true;
            }
        }
        try {
            redeploy.run();
            error = null;
            return true;
        } catch (RuntimeException e) {
            var why = PipelineEvents.said(e);
            if (!why.equals(error)) {
                var defect = e instanceof LakemillException ? null : e;
                log.warn("new columns of '{}': {}", pipeline, why, defect);
            }
            error = why;
        }
        return false;
    }

    /** Tries no more. */
    @Override
    public void close() {
        ending.countDown();
    }
}
