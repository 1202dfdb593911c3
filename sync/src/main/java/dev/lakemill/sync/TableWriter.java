package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writes the net changes of one table.
 *
 * <p>Few rows go as arrays in one statement. Many go by COPY into a temporary table first, which
 * streams, but costs some milliseconds even for one row; it is kept for the session and emptied at
 * each commit, so that no catalog rows come and go.
 */
final class TableWriter {
    /** Up to here arrays are faster, and small enough to be built in memory. */
    private static final int ARRAY_ROWS_MAX = 5_000;

    private static final long ARRAY_BYTES_MAX = 16 << 20;

    private final Connection connection;
    private final TargetSql sql;
    private final List<PostgresType> types;
    private final List<PostgresType> keyTypes;

    /** The types of pgvector have no fixed number by which an array could name them. */
    private final boolean canBeArrays;

    TableWriter(Connection connection, SyncedTableSpec spec, TargetSql sql) {
        this.connection = connection;
        this.sql = sql;
        this.types =
                spec.sourceSchema().columns().stream().map(c -> PostgresType.of(c.type())).toList();
        this.canBeArrays = spec.form().types().values().stream().noneMatch(TypeOverride::isVector);
        this.keyTypes = IntStream.of(spec.keyColumns()).mapToObj(types::get).toList();
    }

    /** Returns how many rows were there to delete. */
    long delete(NetChanges net) throws SQLException {
        if (net.deletes() == 0) {
            return 0;
        }
        if (net.deletes() <= ARRAY_ROWS_MAX) {
            var keys = new ArrayTuples(keyTypes);
            net.writeDeletes(keys);
            try (var statement = connection.prepareStatement(sql.deleteFromArrays())) {
                keys.bind(statement);
                return statement.executeLargeUpdate();
            }
        }
        execute(sql.createDeletedKeys());
        try (var tuples = new CopyTuples(connection, sql.deletedKeys(), keyTypes.size())) {
            net.writeDeletes(tuples);
            tuples.finish();
        }
        try (var statement = connection.prepareStatement(sql.delete())) {
            return statement.executeLargeUpdate();
        }
    }

    /** Returns how many rows were new. */
    long upsert(NetChanges net) throws SQLException {
        if (net.upserts() == 0) {
            return 0;
        }
        if (canBeArrays
                && net.upserts() <= ARRAY_ROWS_MAX
                && net.upsertBytes() <= ARRAY_BYTES_MAX) {
            var rows = new ArrayTuples(types);
            net.writeUpserts(rows);
            try (var statement = connection.prepareStatement(sql.upsertFromArrays())) {
                rows.bind(statement);
                return number(statement);
            }
        }
        execute(sql.createChangedRows());
        try (var tuples = new CopyTuples(connection, sql.changedRows(), types.size())) {
            net.writeUpserts(tuples);
            tuples.finish();
        }
        try (var statement = connection.prepareStatement(sql.upsert())) {
            return number(statement);
        }
    }

    private static long number(PreparedStatement query) throws SQLException {
        try (var rows = query.executeQuery()) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private void execute(String command) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(command);
        }
    }
}
