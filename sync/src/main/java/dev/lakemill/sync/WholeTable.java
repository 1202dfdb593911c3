package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one synced table what a snapshot of its source holds, within the session's transaction.
 *
 * <p>A table that never had rows has no key and no index yet. It takes its rows by one COPY, and
 * then the key and the indexes are built over all of them at once, which is faster than row by row;
 * readers see an empty table until the commit, and nothing locks them out. Any other table is
 * compared: the snapshot goes into a temporary table, and only what differs is written.
 */
final class WholeTable {
    private static final Logger LOG = LoggerFactory.getLogger(WholeTable.class);
    private static final String UNIQUE_VIOLATION = "23505";

    /** Above this, sorts and hashes get more memory than others have. */
    private static final long MANY_ROWS = 100_000;

    private final Connection connection;
    private final Registry registry;
    private final Target target;
    private final TargetSql sql;
    private final PostgresCatalog postgres;
    private final Map<SkipReason, Long> skipped = new EnumMap<>(SkipReason.class);

    WholeTable(Connection connection, Registry registry, Target target) {
        this.connection = connection;
        this.registry = registry;
        this.target = target;
        this.sql = target.sql();
        this.postgres =
                new PostgresCatalog(connection, sql.schema(), target.spec().postgresTable());
    }

    Target.Outcome write(SourceRows snapshot) throws SQLException {
        if (snapshot.rowCount() > MANY_ROWS) {
            postgres.execute("SET LOCAL work_mem = '128MB'");
            postgres.execute("SET LOCAL maintenance_work_mem = '128MB'");
        }
        if (!postgres.hasUniqueKey(sql.keyName())) {
            if (postgres.number(sql.countOneRow()) == 0) {
                return load(snapshot);
            }
            postgres.execute(sql.createKey());
        }
        return compare(snapshot);
    }

    private Target.Outcome load(SourceRows snapshot) throws SQLException {
        var wanted = sql.indexes();
        target.begin(snapshot.rowCount(), 2 + wanted.size());
        var loaded = copy(snapshot, sql.tableWithColumns(), false);
        var duplicates = createKey();
        target.stepDone();
        new TargetIndexes(connection, registry, target.spec(), sql).create(target::stepDone);
        postgres.execute("ANALYZE " + sql.table());
        target.stepDone();
        LOG.info("loaded {}: {} rows", target.name(), loaded - duplicates);
        return outcome(loaded, duplicates);
    }

    /** Returns how many rows had the key of a later one, or of a newer. */
    private long createKey() throws SQLException {
        var before = connection.setSavepoint();
        try {
            postgres.execute(sql.createKey());
            return 0;
        } catch (SQLException e) {
            if (!UNIQUE_VIOLATION.equals(e.getSQLState())) {
                throw e;
            }
            connection.rollback(before);
        }
        var duplicates = update(sql.deleteLoadedDuplicates());
        postgres.execute(sql.createKey());
        return duplicates;
    }

    private Target.Outcome compare(SourceRows snapshot) throws SQLException {
        postgres.execute(sql.createAllRows());
        target.begin(snapshot.rowCount(), 3);
        var loaded = copy(snapshot, sql.allRows(), true);
        postgres.execute("ANALYZE " + sql.allRows());
        var duplicates = update(sql.deleteDuplicates());
        target.stepDone();
        var deleted = update(sql.deleteMissing());
        target.stepDone();
        var fresh = postgres.number(sql.upsertDifferent());
        target.stepDone();
        LOG.info(
                "compared {}: {} rows, {} deleted, {} new",
                target.name(),
                loaded - duplicates,
                deleted,
                fresh);
        return outcome(loaded, duplicates);
    }

    private Target.Outcome outcome(long loaded, long duplicates) {
        if (duplicates > 0) {
            skipped.put(SkipReason.DUPLICATE_KEY, duplicates);
        }
        return new Target.Outcome(target, true, false, loaded - duplicates, skipped);
    }

    /** Copies the snapshot's rows that Postgres can hold, and returns how many. */
    private long copy(SourceRows snapshot, String table, boolean isNumbered) throws SQLException {
        var fields = new ByteArray();
        var encoder = target.encoder();
        var position = 0L;
        var fieldCount = (isNumbered ? 1 : 0) + target.spec().sourceSchema().size();
        try (var tuples = new CopyTuples(connection, table, fieldCount);
                var reader = snapshot.read()) {
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                try (var read = rows;
                        var batch = read.conformed(target.spec().sourceSchema())) {
                    encoder.read(batch);
                    target.loads(position);
                    for (var row = 0; row < batch.count(); row++) {
                        fields.truncate(0);
                        if (isNumbered) {
                            fields.putInt(Long.BYTES);
                            fields.putLong(position);
                        }
                        position++;
                        var reason = encoder.putKeyedRow(row, fields);
                        if (reason == null) {
                            tuples.put(fields.array(), fields.length());
                        } else {
                            skipped.merge(reason, 1L, Long::sum);
                        }
                    }
                }
            }
            target.loads(position);
            return tuples.finish();
        }
    }

    private long update(String command) throws SQLException {
        try (var statement = connection.prepareStatement(command)) {
            return statement.executeLargeUpdate();
        }
    }
}
