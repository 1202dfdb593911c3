package dev.lakemill.catalog;

import dev.lakemill.types.Column;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Names, schemas and locations of all tables, and who may do what to anything, kept in Postgres.
 *
 * <p>Reads are answered from memory, so that ingest goes on while Postgres restarts. A change is
 * committed to Postgres first and shows in memory afterwards. This process is the only writer; what
 * the unique names of Postgres refuse is refused, whoever was first. Names are found without regard
 * to case. Safe to use from any thread; changes go one after the other.
 */
public final class Catalog {
    private static final Migrations MIGRATIONS =
            new Migrations(
                    "catalog",
                    Catalog.class,
                    List.of(
                            "0001-tables.sql",
                            "0002-governance.sql",
                            "0003-audit.sql",
                            "0004-lineage.sql",
                            "0005-audit-retention.sql",
                            "0006-views.sql"));

    private final Changes changes;
    private final Access access;
    private final Principals principals;
    private final Securables securables;
    private final Grants grants;
    private final Policies policies;
    private final Tags tags;
    private final Models models;
    private final Lineage lineage;

    private Catalog(DataSource database, Clock clock) {
        var audit = AuditLog.open(database, clock);
        this.changes = new Changes(database, audit, SecurableStore::load);
        this.access = new Access(changes);
        this.principals = new Principals(changes, clock);
        this.securables = new Securables(changes, access, clock);
        this.grants = new Grants(changes, access, securables);
        this.policies = new Policies(changes, access, securables);
        this.tags = new Tags(changes, access);
        this.models = new Models(changes, access, clock);
        this.lineage = new Lineage(database, clock);
    }

    /** Opens the catalog in the schema {@code lakemill} of the database, migrating it forward. */
    public static Catalog open(DataSource database) {
        MIGRATIONS.apply(database);
        return new Catalog(database, Clock.systemUTC());
    }

    public Principals principals() {
        return principals;
    }

    public Securables securables() {
        return securables;
    }

    public Grants grants() {
        return grants;
    }

    public Access access() {
        return access;
    }

    public Policies policies() {
        return policies;
    }

    public Tags tags() {
        return tags;
    }

    public Models models() {
        return models;
    }

    public AuditLog audit() {
        return changes.audit();
    }

    public Lineage lineage() {
        return lineage;
    }

    /** The caller for what the node does by itself; a metastore admin named {@code system}. */
    public Caller system() {
        var node = changes.read(model -> model.requirePrincipal(Principals.SYSTEM)).principal();
        return new Caller(node, null, "system", "", "");
    }

    /** Answered from memory, so that ingest goes on while Postgres restarts. */
    public Optional<CatalogTable> find(TableName name) {
        return Optional.ofNullable(changes.read(model -> model.table(name)));
    }

    /** Answered from memory. */
    public Optional<CatalogTable> find(UUID id) {
        return Optional.ofNullable(changes.read(model -> model.tables.get(id)));
    }

    /** What a view of the lake is; empty for tables, and for views of Postgres. */
    public Optional<ViewDefinition> view(TableName name) {
        return changes.read(
                model ->
                        Optional.ofNullable(model.table(name))
                                .flatMap(t -> Optional.ofNullable(model.views.get(t.id()))));
    }

    /** All tables, by name. */
    public List<CatalogTable> list() {
        return changes.read(model -> List.copyOf(model.tables.values())).stream()
                .sorted(Comparator.comparing(CatalogTable::name))
                .toList();
    }

    /** As the node. ALREADY_EXISTS when the name is taken. */
    public CatalogTable create(
            TableName name,
            TableKind kind,
            TableSchema schema,
            String location,
            String comment,
            Map<String, String> properties) {
        return create(system(), name, kind, schema, location, comment, properties);
    }

    /**
     * Makes the caller its owner, and of its schema and catalog where they are made for it. Needs
     * CREATE TABLE on the schema, or CREATE SCHEMA or CREATE CATALOG where that is missing.
     */
    public CatalogTable create(
            Caller caller,
            TableName name,
            TableKind kind,
            TableSchema schema,
            String location,
            String comment,
            Map<String, String> properties) {
        return create(caller, UUID.randomUUID(), name, kind, schema, location, comment, properties);
    }

    /**
     * The same under an id that was given out before, as Delta's managed tables bear it in their
     * log; it has never been another's.
     */
    public CatalogTable create(
            Caller caller,
            UUID id,
            TableName name,
            TableKind kind,
            TableSchema schema,
            String location,
            String comment,
            Map<String, String> properties) {
        return create(
                caller,
                id,
                name,
                new Model.TableFacts(kind, schema),
                location,
                comment,
                properties,
                Optional.empty());
    }

    /**
     * Makes the caller the owner of a view, as of a table. Needs CREATE VIEW or CREATE TABLE on the
     * schema, or CREATE SCHEMA or CREATE CATALOG where that is missing.
     */
    public CatalogTable createView(
            Caller caller,
            TableName name,
            TableSchema schema,
            String comment,
            ViewDefinition view) {
        return create(
                caller,
                UUID.randomUUID(),
                name,
                new Model.TableFacts(TableKind.VIEW, schema),
                "",
                comment,
                Map.of(),
                Optional.of(view));
    }

    private CatalogTable create(
            Caller caller,
            UUID id,
            TableName name,
            Model.TableFacts facts,
            String location,
            String comment,
            Map<String, String> properties,
            Optional<ViewDefinition> view) {
        var securable = Securable.table(name);
        Securables.check(securable, comment, properties, location);
        return changes.change(
                model -> {
                    requireCreate(model, caller, securable, facts.kind());
                    CapturedCopies.requireKept(model, caller, Map.of(), properties);
                    var info =
                            securables
                                    .fresh(caller, securable, comment, properties, location)
                                    .withId(id);
                    var parents = new ArrayList<SecurableInfo>();
                    changes.commit(
                            Securables.event(caller, "create", securable),
                            connection -> {
                                var parent = parent(connection, model, caller, securable, parents);
                                if (!SecurableStore.insert(connection, parent, info)) {
                                    throw Refusals.taken(securable);
                                }
                                SecurableStore.insertTable(connection, info.id(), facts);
                                if (view.isPresent()) {
                                    SecurableStore.putView(connection, info.id(), view.get());
                                }
                            },
                            shown -> {
                                parents.forEach(shown::put);
                                shown.put(info, facts);
                                view.ifPresent(v -> shown.views.put(info.id(), v));
                            });
                    return model.requireTable(name);
                });
    }

    /** The nearest container that is there decides; what is missing is made by the caller. */
    private void requireCreate(Model model, Caller caller, Securable table, TableKind kind) {
        var schema = table.parent().orElseThrow();
        var catalog = schema.parent().orElseThrow();
        if (model.securable(schema).isPresent()) {
            securables.requireCreate(model, caller, table, toCreate(caller, schema, kind));
        } else if (model.securable(catalog).isPresent()) {
            Names.check(schema);
            securables.requireCreate(model, caller, schema, Privilege.CREATE_SCHEMA);
        } else {
            Names.check(catalog);
            Names.check(schema);
            securables.requireCreate(model, caller, catalog, Privilege.CREATE_CATALOG);
        }
    }

    /** CREATE TABLE is good for views too; who may only create those needs the narrower one. */
    private Privilege toCreate(Caller caller, Securable schema, TableKind kind) {
        var narrow =
                switch (kind) {
                    case MATERIALIZED_VIEW -> Privilege.CREATE_MATERIALIZED_VIEW;
                    case VIEW -> Privilege.CREATE_VIEW;
                    case INGESTED, STREAMING_TABLE, QUARANTINE, SYNCED, EXTERNAL, MANAGED, STATE ->
                            Privilege.CREATE_TABLE;
                };
        return access.decide(caller.principal().id(), narrow, schema) instanceof Decision.Allowed
                ? narrow
                : Privilege.CREATE_TABLE;
    }

    /** The id of the parent, made with its own parents where it is missing. */
    private UUID parent(
            Connection connection,
            Model model,
            Caller caller,
            Securable child,
            List<SecurableInfo> made)
            throws SQLException {
        var parent = child.parent().orElseThrow();
        var known = model.securable(parent);
        if (known.isPresent()) {
            return known.get().id();
        }
        var above = parent(connection, model, caller, parent, made);
        var info = securables.fresh(caller, parent, "", Map.of(), "");
        if (SecurableStore.insert(connection, above, info)) {
            changes.audit().record(connection, Securables.event(caller, "create", parent));
        } else {
            info = SecurableStore.find(connection, model, above, parent).orElseThrow();
        }
        made.add(info);
        return info.id();
    }

    /** As the node; replaces comment and properties. NOT_FOUND when there is no such table. */
    public CatalogTable update(TableName name, String comment, Map<String, String> properties) {
        return update(system(), name, null, comment, properties);
    }

    /** As the node; see the other. */
    public CatalogTable update(
            TableName name, TableSchema schema, String comment, Map<String, String> properties) {
        return update(system(), name, schema, comment, properties);
    }

    /**
     * Replaces the schema as well, unless it is null; whether the stored rows fit is for the caller
     * to know, see {@link SchemaChange}. Needs {@link Access#mayManage}. NOT_FOUND when there is no
     * such table; FAILED_PRECONDITION when a policy uses a column that goes or changes its type.
     */
    public CatalogTable update(
            Caller caller,
            TableName name,
            @Nullable TableSchema newSchema,
            String comment,
            Map<String, String> properties) {
        return update(caller, name, newSchema, comment, properties, Optional.empty());
    }

    /** Gives a view another text, with the columns that it gives. Needs what an update needs. */
    public CatalogTable updateView(
            Caller caller,
            TableName name,
            TableSchema schema,
            String comment,
            ViewDefinition view) {
        var properties = changes.read(model -> model.requireTable(name)).properties();
        return update(caller, name, schema, comment, properties, Optional.of(view));
    }

    /** As the node: the columns that a view's text gives now, while that is its text. */
    public void adoptColumns(TableName view, ViewDefinition text, TableSchema schema) {
        changes.change(
                model -> {
                    var table = model.requireTable(view);
                    if (!text.equals(model.views.get(table.id()))) {
                        return false;
                    }
                    var securable = Securable.table(table.name());
                    var info = securables.touched(system(), model.require(securable));
                    changes.commit(
                            Securables.event(system(), "update", securable),
                            connection -> {
                                SecurableStore.save(connection, info);
                                SecurableStore.replaceColumns(connection, info.id(), schema);
                            },
                            shown -> shown.put(info, new Model.TableFacts(TableKind.VIEW, schema)));
                    return true;
                });
    }

    private CatalogTable update(
            Caller caller,
            TableName name,
            @Nullable TableSchema newSchema,
            String comment,
            Map<String, String> properties,
            Optional<ViewDefinition> view) {
        Names.checkDescription(comment, properties);
        return changes.change(
                model -> {
                    var before = model.requireTable(name);
                    var securable = Securable.table(before.name());
                    access.require(caller, Privilege.MANAGE, securable);
                    CapturedCopies.requireKept(model, caller, before.properties(), properties);
                    var schema = newSchema == null ? before.schema() : newSchema;
                    Policies.requireColumnsStay(model, before, schema);
                    var info =
                            securables.touched(
                                    caller,
                                    model.require(securable).described(comment, properties));
                    var gone = goneColumns(model, before, schema);
                    changes.commit(
                            Securables.event(caller, "update", securable),
                            connection -> {
                                SecurableStore.save(connection, info);
                                if (!schema.equals(before.schema())) {
                                    SecurableStore.replaceColumns(connection, info.id(), schema);
                                    Tags.forget(connection, info.id(), gone);
                                }
                                if (view.isPresent()) {
                                    SecurableStore.putView(connection, info.id(), view.get());
                                }
                            },
                            shown -> {
                                shown.put(info, new Model.TableFacts(before.kind(), schema));
                                gone.forEach(column -> shown.removeTags(info.id(), column));
                                view.ifPresent(v -> shown.views.put(info.id(), v));
                            });
                    return model.requireTable(name);
                });
    }

    /**
     * Gives a table columns behind its own, and wider types, for rows that a producer sends. That
     * the producer may write and that the table allows it is for the caller to know; the audit says
     * what came by whom. What the table has changes nothing. {@link CatalogTable#DECLARED_COLUMNS}
     * remembers how many columns were declared.
     *
     * @param columns nullable where they are new
     * @throws LakemillException FAILED_PRECONDITION when a policy uses a column that would get a
     *     wider type; NOT_FOUND when there is no such table
     */
    public CatalogTable evolve(Caller caller, TableName name, List<Column> columns) {
        return changes.change(
                model -> {
                    var before = model.requireTable(name);
                    var schema = TypeWidening.grown(before.schema(), columns);
                    if (schema.equals(before.schema())) {
                        return before;
                    }
                    Policies.requireColumnsStay(model, before, schema);
                    var securable = Securable.table(before.name());
                    var properties = new HashMap<>(before.properties());
                    properties.putIfAbsent(
                            CatalogTable.DECLARED_COLUMNS,
                            Integer.toString(before.schema().size()));
                    var info =
                            securables.touched(
                                    caller,
                                    model.require(securable)
                                            .described(before.comment(), properties));
                    changes.commit(
                            evolved(caller, before, schema),
                            connection -> {
                                SecurableStore.save(connection, info);
                                SecurableStore.replaceColumns(connection, info.id(), schema);
                            },
                            shown -> shown.put(info, new Model.TableFacts(before.kind(), schema)));
                    return model.requireTable(name);
                });
    }

    private static AuditEvent evolved(Caller caller, CatalogTable before, TableSchema after) {
        var added = new ArrayList<String>();
        var widened = new ArrayList<String>();
        for (int i = 0; i < after.size(); i++) {
            var column = after.column(i);
            if (i >= before.schema().size()) {
                added.add(column.name() + " " + column.type().sql());
            } else if (!column.type().equals(before.schema().column(i).type())) {
                var type = before.schema().column(i).type();
                widened.add(
                        "%s %s to %s".formatted(column.name(), type.sql(), column.type().sql()));
            }
        }
        return AuditEvent.done(
                caller,
                "zerobus",
                "evolveSchema",
                Map.of(
                        "full_name_arg",
                        before.name().toString(),
                        "added",
                        String.join(", ", added),
                        "widened",
                        String.join(", ", widened)));
    }

    /** Columns with tags that the new schema does not have. */
    private static List<String> goneColumns(Model model, CatalogTable table, TableSchema after) {
        Set<String> tagged = model.tags.getOrDefault(table.id(), Map.of()).keySet();
        return tagged.stream()
                .filter(column -> !column.isEmpty() && after.indexOf(column).isEmpty())
                .toList();
    }

    /** As the node. NOT_FOUND when there is no such table. */
    public void drop(TableName name) {
        changes.change(
                model -> {
                    var table = model.requireTable(name);
                    securables.remove(
                            model, system(), model.securable(table.id()).orElseThrow(), true);
                    return true;
                });
    }
}
