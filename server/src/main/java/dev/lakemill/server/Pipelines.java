package dev.lakemill.server;

import dev.lakemill.agents.gateway.AnswerStore;
import dev.lakemill.ingest.IngestTable;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Relations;
import dev.lakemill.server.models.PipelineQuestions;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pipelines of a node: opened at its start, and deployed anew when their texts change. */
final class Pipelines {
    private static final Logger log = LoggerFactory.getLogger(Pipelines.class);

    private final Node node;
    private final WarmCompiler compiler;
    private final BufferAllocator allocator;
    private final List<PipelineHost> hosts = new CopyOnWriteArrayList<>();

    private final List<PipelineQuestions> questions = new CopyOnWriteArrayList<>();

    /** A text is compiled and put in place before the next is compiled. */
    private final ReentrantLock deploying = new ReentrantLock();

    /**
     * @param node asked for its parts only when a pipeline is opened
     */
    Pipelines(Node node, WarmCompiler compiler, BufferAllocator allocator) {
        this.node = node;
        this.compiler = compiler;
        this.allocator = allocator;
    }

    /** Those that are open, now and later. */
    List<PipelineHost> hosts() {
        return Collections.unmodifiableList(hosts);
    }

    /** The named one. */
    Optional<PipelineHost> named(String name) {
        return hosts.stream().filter(host -> host.name().equals(name)).findFirst();
    }

    /** One of the project's, which does not run yet. */
    PipelineHost open(Config.PipelineEntry entry, PipelineTexts texts) {
        var config = node.config();
        var host =
                new PipelineHost(
                        entry.name(),
                        OtherTables.known(
                                compiler, texts, config, entry, node.models(), node.catalog()),
                        new PipelineHost.Parts(
                                config,
                                config.data().resolve("pipelines").resolve(entry.name()),
                                node.tables(),
                                node.postgres(),
                                node.models(),
                                questions(entry),
                                new PipelineRights(node.catalog(), entry.owner()),
                                node.events()::add,
                                allocator,
                                node.synced(),
                                () -> deploy(entry, false)));
        hosts.add(host);
        return host;
    }

    private PipelineQuestions questions(Config.PipelineEntry entry) {
        var asked =
                new PipelineQuestions(
                        entry.name(),
                        new PipelineQuestions.Asker(node.catalog(), entry.owner()),
                        node.gateway(),
                        new AnswerStore(node.postgres().owner()),
                        problem ->
                                node.events()
                                        .add(PipelineEvents.unanswered(entry.name(), problem)));
        questions.add(asked);
        return asked;
    }

    /** What each has asked models. */
    List<PipelineQuestions.Totals> asked() {
        return questions.stream().map(PipelineQuestions::totals).toList();
    }

    /** Of pipelines that are not the project's any more nothing is asked. */
    void forgetRemoved() {
        var names = node.config().pipelines().stream().map(Config.PipelineEntry::name).toList();
        for (var removed : new AnswerStore(node.postgres().owner()).retain(names)) {
            log.info("the answers of models to pipeline '{}', which is gone, are removed", removed);
        }
    }

    /** Starts those that are open. */
    void run() {
        hosts.forEach(PipelineHost::run);
        hosts.forEach(host -> host.plan().ifPresent(node::recordLineage));
    }

    /**
     * Puts the text that stands in the pipeline's folder now in the place of the one that runs.
     *
     * @return what happens, for people
     */
    String deploy(Config.PipelineEntry entry, boolean full) {
        var host =
                named(entry.name())
                        .orElseThrow(
                                () -> new IllegalStateException("no pipeline " + entry.name()));
        deploying.lock();
        try {
            return deploy(host, entry, full);
        } catch (RuntimeException e) {
            host.refuse(e);
            throw e;
        } finally {
            deploying.unlock();
        }
    }

    private String deploy(PipelineHost host, Config.PipelineEntry entry, boolean full) {
        var compilation =
                OtherTables.compile(compiler, node.config(), entry, node.models(), node.catalog());
        var message = host.deploy(compilation, full);
        var ingest = node.ingest();
        var takes = ingest.tables().stream().map(t -> t.table().toString()).toList();
        ingestTables().stream()
                .filter(t -> !takes.contains(t.table().name().toString()))
                .forEach(ingest::register);
        node.recordLineage(compilation.orThrow());
        return message;
    }

    /** What producers may write to, by the texts that are deployed. */
    List<IngestTable> ingestTables() {
        var tables = node.tables();
        return tables.ingested().stream()
                .map(t -> new IngestTable(t, tables.delta(t.name()), tables.feed(t.name())))
                .toList();
    }

    /** Texts that name models, to be deployed anew when a version is. */
    List<ModelFollower.Followed> followed() {
        return node.config().pipelines().stream()
                .map(
                        entry ->
                                new ModelFollower.Followed(
                                        entry.name(),
                                        () -> PipelineTexts.references(node.config(), entry),
                                        () -> roll(entry)))
                .toList();
    }

    private void roll(Config.PipelineEntry entry) {
        deploy(entry, false);
        named(entry.name())
                .flatMap(PipelineHost::plan)
                .map(Relations::models)
                .ifPresent(used -> log.info("pipeline {} scores with {}", entry.name(), used));
    }
}
