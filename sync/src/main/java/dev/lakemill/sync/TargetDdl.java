package dev.lakemill.sync;

import dev.lakemill.postgres.Postgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Brings a synced table of Postgres to the form that its spec says, or says why that cannot be.
 *
 * <p>What is there is read from Postgres's own catalog. Columns that the source gained or lost are
 * added or dropped, which rewrites nothing, and types get wider; a changed key, or a type that
 * changed otherwise, is refused, because it is often a mistake. A table that no sync made is never
 * touched. Where nothing is to be changed no lock is taken, so that a start never waits for a
 * reader or a vacuum.
 */
final class TargetDdl {
    private static final String STILL_NEEDED = "2BP01";
    private static final String NOT_SUPPORTED = "0A000";
    private static final String HOW_TO_CHANGE =
            "drop the synced table (./lakemill sync drop), and it is made anew, or give the new one"
                    + " another name";

    private final PostgresCatalog postgres;
    private final Registry registry;
    private final SyncedTableSpec spec;
    private final TargetSql sql;

    /** Whether rows that are there may lack what the source has. */
    private boolean changed;

    TargetDdl(Connection connection, Registry registry, SyncedTableSpec spec, TargetSql sql) {
        this.postgres = new PostgresCatalog(connection, sql.schema(), spec.postgresTable());
        this.registry = registry;
        this.spec = spec;
        this.sql = sql;
    }

    /**
     * Empty when the table is as it should be now; otherwise why it is not, and then the caller
     * rolls back.
     */
    String prepare() throws SQLException {
        var other = registry.ownerOtherThan(spec);
        if (other.isPresent()) {
            return "%s is the Postgres table of %s; take another name, or drop that one"
                    .formatted(sql.table(), other.get());
        }
        if (postgres.hasTable() && !registry.knows(spec)) {
            return "there is a table %s in Postgres that no sync made; take another name"
                    .formatted(sql.table());
        }
        var refused = postgres.hasTable() ? alter() : create();
        if (refused.isEmpty()) {
            prepareIndexes();
            describe();
            registry.put(spec, changed);
        }
        return refused;
    }

    private String create() throws SQLException {
        postgres.execute(
                "CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s"
                        .formatted(TargetSql.quoted(spec.postgresSchema()), Postgres.OBJECTS_ROLE));
        changed = true;
        postgres.execute(sql.create());
        postgres.execute(
                "ALTER TABLE %s OWNER TO %s".formatted(sql.table(), Postgres.OBJECTS_ROLE));
        postgres.execute("NOTIFY lakemill_governance");
        return "";
    }

    private String alter() throws SQLException {
        var found = postgres.columns();
        var refused = incompatible(found);
        if (!refused.isEmpty()) {
            return refused;
        }
        refused = widen(found);
        if (!refused.isEmpty()) {
            return refused;
        }
        for (var i = 0; i < spec.sourceSchema().size(); i++) {
            if (found.remove(spec.sourceSchema().column(i).name()) == null) {
                changed = true;
                postgres.execute(sql.addColumn(i));
            }
        }
        return drop(found.keySet().stream().sorted().toList());
    }

    private String incompatible(Map<String, String> found) throws SQLException {
        var columns = spec.sourceSchema().columns();
        var wanted = IntStream.of(spec.keyColumns()).mapToObj(i -> columns.get(i).name()).toList();
        var key = postgres.primaryKey();
        if (!key.equals(wanted)) {
            return "its primary key was (%s) and is (%s); %s"
                    .formatted(String.join(", ", key), String.join(", ", wanted), HOW_TO_CHANGE);
        }
        for (var i = 0; i < columns.size(); i++) {
            var name = columns.get(i).name();
            var type = found.getOrDefault(name, sql.type(i));
            if (!type.equals(sql.type(i)) && !PostgresType.isWidening(type, sql.type(i))) {
                return "its column %s was %s and is %s; %s"
                        .formatted(name, type, sql.type(i), HOW_TO_CHANGE);
            }
        }
        return "";
    }

    /**
     * Gives columns wider types. Postgres rewrites the table for most, which transactions with an
     * older snapshot would see empty: while one is open it waits.
     */
    private String widen(Map<String, String> found) throws SQLException {
        var narrow =
                IntStream.range(0, spec.sourceSchema().size())
                        .filter(i -> isNarrow(i, found))
                        .toArray();
        if (narrow.length == 0) {
            return "";
        }
        postgres.execute(sql.lock());
        if (postgres.hasOlderReaders()) {
            return "columns get wider types as soon as no transaction is open that has read before";
        }
        for (var column : narrow) {
            try {
                postgres.execute(sql.widenColumn(column));
            } catch (SQLException e) {
                if (!NOT_SUPPORTED.equals(e.getSQLState())) {
                    throw e;
                }
                return "its column %s is to be %s, but something needs it: %s"
                        .formatted(
                                spec.sourceSchema().column(column).name(),
                                sql.type(column),
                                e.getMessage());
            }
        }
        changed = true;
        return "";
    }

    private boolean isNarrow(int column, Map<String, String> found) {
        var type = found.get(spec.sourceSchema().column(column).name());
        return type != null && !type.equals(sql.type(column));
    }

    private String drop(List<String> columns) throws SQLException {
        for (var column : columns) {
            try {
                postgres.execute(sql.dropColumn(column));
            } catch (SQLException e) {
                if (!STILL_NEEDED.equals(e.getSQLState())) {
                    throw e;
                }
                return "its source has no column %s any more, but something needs it: %s"
                        .formatted(column, e.getMessage());
            }
        }
        return "";
    }

    private void prepareIndexes() throws SQLException {
        var existing = postgres.indexes();
        var wanted = new HashSet<String>();
        for (var index : spec.indexes()) {
            var name = sql.indexName(index);
            if (wanted.add(name) && !existing.contains(name)) {
                postgres.execute(sql.createIndex(index));
            }
        }
        for (var found : existing) {
            if (TargetSql.isIndexName(found) && !wanted.contains(found)) {
                var schema = TargetSql.quoted(sql.schema());
                postgres.execute("DROP INDEX %s.%s".formatted(schema, TargetSql.quoted(found)));
            }
        }
    }

    /**
     * Comments, and who may do what: the owner writes, the reader reads what is not hidden, and
     * others what the catalog says.
     */
    private void describe() throws SQLException {
        var comments = new HashMap<String, String>();
        comments.put("", "Synced by Lakemill from %s; read-only".formatted(spec.source()));
        for (var column : spec.sourceSchema().columns()) {
            comments.put(column.name(), column.comment());
        }
        var existing = postgres.comments();
        for (var comment : comments.entrySet()) {
            var column = comment.getKey();
            if (!comment.getValue().equals(existing.getOrDefault(column, ""))) {
                postgres.execute(sql.comment(column, comment.getValue()));
            }
        }
        if (sql.isHidden()) {
            return;
        }
        var schema = TargetSql.quoted(spec.postgresSchema());
        var reader = Postgres.READER_ROLE;
        postgres.execute("REVOKE ALL ON %s FROM PUBLIC".formatted(sql.table()));
        postgres.execute("GRANT USAGE ON SCHEMA %s TO %s".formatted(schema, reader));
        postgres.execute("GRANT SELECT ON %s TO %s".formatted(sql.table(), reader));
    }
}
