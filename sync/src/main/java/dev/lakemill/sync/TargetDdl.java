package dev.lakemill.sync;

import dev.lakemill.postgres.Postgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Brings the columns of a synced table of Postgres to the form that its spec says, or says why that
 * cannot be. Its key and indexes come with its first rows, or beside it ({@link TargetIndexes}).
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

    /** Whether the table has had its first rows, and readers. */
    private boolean isLoaded;

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
            describe();
            registry.put(spec, changed);
            registry.putExtraColumns(spec, spec.form().columnTexts());
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
        isLoaded = postgres.hasUniqueKey(sql.keyName());
        var found = postgres.columns();
        var refused = incompatible(found);
        if (refused.isEmpty()) {
            refused = dropExtras(found);
        }
        if (refused.isEmpty()) {
            refused = widen(found);
        }
        if (!refused.isEmpty()) {
            return refused;
        }
        for (var i = 0; i < spec.sourceSchema().size(); i++) {
            if (found.remove(spec.sourceSchema().column(i).name()) == null) {
                changed = true;
                postgres.execute(sql.addColumn(i));
            }
        }
        refused = addExtras(found);
        return refused.isEmpty() ? drop(found.keySet().stream().sorted().toList()) : refused;
    }

    /**
     * Extra columns that are to go or to be others; also all that are computed from columns that
     * get wider types, which Postgres does not change under them.
     */
    private String dropExtras(Map<String, String> found) throws SQLException {
        var present = registry.extraColumns(spec);
        var wanted = spec.form().columnTexts();
        var widens =
                IntStream.range(0, spec.sourceSchema().size()).anyMatch(i -> isNarrow(i, found));
        var dropped = new ArrayList<String>();
        for (var column : present.entrySet()) {
            var name = column.getKey();
            var stays =
                    column.getValue().equals(wanted.get(name))
                            && !(widens && column.getValue().contains(" GENERATED "));
            if (!stays && found.containsKey(name) && spec.sourceSchema().indexOf(name).isEmpty()) {
                dropped.add(name);
            }
        }
        dropped.sort(null);
        found.keySet().removeAll(dropped);
        return drop(dropped);
    }

    private String addExtras(Map<String, String> found) throws SQLException {
        var missing = new ArrayList<ExtraColumn>();
        for (var column : spec.form().extraColumns()) {
            if (found.remove(column.name()) == null) {
                missing.add(column);
            }
        }
        var waits = missing.isEmpty() ? "" : lockForRewriting();
        if (waits.isEmpty()) {
            for (var column : missing) {
                postgres.execute(sql.addColumn(column));
            }
        }
        if (waits.isEmpty() && !missing.isEmpty()) {
            postgres.execute("NOTIFY lakemill_governance");
        }
        return waits;
    }

    /**
     * Postgres is to write the table anew, which transactions with an older snapshot would find
     * empty: while one is open, this says so.
     */
    private String lockForRewriting() throws SQLException {
        if (!isLoaded) {
            return "";
        }
        postgres.execute(sql.lock());
        return postgres.hasOlderReaders()
                ? "its columns change as soon as no transaction is open that has read before"
                : "";
    }

    private String incompatible(Map<String, String> found) throws SQLException {
        var columns = spec.sourceSchema().columns();
        var wanted = IntStream.of(spec.keyColumns()).mapToObj(i -> columns.get(i).name()).toList();
        var key = postgres.primaryKey();
        if (!key.isEmpty() && !key.equals(wanted)) {
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

    /** Gives columns wider types, for most of which Postgres writes the table anew. */
    private String widen(Map<String, String> found) throws SQLException {
        var narrow =
                IntStream.range(0, spec.sourceSchema().size())
                        .filter(i -> isNarrow(i, found))
                        .toArray();
        if (narrow.length == 0) {
            return "";
        }
        var waits = lockForRewriting();
        if (!waits.isEmpty()) {
            return waits;
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
        lockGrants(spec.postgresSchema());
        lockGrants(spec.postgresSchema() + "." + spec.postgresTable());
        postgres.execute("REVOKE ALL ON %s FROM PUBLIC".formatted(sql.table()));
        postgres.execute("GRANT USAGE ON SCHEMA %s TO %s".formatted(schema, reader));
        postgres.execute("GRANT SELECT ON %s TO %s".formatted(sql.table(), reader));
    }

    /** Others grant on the same schema at the same time. */
    private void lockGrants(String name) throws SQLException {
        postgres.execute("SELECT lakemill.lock_grants('%s')".formatted(name.replace("'", "''")));
    }
}
