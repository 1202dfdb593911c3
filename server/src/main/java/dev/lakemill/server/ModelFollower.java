package dev.lakemill.server;

import dev.lakemill.plan.ModelReference;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every second what the references in the pipelines' texts stand for, and rolls a pipeline
 * forward when that has changed: it is compiled and deployed anew, and goes on from where it stands
 * with the new version. What cannot run (no alias any more, a signature that does not fit, a
 * missing grant) changes nothing: the version that runs goes on, and it is tried again later.
 */
final class ModelFollower implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ModelFollower.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(30);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(130);

    /**
     * A pipeline of the node.
     *
     * @param references that stand in its text now
     * @param roll compiles its text, and runs that
     */
    record Followed(String name, Supplier<Set<String>> references, Runnable roll) {}

    /** What could not run, and from when on it is tried again. */
    private record Refused(List<ModelReference> references, long retryNanos) {}

    private final ModelReference.Resolver models;
    private final List<Followed> pipelines;
    private final Map<String, List<ModelReference>> running = new HashMap<>();
    private final Map<String, Refused> refused = new HashMap<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;

    private ModelFollower(ModelReference.Resolver models, List<Followed> pipelines) {
        this.models = models;
        this.pipelines = List.copyOf(pipelines);
        for (var pipeline : pipelines) {
            running.put(pipeline.name(), resolved(pipeline));
        }
        this.thread = Thread.ofVirtual().name("models").start(this::run);
    }

    static ModelFollower start(ModelReference.Resolver models, List<Followed> pipelines) {
        return new ModelFollower(models, pipelines);
    }

    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                pipelines.forEach(this::look);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(Followed pipeline) {
        var now = resolved(pipeline);
        var before = refused.get(pipeline.name());
        if (now.equals(running.get(pipeline.name())) || waits(now, before)) {
            return;
        }
        try {
            pipeline.roll().run();
            running.put(pipeline.name(), now);
            refused.remove(pipeline.name());
        } catch (RuntimeException e) {
            refused.put(
                    pipeline.name(), new Refused(now, System.nanoTime() + RETRY_PAUSE.toNanos()));
            log.warn(
                    "pipeline {} is not rolled forward: {}",
                    pipeline.name(),
                    PipelineEvents.said(e),
                    e instanceof LakemillException ? null : e);
        }
    }

    private static boolean waits(List<ModelReference> now, @Nullable Refused before) {
        return before != null
                && now.equals(before.references())
                && System.nanoTime() < before.retryNanos();
    }

    /** None while the text cannot be read. */
    private List<ModelReference> resolved(Followed pipeline) {
        try {
            return pipeline.references().get().stream().map(models::resolve).toList();
        } catch (RuntimeException _) {
            return List.of();
        }
    }
}
