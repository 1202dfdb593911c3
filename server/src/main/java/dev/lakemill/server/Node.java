package dev.lakemill.server;

import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.capture.Capture;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.AuditSealer;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.IdentityConfig;
import dev.lakemill.ingest.Ingest;
import dev.lakemill.ingest.IngestConfig;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.Projection;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.server.apps.Apps;
import dev.lakemill.server.backup.Backups;
import dev.lakemill.server.rest.DeltaFiles;
import dev.lakemill.server.rest.UnityApi;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running node: every part, started in the order of this class's {@link #start}, and ended in the
 * reverse order, which is also the order in which rows drain: producers first, Postgres last.
 */
final class Node implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Node.class);
    private static final Duration COMPILER_IDLE = Duration.ofMinutes(2);

    private final Config config;
    private final long startedNanos = System.nanoTime();
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final BufferAllocator allocator = new RootAllocator();
    private final Postgres postgres;
    private final Catalog catalog;
    private final Identity identity;
    private final DoorParts door;
    private final Tables tables;
    private final CompletableFuture<RegisteredModels> resolver = new CompletableFuture<>();
    private final RegisteredModels models;
    private final Gateway gateway;
    private final LineageRecorder lineage;
    private final Pipelines pipelines;
    private final EventLog events;

    private final WarmCompiler compiler;
    private final Ingest ingest;
    private final Throughput throughput;
    private final LiveTables live;
    private final IngestHistoryLog history;
    private final SyncedTables synced;
    private final SqlService sql;
    private final NodeAgents agents;
    private final Optional<Capture> capture;
    private final Projection projection;
    private final HttpServer http;
    private final Optional<Backups> backups;
    private final Apps apps;
    private final RunFile run;
    private final List<String> unclosed = new ArrayList<>();
    private volatile boolean draining;

    /** Known from the start, but where the port is picked. */
    private volatile String publicUrl;

    private Node(Config config) throws InterruptedException {
        this.config = config;
        this.publicUrl = NodeSettings.publicUrl(config, config.number(Setting.HTTP_PORT));
        try {
            part(NodeLock.take(config.data()));
            compiler = part(new WarmCompiler(COMPILER_IDLE));
            pipelines = new Pipelines(this, compiler, allocator);
            var texts = PipelineTexts.compileAll(compiler, config, resolver);
            postgres = part(Postgres.start(NodeSettings.postgres(config)));
            catalog = Catalog.open(postgres.owner());
            RowAudit.open(postgres.owner(), catalog.audit());
            identity = part(openIdentity());
            projection = part(projection());
            tables = part(openTables());
            openAudit();
            events = part(openEvents());
            door = frontDoor();
            lineage = part(LineageRecorder.start(postgres.owner(), catalog, Clock.systemUTC()));
            history = part(IngestHistoryLog.start(postgres.owner()));
            var planner = SqlService.planner(catalog, postgres.owner(), compiler);
            synced = part(syncedTables(planner));
            sql = part(sqlService(planner));
            gateway = part(ModelSection.open(config, catalog, postgres.owner()));
            pipelines.forgetRemoved();
            sql.file().applyBeforeTables();
            models = part(registeredModels());
            for (var entry : config.pipelines()) {
                part(pipelines.open(entry, texts));
            }
            sql.file().apply();
            ingest =
                    part(
                            Ingest.open(
                                    config.data().resolve("log"),
                                    NodeSettings.ingest(config),
                                    pipelines.ingestTables(),
                                    new Ingest.Surroundings(
                                            new TokenProducers(identity.tokens(), catalog),
                                            new TagPolicies(catalog),
                                            history,
                                            allocator,
                                            Clock.systemUTC())));
            capture = CapturedTables.start(config, postgres, catalog, tables, allocator);
            capture.ifPresent(this::part);
            pipelines.run();
            part(catalog.access().onChange(synced::rightsChanged));
            synced.run();
            agents = part(NodeAgents.start(config, postgres.owner()));
            part(new PipelineWatcher(config, pipelines::deploy));
            part(ModelFollower.start(models, pipelines.followed()));
            throughput = part(new Throughput(() -> ingest.totals().rows()));
            live = liveTables();
            backups = NodeBackups.start(this);
            backups.ifPresent(this::part);
            apps = part(HostedApps.open(this, identity, () -> publicUrl));
            http = part(httpServer());
            publicUrl = NodeSettings.publicUrl(config, http.port());
            apps.run();
            var grpcPort = named(Setting.GRPC_PORT, ingest::listen);
            part(new LocalToken(identity, catalog.system(), config.data()));
            run = runFile(grpcPort);
            run.write(config.data());
        } catch (InterruptedException | RuntimeException | Error e) {
            closeParts();
            throw e;
        }
    }

    /**
     * Starts everything; returns when rows are taken.
     *
     * @throws LakemillException for what the user can mend; nothing stays running then
     */
    static Node start(Config config) throws InterruptedException {
        return new Node(config);
    }

    /** Where to find what, for people. */
    List<String> banner() {
        var lines = new ArrayList<String>();
        for (var app : config.apps()) {
            lines.add("%-9s %s/apps/%s/".formatted(app.name(), run.http(), app.name()));
        }
        lines.add("%-9s %s/".formatted("console", run.http()));
        identity.firstLogin()
                .map(code -> SecretRoutes.link(publicUrl, code, "/"))
                .ifPresent(link -> lines.add("%-9s %s (works once)".formatted("log in", link)));
        lines.add("%-9s psql '%s'".formatted("psql", run.postgres()));
        lines.add("%-9s %s".formatted("gRPC", run.grpc()));
        lines.add("%-9s %s".formatted("data", config.data()));
        for (var pipeline : pipelines.hosts()) {
            pipeline.error()
                    .ifPresent(e -> lines.add("pipeline " + pipeline.name() + " FAILED: " + e));
        }
        return lines;
    }

    /** Drains: what was acknowledged stands in Delta and in Postgres before this returns. */
    @Override
    public void close() {
        draining = true;
        RunFile.delete(config.data());
        closeParts();
    }

    /** After {@link #close}: tables of which rows wait in the log for the next start. */
    List<TableName> leftInLog() {
        return ingest.leftInLog();
    }

    /** After {@link #close}: what did not close as it should; its log says more. */
    List<String> unclosed() {
        return List.copyOf(unclosed);
    }

    private void closeParts() {
        resolver.cancel(true);
        while (!parts.isEmpty()) {
            var part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                unclosed.add(part.getClass().getSimpleName());
                log.error("closing {} failed", part.getClass().getSimpleName(), e);
            }
        }
    }

    private Projection projection() {
        var seconds = config.number(Setting.POSTGRES_GRANTS_CHECK_SECONDS);
        return Projection.start(postgres, catalog, Duration.ofSeconds(seconds));
    }

    private <T extends AutoCloseable> T part(T part) {
        parts.push(part);
        return part;
    }

    /** Runs a start; what it says of a taken port is told with the key that sets it. */
    private static <T> T named(Setting port, Supplier<T> start) {
        try {
            return start.get();
        } catch (LakemillException e) {
            if (e.problem().contains(port.key()) || e.hint().contains(port.key())) {
                throw e;
            }
            throw new LakemillException(
                    e.code(),
                    e.problem(),
                    "%s (the port is %s, or %s)".formatted(e.hint(), port.key(), port.variable()),
                    e);
        }
    }

    private Identity openIdentity() {
        var settings =
                new IdentityConfig(
                        () -> publicUrl,
                        config.data().resolve("identity.key"),
                        NodeSettings.externalIssuer(config));
        var opened = Identity.open(postgres.owner(), catalog, settings, Clock.systemUTC());
        opened.administrator();
        return opened;
    }

    /** Tokens as passwords of Postgres. */
    IdentityTokens databaseTokens() {
        return new IdentityTokens(
                identity.tokens(), catalog.principals(), projection::admitReadOnly);
    }

    /** Runs what may change the catalog, until that is in force in Postgres too. */
    <T> T carrying(Callable<T> change) throws Exception {
        return projection.carrying(change);
    }

    private DoorParts frontDoor() {
        var tokens = databaseTokens();
        var opened =
                named(
                        Setting.POSTGRES_PORT,
                        () -> DoorParts.open(config, postgres, tokens, new DoorAudit(catalog)));
        part(opened.door());
        part(identity.tokens().onRevoked(() -> opened.door().endRevoked()));
        return opened;
    }

    private Tables openTables() {
        return new Tables(
                config.data().resolve("tables"),
                catalog,
                IngestConfig.application(config.text(Setting.NODE)),
                megabytes(Setting.FEED_BUFFER_MB),
                allocator);
    }

    /** In the order in which records travel at the end: written, sealed, landed. */
    private void openAudit() {
        var parts =
                new AuditLanding.Parts(
                        catalog,
                        postgres.owner(),
                        allocator,
                        Duration.ofDays(config.number(Setting.AUDIT_RETENTION_DAYS)));
        AuditLanding.of(parts, tables).forEach(this::part);
        part(AuditSealer.start(postgres.owner(), List.of(AuditLog.CHAIN, RowAudit.CHAIN)));
        part(catalog.audit());
    }

    private EventLog openEvents() {
        return EventLog.open(
                tables, allocator, () -> pipelines.hosts().forEach(PipelineHost::sample));
    }

    /** With those of the project's folder; texts that wait for them are compiled now. */
    private RegisteredModels registeredModels() {
        var registered = new RegisteredModels(catalog);
        RegisteredModels.existing(config.path(Setting.MODELS))
                .ifPresent(new ModelFolder(catalog, registered, config.data())::register);
        resolver.complete(registered);
        return registered;
    }

    private LiveTables liveTables() {
        var made =
                part(
                        new LiveTables(
                                new LiveReads(catalog, postgres),
                                () -> throughput.rowsPerSecond()));
        pipelines.hosts().forEach(pipeline -> pipeline.onApplied(made::applied));
        return made;
    }

    private SyncedTables syncedTables(LakePlanner planner) {
        var lake = new LakeSource.Parts(catalog, tables, allocator);
        return new SyncedTables(
                postgres.ownerUnpooled(),
                SqlService.sources(lake, planner, config),
                pipelines.hosts(),
                config);
    }

    private SqlService sqlService(LakePlanner planner) {
        return new SqlService(
                new SqlService.Parts(
                        config,
                        catalog,
                        tables,
                        table -> ingest.tail(table),
                        compiler,
                        planner,
                        synced,
                        allocator,
                        this::carrying));
    }

    SyncedTables synced() {
        return synced;
    }

    NodeAgents agents() {
        return agents;
    }

    /** SQL over the lake and about the catalog. */
    SqlService sql() {
        return sql;
    }

    /** What Unity Catalog's API stands on. */
    UnityApi.Parts unity() {
        return new UnityApi.Parts(
                catalog,
                postgres.owner(),
                config.data(),
                new DeltaFiles(allocator),
                sql.functions()::compile,
                models);
    }

    private HttpServer httpServer() throws InterruptedException {
        var status = new StatusReport(this);
        var metrics = new Metrics(status::get);
        metrics.synced(synced);
        ModelSection.measure(gateway, metrics);
        AgentMetrics.add(metrics, agents.store());
        QuestionMetrics.add(metrics, pipelines::asked);
        HostedApps.measure(apps, metrics);
        NodeMetrics.add(metrics, ingest::totals, () -> door.door().connections().size());
        capture.ifPresent(captured -> CaptureMetrics.add(metrics, captured));
        backups.ifPresent(b -> NodeBackups.measure(b, metrics));
        var parts =
                new HttpServer.Parts(
                        status::get,
                        this::notReady,
                        metrics,
                        live,
                        identity,
                        () -> publicUrl,
                        postgres.owner(),
                        this);
        return HttpServer.start(
                parts, config.text(Setting.HTTP_HOST), config.number(Setting.HTTP_PORT));
    }

    /** None when backup.folder is not set. */
    Optional<Backups> backups() {
        return backups;
    }

    /** The apps that this node hosts. */
    Apps apps() {
        return apps;
    }

    private RunFile runFile(int grpcPort) {
        return new RunFile(
                ProcessHandle.current().pid(),
                config.text(Setting.GRPC_HOST) + ":" + grpcPort,
                "http://" + config.text(Setting.HTTP_HOST) + ":" + http.port(),
                postgres.readerUrl(door.address()),
                postgres.readerJdbcUrl(door.address()),
                postgres.pid().orElse(0));
    }

    /** Why no work can be taken; empty when it can. */
    List<String> notReady() {
        var reasons = new ArrayList<String>();
        if (draining) {
            reasons.add("draining");
        }
        ingest.failure().ifPresent(e -> reasons.add("ingest: " + e.getMessage()));
        ingest.tables().stream()
                .filter(t -> t.error() != null)
                .forEach(t -> reasons.add(t.table() + ": " + t.error()));
        pipelines
                .hosts()
                .forEach(
                        p ->
                                p.error()
                                        .ifPresent(
                                                e ->
                                                        reasons.add(
                                                                "pipeline "
                                                                        + p.name()
                                                                        + ": "
                                                                        + e)));
        return reasons;
    }

    Pipelines pipelines() {
        return pipelines;
    }

    /** What is registered, with the models of the project's folder. */
    RegisteredModels models() {
        return models;
    }

    /** Chat and embedding endpoints. */
    Gateway gateway() {
        return gateway;
    }

    EventLog events() {
        return events;
    }

    /** The plan runs from now on, as the system. */
    void recordLineage(PipelinePlan plan) {
        lineage.runs(plan, catalog.system().principal().name());
    }

    Config config() {
        return config;
    }

    Postgres postgres() {
        return postgres;
    }

    /** Reads state tables back into the lake, where schemas are set for it. */
    Optional<Capture> capture() {
        return capture;
    }

    DoorParts door() {
        return door;
    }

    Identity identity() {
        return identity;
    }

    Catalog catalog() {
        return catalog;
    }

    Tables tables() {
        return tables;
    }

    Ingest ingest() {
        return ingest;
    }

    Throughput throughput() {
        return throughput;
    }

    double uptimeSeconds() {
        return (System.nanoTime() - startedNanos) / 1e9;
    }

    private long megabytes(Setting setting) {
        return (long) config.number(setting) << 20;
    }
}
