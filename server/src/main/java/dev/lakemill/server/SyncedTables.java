package dev.lakemill.server;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.sync.SourcePlan;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.sync.SourceSync;
import dev.lakemill.sync.Sync;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Synced tables that are objects of the catalog: each a copy in Postgres of a Delta table, whoever
 * writes that.
 *
 * <p>The catalog is the truth: it is changed first, and what runs follows it; so does the start. A
 * change stops the syncs of the groups that it concerns and starts them again, while the tables in
 * Postgres stay as they are. Safe to use from any thread; changes go one after the other.
 */
final class SyncedTables implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SyncedTables.class);
    private static final String SERVICE = "databaseInstances";

    /** A synced table and what it is by its definition. */
    record Defined(CatalogTable table, SyncedTableDefinition definition) {
        String group() {
            return definition.groupOf(table.name());
        }
    }

    private final Catalog catalog;
    private final DataSource database;
    private final LakeSource.Parts lake;
    private final Map<String, SourceSync> running = new ConcurrentHashMap<>();
    private final ReentrantLock changing = new ReentrantLock();
    private boolean closed;

    /**
     * @param database unpooled connections as the owner, one of which each group keeps
     */
    SyncedTables(DataSource database, LakeSource.Parts lake) {
        this.catalog = lake.catalog();
        this.database = database;
        this.lake = lake;
    }

    /** Starts the syncs of all that the catalog has. */
    void run() {
        changing.lock();
        try {
            defined().stream().map(Defined::group).distinct().forEach(this::restart);
            defined().forEach(this::recordLineage);
        } finally {
            changing.unlock();
        }
    }

    List<Defined> defined() {
        var all = new ArrayList<Defined>();
        for (var table : catalog.list()) {
            if (table.kind() == TableKind.SYNCED) {
                SyncedTableDefinition.of(table).ifPresent(d -> all.add(new Defined(table, d)));
            }
        }
        return all;
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

    Optional<SourceStatus> status(TableName name) {
        return status().stream().filter(s -> s.name().equals(name)).findFirst();
    }

    /**
     * Makes one, owned by the caller, and starts to fill it. Needs SELECT on the source and CREATE
     * TABLE on the schema.
     */
    Defined create(Caller caller, TableName name, SyncedTableDefinition wanted) {
        changing.lock();
        try {
            var source = source(caller, wanted.source());
            var definition = named(wanted, source.name());
            var columns = new LakeSource(source.name(), lake).schema();
            definition.spec(name, columns);
            requireFree(name, definition);
            var table =
                    catalog.create(
                            caller,
                            name,
                            TableKind.SYNCED,
                            columns,
                            location(name),
                            "",
                            properties(definition));
            audit(caller, "createSyncedDatabaseTable", name);
            var made = new Defined(table, definition);
            restart(made.group());
            recordLineage(made);
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
            var source = source(caller, wanted.source());
            var definition = named(wanted, source.name());
            if (!definition.primaryKey().equals(before.definition().primaryKey())
                    || !definition.source().equals(before.definition().source())) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "the source or primary key of %s would change".formatted(name),
                        "make a synced table of another name, or drop this one first");
            }
            var columns = new LakeSource(source.name(), lake).schema();
            definition.spec(before.table().name(), columns);
            requireOneMode(before.table().name(), definition);
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
            var after = new Defined(table, definition);
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
            stop(found.group());
            try {
                dropFromPostgres(found.table().name());
                catalog.drop(found.table().name());
                audit(caller, "deleteSyncedDatabaseTable", found.table().name());
            } finally {
                restart(found.group());
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
        source(caller, found.definition().source());
        audit(caller, "refreshSyncedDatabaseTable", found.table().name());
        var sync = running.get(found.group());
        if (sync == null) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the sync of %s does not run".formatted(name),
                    "the node's log says why");
        }
        sync.refresh();
        recordLineage(found);
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
        stop(group);
        var tables = defined().stream().filter(d -> d.group().equals(group)).toList();
        if (closed || tables.isEmpty()) {
            return;
        }
        var sources =
                tables.stream()
                        .map(d -> d.definition().source())
                        .distinct()
                        .collect(Collectors.toMap(s -> s, s -> new LakeSource(s, lake)));
        var members = new ArrayList<SourcePlan.Member>();
        for (var defined : tables) {
            var name = defined.table().name();
            var source = sources.get(defined.definition().source());
            if (source != null) {
                members.add(
                        new SourcePlan.Member(
                                name, source, columns -> defined.definition().spec(name, columns)));
            }
        }
        var mode = tables.getFirst().definition().mode();
        running.put(group, SourceSync.start(new SourcePlan(group, mode, members), database));
        log.info("synced tables of {}: {}", group, tables.size());
    }

    /** A table that the caller may copy. */
    private CatalogTable source(Caller caller, TableName name) {
        var securable = Securable.table(name);
        var table =
                catalog.find(name)
                        .filter(t -> new Visible(catalog, caller).sees(Securable.table(t.name())))
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no table %s, or you may not see it"
                                                        .formatted(name),
                                                "SHOW TABLES IN lists what you see"));
        catalog.access().require(caller, Privilege.SELECT, securable);
        if (!table.location().startsWith("file:")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s is a %s and has no Delta table that this node reads"
                            .formatted(table.name(), table.kind()),
                    "sync a table, a streaming table or a materialized view; a query becomes one"
                            + " in a pipeline's text");
        }
        var policies = catalog.policies();
        if (policies.rowFilter(table.name()).isPresent()
                || !policies.masks(table.name()).isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s has a row filter or masks, which its copy would not have"
                            .formatted(table.name()),
                    "set them on the synced table instead, or on a table that a pipeline makes");
        }
        return table;
    }

    /** With the source's name as the catalog writes it. */
    private static SyncedTableDefinition named(SyncedTableDefinition wanted, TableName source) {
        return new SyncedTableDefinition(
                source,
                wanted.primaryKey(),
                wanted.mode(),
                wanted.group(),
                wanted.indexes(),
                wanted.createSchema(),
                wanted.freshnessSloMs());
    }

    /** Postgres has one name for tables of the same schema in several catalogs. */
    private void requireFree(TableName name, SyncedTableDefinition definition) {
        requireOneMode(name, definition);
        for (var table : catalog.list()) {
            if (table.location().equals(location(name))
                    && !table.name().toString().equalsIgnoreCase(name.toString())) {
                throw new LakemillException(
                        ErrorCode.ALREADY_EXISTS,
                        "%s is %s in Postgres already".formatted(table.name(), location(name)),
                        "take another schema or name");
            }
        }
        var schema = Securable.schema(name.catalog(), name.schema());
        if (!definition.createSchema() && catalog.securables().find(schema).isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no schema %s".formatted(schema.name()),
                    "make it, or set create_database_objects_if_missing");
        }
    }

    private void requireOneMode(TableName name, SyncedTableDefinition definition) {
        for (var other : defined()) {
            if (!other.table().name().equals(name)
                    && other.group().equals(definition.groupOf(name))
                    && other.definition().mode() != definition.mode()) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "%s of the group '%s' is %s, and %s would be %s"
                                .formatted(
                                        other.table().name(),
                                        definition.group(),
                                        other.definition().mode(),
                                        name,
                                        definition.mode()),
                        "tables of a group change together, in one mode");
            }
        }
    }

    private static String location(TableName name) {
        return "postgres:%s.%s".formatted(name.schema(), name.table()).toLowerCase(Locale.ROOT);
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

    private void recordLineage(Defined defined) {
        var now = Clock.systemUTC().instant();
        var owner =
                catalog.securables()
                        .find(securable(defined))
                        .map(info -> info.owner().name())
                        .orElse("");
        var columns =
                defined.table().schema().columns().stream()
                        .map(c -> new LineageFlow.Columns(c.name(), c.name()))
                        .toList();
        var edge =
                new LineageFlow.Edge(
                        LineageNode.table(defined.definition().source()),
                        LineageNode.table(defined.table().name()),
                        columns,
                        0);
        var entity =
                new LineageEntity(
                        LineageEntity.Type.SYNC, defined.group(), defined.table().id().toString());
        catalog.lineage()
                .record(
                        List.of(
                                new LineageFlow(
                                        entity,
                                        owner,
                                        now.truncatedTo(ChronoUnit.DAYS),
                                        now,
                                        List.of(edge))));
    }
}
