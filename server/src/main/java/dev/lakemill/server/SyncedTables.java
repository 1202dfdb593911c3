package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.sync.FormTrial;
import dev.lakemill.sync.SourcePlan;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.sync.SourceSync;
import dev.lakemill.sync.Sync;
import dev.lakemill.sync.SyncMode;
import dev.lakemill.sync.SyncStatus;
import dev.lakemill.sync.SyncedTableSpec;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Synced tables that are objects of the catalog: each a copy in Postgres of a Delta table, whoever
 * writes that, or of a view.
 *
 * <p>The catalog is the truth: it is changed first, and what runs follows it; so does the start. A
 * change stops the syncs of the groups that it concerns and starts them again, while the tables in
 * Postgres stay as they are. Safe to use from any thread; changes go one after the other.
 */
final class SyncedTables implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SyncedTables.class);
    private static final String SERVICE = "databaseInstances";

    /** A synced table and what it is by its definition. */
    record Defined(CatalogTable table, SyncedTableDefinition definition, String group) {}

    private final Catalog catalog;
    private final DataSource database;
    private final SyncSources sources;
    private final List<PipelineHost> pipelines;
    private final SyncedTableRules rules;
    private final SyncedTableRights rights;
    private final int groupsMax;
    private final Map<String, SourceSync> running = new ConcurrentHashMap<>();
    private final ReentrantLock changing = new ReentrantLock();
    private boolean closed;

    /** Left out of its group while it is dropped. */
    private volatile @Nullable TableName dropping;

    /**
     * @param database unpooled connections as the owner, one of which each group keeps
     * @param pipelines of the node; may grow until {@link #run}
     * @param config has how many groups there may be that are not a pipeline's
     */
    SyncedTables(
            DataSource database, SyncSources sources, List<PipelineHost> pipelines, Config config) {
        this.groupsMax = config.number(Setting.SYNC_GROUPS);
        this.pipelines = pipelines;
        this.rules = new SyncedTableRules(sources, this::defined);
        this.catalog = sources.catalog();
        this.rights = new SyncedTableRights(catalog);
        this.database = database;
        this.sources = sources;
    }

    /** Starts the syncs of all that the catalog has. */
    void run() {
        changing.lock();
        try {
            var stopped = rights.changes(defined());
            defined().stream()
                    .map(Defined::group)
                    .distinct()
                    .filter(group -> pipeline(group).isEmpty() || stopped.contains(group))
                    .forEach(this::restart);
            defined().forEach(rules::recordLineage);
        } finally {
            changing.unlock();
        }
    }

    /** To be called after changes of the catalog: who owns a copy may have lost its source. */
    void rightsChanged() {
        changing.lock();
        try {
            if (!closed) {
                rights.changes(defined()).forEach(this::restart);
            }
        } finally {
            changing.unlock();
        }
    }

    List<Defined> defined() {
        var all = new ArrayList<Defined>();
        for (var table : catalog.list()) {
            if (table.kind() == TableKind.SYNCED) {
                SyncedTableDefinition.of(table).ifPresent(d -> all.add(defined(table, d)));
            }
        }
        return all;
    }

    private Defined defined(CatalogTable table, SyncedTableDefinition definition) {
        return new Defined(table, definition, group(table.name(), definition));
    }

    /** A CONTINUOUS table over a pipeline's output changes with the pipeline's own. */
    private String group(TableName name, SyncedTableDefinition definition) {
        if (definition.group().isEmpty() && definition.mode() == SyncMode.CONTINUOUS) {
            var writer =
                    catalog.find(definition.source())
                            .map(source -> source.properties().get(OutputTables.PIPELINE));
            if (writer.isPresent() && pipeline(writer.get()).isPresent()) {
                return writer.get();
            }
        }
        return definition.groupOf(name);
    }

    /** Each group keeps a connection to Postgres, of which there are few. */
    private void requireRoom(TableName name, SyncedTableDefinition definition) {
        var wanted = group(name, definition);
        var others =
                defined().stream()
                        .filter(d -> !d.table().name().toString().equalsIgnoreCase(name.toString()))
                        .map(Defined::group)
                        .filter(group -> pipeline(group).isEmpty())
                        .collect(Collectors.toSet());
        if (pipeline(wanted).isEmpty() && !others.contains(wanted) && others.size() >= groupsMax) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%s would be group %d of synced tables, and there are at most %d"
                            .formatted(name, others.size() + 1, groupsMax),
                    "put tables of one mode together by WITH (group = '…'), or raise %s: each group"
                                    .formatted(Setting.SYNC_GROUPS.key())
                            + " keeps a connection to Postgres");
        }
    }

    private Optional<PipelineHost> pipeline(String name) {
        return pipelines.stream().filter(host -> host.name().equals(name)).findFirst();
    }

    /** Those that change with a pipeline's own; of what it does not write any more, none. */
    List<SyncedTableSpec> ofPipeline(String pipeline, Map<TableName, TableSchema> outputs) {
        var specs = new ArrayList<SyncedTableSpec>();
        for (var defined : members(pipeline)) {
            var columns = outputs.get(defined.definition().source());
            if (columns == null) {
                log.error(
                        "{} stands still: pipeline '{}' does not write {} any more",
                        defined.table().name(),
                        pipeline,
                        defined.definition().source());
            } else {
                specs.add(spec(defined, columns));
            }
        }
        return specs;
    }

    private List<Defined> members(String group) {
        return defined().stream()
                .filter(d -> d.group().equals(group))
                .filter(d -> !d.table().name().equals(dropping))
                .filter(d -> rights.mayGoOn(d.table().name()))
                .toList();
    }

    /** The catalog is told of columns that the source has got, for policies and grants. */
    private SyncedTableSpec spec(Defined defined, TableSchema columns) {
        var name = defined.table().name();
        var spec = defined.definition().spec(name, columns);
        sources.tables().adopt(name, columns);
        return spec;
    }

    /** One that the caller may know of; NOT_FOUND otherwise. */
    Defined require(Caller caller, TableName name) {
        var visible = new Visible(catalog, caller);
        return defined().stream()
                .filter(d -> d.table().name().toString().equalsIgnoreCase(name.toString()))
                .filter(d -> visible.sees(Securable.table(d.table().name())))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no synced table %s, or you may not see it"
                                                .formatted(name),
                                        "SHOW SYNCED TABLES lists those that you see; those of"
                                                + " pipelines are changed in the pipeline's text"));
    }

    /** How each stands that runs. */
    List<SourceStatus> status() {
        return running.values().stream().flatMap(sync -> sync.status().stream()).toList();
    }

    /** Of tables with an objective, whether it is met. */
    Map<TableName, Boolean> freshness() {
        var met = new HashMap<TableName, Boolean>();
        for (var defined : defined()) {
            var name = defined.table().name();
            if (defined.definition().freshnessSloMs() > 0) {
                met.put(
                        name,
                        status(name)
                                .map(s -> defined.definition().freshness(s).equals("MET"))
                                .orElse(false));
            }
        }
        return met;
    }

    Optional<SourceStatus> status(TableName name) {
        return defined().stream()
                .filter(d -> d.table().name().equals(name))
                .findFirst()
                .flatMap(rights::status)
                .or(() -> running(name));
    }

    private Optional<SourceStatus> running(TableName name) {
        return status().stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .or(
                        () ->
                                pipelines.stream()
                                        .flatMap(host -> host.synced().stream())
                                        .filter(s -> s.name().equals(name))
                                        .map(SyncedTables::ofPipeline)
                                        .findFirst());
    }

    private static SourceStatus ofPipeline(SyncStatus table) {
        var state =
                !table.refused().isEmpty()
                        ? SourceStatus.State.ONLINE_PIPELINE_FAILED
                        : table.appliedAt() == null
                                ? SourceStatus.State.PROVISIONING_INITIAL_SNAPSHOT
                                : SourceStatus.State.ONLINE_CONTINUOUS_UPDATE;
        var appliedAt = table.appliedAt();
        var stale =
                table.batchesBehind() == 0 || appliedAt == null
                        ? 0
                        : Duration.between(appliedAt, Instant.now()).toMillis();
        return new SourceStatus(
                table.name(),
                state,
                table,
                -1,
                null,
                null,
                table.refused(),
                stale,
                table.progress());
    }

    /**
     * Makes one, owned by the caller, and starts to fill it. Needs SELECT on the source and CREATE
     * TABLE on the schema.
     */
    Defined create(Caller caller, TableName name, SyncedTableDefinition wanted) {
        changing.lock();
        try {
            var source = rules.source(caller, wanted);
            var definition = SyncedTableRules.named(wanted, source.name());
            var columns = sources.of(source.name()).schema();
            var spec = definition.spec(name, columns);
            rules.requireFree(name, definition);
            requireRoom(name, definition);
            FormTrial.run(spec, database);
            var table =
                    catalog.create(
                            caller,
                            name,
                            TableKind.SYNCED,
                            columns,
                            SyncedTableRules.location(name),
                            "",
                            properties(definition));
            audit(caller, "createSyncedDatabaseTable", name);
            var made = defined(table, definition);
            restart(made.group());
            rules.recordLineage(made);
            return made;
        } finally {
            changing.unlock();
        }
    }

    /** Changes it in place: table, indexes and grants in Postgres stay. Needs MANAGE on it. */
    Defined alter(Caller caller, TableName name, SyncedTableDefinition wanted) {
        changing.lock();
        try {
            var before = require(caller, name);
            catalog.access().require(caller, Privilege.MANAGE, securable(before));
            var source = rules.source(caller, wanted);
            var definition = SyncedTableRules.named(wanted, source.name());
            if (!definition.primaryKey().equals(before.definition().primaryKey())
                    || !definition.source().equals(before.definition().source())
                    || !definition
                            .form()
                            .timeseriesKey()
                            .equals(before.definition().form().timeseriesKey())) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "the source, primary or timeseries key of %s would change".formatted(name),
                        "make a synced table of another name, or drop this one first");
            }
            var columns = sources.of(source.name()).schema();
            var spec = definition.spec(before.table().name(), columns);
            rules.requireOneMode(before.table().name(), definition);
            requireRoom(before.table().name(), definition);
            FormTrial.run(spec, database);
            var properties = new HashMap<>(before.table().properties());
            properties.putAll(properties(definition));
            var table =
                    catalog.update(
                            caller,
                            before.table().name(),
                            columns,
                            before.table().comment(),
                            properties);
            audit(caller, "updateSyncedDatabaseTable", table.name());
            var after = defined(table, definition);
            if (!before.group().equals(after.group())) {
                restart(before.group());
                Sync.release(table.name(), database);
            }
            restart(after.group());
            return after;
        } finally {
            changing.unlock();
        }
    }

    /** Drops it from Postgres and the catalog. Needs MANAGE on it. */
    void drop(Caller caller, TableName name) {
        changing.lock();
        try {
            var found = require(caller, name);
            catalog.access().require(caller, Privilege.MANAGE, securable(found));
            dropping = found.table().name();
            try {
                restart(found.group());
                dropFromPostgres(found.table().name());
                catalog.drop(found.table().name());
                audit(caller, "deleteSyncedDatabaseTable", found.table().name());
            } finally {
                dropping = null;
                if (catalog.find(found.table().name()).isPresent()) {
                    restart(found.group());
                }
            }
        } finally {
            changing.unlock();
        }
    }

    private void dropFromPostgres(TableName name) {
        try {
            Sync.drop(name, database);
        } catch (LakemillException e) {
            // It never got there: refused, or dropped by a command that was ended in between.
            if (e.code() != ErrorCode.NOT_FOUND) {
                throw e;
            }
        }
    }

    /** Has its group do now what it does on demand. Needs MODIFY, or MANAGE, on it. */
    void refresh(Caller caller, TableName name) {
        var found = require(caller, name);
        var access = catalog.access();
        if (!access.mayManage(caller.principal().id(), securable(found))) {
            access.require(caller, Privilege.MODIFY, securable(found));
        }
        rules.source(caller, found.definition());
        rights.require(found.table().name());
        audit(caller, "refreshSyncedDatabaseTable", found.table().name());
        if (pipeline(found.group()).isPresent()) {
            return;
        }
        var sync = running.get(found.group());
        if (sync == null) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the sync of %s does not run".formatted(name),
                    "the node's log says why");
        }
        sync.refresh();
        rules.recordLineage(found);
    }

    @Override
    public void close() {
        changing.lock();
        try {
            closed = true;
            List.copyOf(running.keySet()).forEach(this::stop);
        } finally {
            changing.unlock();
        }
    }

    private void stop(String group) {
        var sync = running.remove(group);
        if (sync != null) {
            sync.close();
        }
    }

    private void restart(String group) {
        var host = pipeline(group);
        if (host.isPresent()) {
            host.get().resync();
            return;
        }
        stop(group);
        var tables = members(group);
        if (closed || tables.isEmpty()) {
            return;
        }
        var read =
                tables.stream()
                        .map(d -> d.definition().source())
                        .distinct()
                        .collect(Collectors.toMap(s -> s, sources::of));
        var members = new ArrayList<SourcePlan.Member>();
        for (var defined : tables) {
            var name = defined.table().name();
            var source = read.get(defined.definition().source());
            if (source != null) {
                members.add(new SourcePlan.Member(name, source, columns -> spec(defined, columns)));
            }
        }
        var mode = tables.getFirst().definition().mode();
        running.put(group, SourceSync.start(new SourcePlan(group, mode, members), database));
        log.info("synced tables of {}: {}", group, tables.size());
    }

    private static Map<String, String> properties(SyncedTableDefinition definition) {
        return Map.of(
                SyncedTableDefinition.PROPERTY,
                definition.json().toString(),
                OutputTables.SOURCE,
                definition.source().toString());
    }

    private static Securable securable(Defined defined) {
        return Securable.table(defined.table().name());
    }

    private void audit(Caller caller, String action, TableName name) {
        catalog.audit()
                .record(
                        AuditEvent.done(
                                caller, SERVICE, action, Map.of("full_name_arg", name.toString())));
    }
}
