package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import javax.sql.DataSource;

/**
 * Names, schemas and locations of all tables, kept in Postgres.
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
                    List.of("0001-tables.sql", "0003-audit.sql", "0004-lineage.sql"));

    private final DataSource database;
    private final AuditLog audit;
    private final Lineage lineage;
    private final ConcurrentMap<String, CatalogTable> tables = new ConcurrentHashMap<>();

    private Catalog(DataSource database) {
        this.database = database;
        this.audit = AuditLog.open(database, Clock.systemUTC());
        this.lineage = new Lineage(database);
    }

    /** Opens the catalog in the schema {@code lakemill} of the database, migrating it forward. */
    public static Catalog open(DataSource database) {
        MIGRATIONS.apply(database);
        var catalog = new Catalog(database);
        for (var table : Transactions.run(database, TableStore::all)) {
            catalog.tables.put(key(table.name()), table);
        }
        return catalog;
    }

    public Principals principals() {
        throw new UnsupportedOperationException();
    }

    public Securables securables() {
        throw new UnsupportedOperationException();
    }

    public Grants grants() {
        throw new UnsupportedOperationException();
    }

    public Access access() {
        throw new UnsupportedOperationException();
    }

    public Policies policies() {
        throw new UnsupportedOperationException();
    }

    public Tags tags() {
        throw new UnsupportedOperationException();
    }

    public AuditLog audit() {
        return audit;
    }

    public Lineage lineage() {
        return lineage;
    }

    /** The caller for what the node does by itself; a metastore admin named {@code system}. */
    public Caller system() {
        throw new UnsupportedOperationException();
    }

    /** Answered from memory, so that ingest goes on while Postgres restarts. */
    public Optional<CatalogTable> find(TableName name) {
        return Optional.ofNullable(tables.get(key(name)));
    }

    /** All tables, by name. */
    public List<CatalogTable> list() {
        return tables.values().stream().sorted(Comparator.comparing(CatalogTable::name)).toList();
    }

    /** ALREADY_EXISTS when the name is taken. */
    public synchronized CatalogTable create(
            TableName name,
            TableKind kind,
            TableSchema schema,
            String location,
            String comment,
            Map<String, String> properties) {
        if (tables.containsKey(key(name))) {
            throw taken(name);
        }
        var description = new TableStore.Description(kind, location, comment, properties);
        var created =
                Transactions.run(database, c -> TableStore.insert(c, name, schema, description))
                        .orElseThrow(() -> taken(name));
        tables.put(key(name), created);
        return created;
    }

    /** Replaces comment and properties. NOT_FOUND when there is no such table. */
    public synchronized CatalogTable update(
            TableName name, String comment, Map<String, String> properties) {
        var table = require(name);
        return update(table, table.schema(), comment, properties);
    }

    /**
     * Replaces the schema as well; whether the stored rows fit is for the caller to know, see
     * {@link SchemaChange}. NOT_FOUND when there is no such table.
     */
    public synchronized CatalogTable update(
            TableName name, TableSchema schema, String comment, Map<String, String> properties) {
        return update(require(name), schema, comment, properties);
    }

    private CatalogTable update(
            CatalogTable table,
            TableSchema schema,
            String comment,
            Map<String, String> properties) {
        var changed =
                new CatalogTable(
                        table.id(),
                        table.name(),
                        table.kind(),
                        schema,
                        table.location(),
                        comment,
                        properties,
                        table.createdAt());
        Transactions.run(database, connection -> TableStore.update(connection, table, changed));
        tables.put(key(table.name()), changed);
        return changed;
    }

    /** NOT_FOUND when there is no such table. */
    public synchronized void drop(TableName name) {
        var table = require(name);
        Transactions.run(database, connection -> TableStore.delete(connection, table.id()));
        tables.remove(key(name));
    }

    private CatalogTable require(TableName name) {
        return find(name)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no table %s".formatted(name),
                                        "./lakemill table list shows those that there are"));
    }

    private static LakemillException taken(TableName name) {
        return new LakemillException(
                ErrorCode.ALREADY_EXISTS,
                "the table %s exists already".formatted(name),
                "take another name, or drop the table first");
    }

    private static String key(TableName name) {
        return name.toString().toLowerCase(Locale.ROOT);
    }
}
