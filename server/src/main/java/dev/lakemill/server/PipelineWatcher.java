package dev.lakemill.server;

import dev.lakemill.plan.PipelineText;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees when the text of a pipeline changes on disk, and deploys it once it has been the same for a
 * second: an editor may write a file in several steps.
 */
final class PipelineWatcher implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PipelineWatcher.class);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(30);

    private final Config config;
    private final BiConsumer<Config.PipelineEntry, Boolean> deploy;
    private final Map<String, Optional<PipelineText>> deployed = new HashMap<>();
    private final Map<String, Optional<PipelineText>> seen = new HashMap<>();

    /** Whose texts cannot be read, which is told once. */
    private final Set<String> defective = new HashSet<>();

    private final Thread thread;

    /**
     * @param deploy of an entry, not in full
     */
    PipelineWatcher(Config config, BiConsumer<Config.PipelineEntry, Boolean> deploy) {
        this.config = config;
        this.deploy = deploy;
        config.pipelines().forEach(entry -> deployed.put(entry.name(), text(entry)));
        this.thread = Thread.ofVirtual().name("pipeline-watcher").start(this::run);
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(LOOK);
                config.pipelines().forEach(this::look);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void look(Config.PipelineEntry entry) {
        var now = text(entry);
        var before = seen.put(entry.name(), now);
        if (now.isEmpty() || !now.equals(before) || now.equals(deployed.get(entry.name()))) {
            return;
        }
        deployed.put(entry.name(), now);
        try {
            deploy.accept(entry, false);
        } catch (LakemillException e) {
            log.warn(
                    "the new text of pipeline '{}' does not run: {}", entry.name(), e.getMessage());
        } catch (RuntimeException e) {
            log.error("the new text of pipeline '{}' met a defect", entry.name(), e);
        }
    }

    /** Empty when it cannot be read now. */
    private Optional<PipelineText> text(Config.PipelineEntry entry) {
        try {
            var text = Optional.of(PipelineTexts.read(config, entry));
            defective.remove(entry.name());
            return text;
        } catch (LakemillException _) {
            return Optional.empty();
        } catch (RuntimeException e) {
            if (defective.add(entry.name())) {
                log.error("reading the text of pipeline '{}' met a defect", entry.name(), e);
            }
            return Optional.empty();
        }
    }
}
