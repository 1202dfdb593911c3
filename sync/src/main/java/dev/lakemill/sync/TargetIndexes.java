package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The secondary indexes of one synced table: what is there, what is wanted, and the way between.
 *
 * <p>Ours are those that {@link TargetSql} names, and the extra ones that the registry remembers;
 * others made theirs, and they stay. One that is not valid is the rest of a build that was ended.
 */
final class TargetIndexes {
    private static final String BESIDE = "CONCURRENTLY";

    private final PostgresCatalog postgres;
    private final Registry registry;
    private final SyncedTableSpec spec;
    private final TargetSql sql;
    private final Map<String, String> wanted;

    TargetIndexes(Connection connection, Registry registry, SyncedTableSpec spec, TargetSql sql) {
        this.postgres = new PostgresCatalog(connection, sql.schema(), spec.postgresTable());
        this.registry = registry;
        this.spec = spec;
        this.sql = sql;
        this.wanted = sql.indexes();
    }

    /** Whether {@link #build} has something to do. */
    boolean areToBeBuilt() throws SQLException {
        var found = postgres.indexes();
        return postgres.hasUniqueKey(sql.keyName())
                && (!outdated(found).isEmpty()
                        || !found.containsAll(wanted.keySet())
                        || hasOldStorage());
    }

    /** Whether the table is of a time when a vacuum came later. */
    private boolean hasOldStorage() throws SQLException {
        return !postgres.storageOptions().contains("autovacuum_");
    }

    private Set<String> outdated(Set<String> found) throws SQLException {
        var invalid = postgres.invalidIndexes();
        var remembered = registry.extraIndexes(spec);
        var outdated = new HashSet<>(found);
        outdated.removeIf(
                name -> {
                    var definition = remembered.get(name);
                    if (definition == null && !TargetSql.isIndexName(name)) {
                        return true;
                    }
                    var isAsWanted =
                            definition == null
                                    ? wanted.containsKey(name)
                                    : definition.equals(wanted.get(name));
                    return isAsWanted && !invalid.contains(name);
                });
        return outdated;
    }

    /**
     * Brings them about while readers and the sync go on. Each command is a transaction of its own,
     * and what is begun is remembered before, so that after a kill the next call goes on.
     */
    void build() throws SQLException {
        if (hasOldStorage()) {
            postgres.execute(sql.setStorage());
        }
        var found = new HashSet<>(postgres.indexes());
        for (var name : outdated(found)) {
            postgres.execute(sql.dropIndex(BESIDE + " IF EXISTS", name));
            found.remove(name);
        }
        remember(found);
        for (var index : wanted.entrySet()) {
            if (!found.contains(index.getKey())) {
                postgres.execute(sql.createIndex(BESIDE, index.getKey(), index.getValue()));
            }
        }
    }

    /** The same within a transaction, for a table that nobody has seen rows of. */
    void create(Runnable progress) throws SQLException {
        var found = postgres.indexes();
        remember(found);
        for (var index : wanted.entrySet()) {
            if (!found.contains(index.getKey())) {
                postgres.execute(sql.createIndex("", index.getKey(), index.getValue()));
            }
            progress.run();
        }
    }

    private void remember(Set<String> found) throws SQLException {
        var remembered = registry.extraIndexes(spec);
        var extra = spec.form().indexTexts();
        for (var name : extra.keySet()) {
            if (found.contains(name) && !remembered.containsKey(name)) {
                throw new SQLException(
                        "there is an index %s that no sync made; take another name".formatted(name),
                        "42P07");
            }
        }
        if (!remembered.equals(extra)) {
            registry.putExtraIndexes(spec, extra);
        }
    }
}
