package dev.lakemill.server.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** Staging tables, managed tables and their commits, in Postgres. */
final class CommitStore {
    private static final Migrations MIGRATIONS =
            new Migrations("managed-tables", CommitStore.class, List.of("0001-managed-tables.sql"));
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Backfilled commits that are remembered per table, for clients that send one again. */
    private static final int REMEMBERED_MAX = 1_000;

    /** Tables that one principal may have staged, and for how long. */
    private static final int STAGED_MAX = 1_000;

    private static final int STAGED_DAYS_MAX = 7;

    /** A place where a client writes version 0 before the table exists. */
    record Staging(UUID id, String name, String location, UUID createdBy) {}

    /** A commit as its client described it. */
    record Commit(long version, long timestamp, String fileName, long fileSize, long modified) {}

    /**
     * What the catalog knows of a managed table.
     *
     * @param pending commits that are not backfilled, newest first
     */
    record State(
            UUID id,
            long revision,
            ObjectNode metadata,
            long metadataVersion,
            long metadataTimestamp,
            long latestVersion,
            long backfilledVersion,
            List<Commit> pending) {}

    private final DataSource database;

    CommitStore(DataSource database) {
        this.database = database;
        MIGRATIONS.apply(database);
    }

    <T> T run(Transactions.Work<T> work) {
        return Transactions.run(database, work);
    }

    /** RESOURCE_EXHAUSTED when too many are open; those of long ago are given up. */
    void stage(Staging staging) {
        run(
                connection -> {
                    update(
                            connection,
                            "DELETE FROM lakemill.staging_tables"
                                    + " WHERE created_at < now() - make_interval(days => ?)",
                            STAGED_DAYS_MAX);
                    if (staged(connection, staging.createdBy()) >= STAGED_MAX) {
                        throw new LakemillException(
                                ErrorCode.RESOURCE_EXHAUSTED,
                                "%d tables are staged and not made".formatted(STAGED_MAX),
                                "make them, or wait: after %d days they are given up"
                                        .formatted(STAGED_DAYS_MAX));
                    }
                    return update(
                            connection,
                            "INSERT INTO lakemill.staging_tables (id, name, location, created_by)"
                                    + " VALUES (?, ?, ?, ?)",
                            staging.id(),
                            staging.name(),
                            staging.location(),
                            staging.createdBy());
                });
    }

    private static long staged(Connection connection, UUID by) throws SQLException {
        var sql = "SELECT count(*) FROM lakemill.staging_tables WHERE created_by = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, by);
            try (var row = query.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    Optional<Staging> staging(UUID id) {
        return run(c -> staging(c, "id = ?", id));
    }

    Optional<Staging> staging(String location) {
        return run(c -> staging(c, "location = ?", location));
    }

    private static Optional<Staging> staging(Connection connection, String where, Object value)
            throws SQLException {
        var sql =
                "SELECT id, name, location, created_by FROM lakemill.staging_tables WHERE " + where;
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, value);
            try (var row = query.executeQuery()) {
                return row.next()
                        ? Optional.of(
                                new Staging(
                                        row.getObject(1, UUID.class),
                                        row.getString(2),
                                        row.getString(3),
                                        row.getObject(4, UUID.class)))
                        : Optional.empty();
            }
        }
    }

    void unstage(UUID id) {
        run(c -> update(c, "DELETE FROM lakemill.staging_tables WHERE id = ?", id));
    }

    /** Overwrites what a failed creation of the same table left. */
    void create(UUID id, ObjectNode metadata, long timestamp) {
        var sql =
                """
                INSERT INTO lakemill.managed_tables (table_id, metadata, metadata_timestamp_ms)
                VALUES (?, ?::jsonb, ?)
                ON CONFLICT (table_id) DO UPDATE
                SET metadata = excluded.metadata,
                    metadata_timestamp_ms = excluded.metadata_timestamp_ms
                """;
        run(c -> update(c, sql, id, metadata.toString(), timestamp));
    }

    void delete(UUID id) {
        run(c -> update(c, "DELETE FROM lakemill.managed_tables WHERE table_id = ?", id));
    }

    Optional<State> find(UUID id) {
        return run(c -> find(c, id, ""));
    }

    /** Locks the table's row: commits of one table go one after the other. */
    static Optional<State> lock(Connection connection, UUID id) throws SQLException {
        return find(connection, id, " FOR UPDATE");
    }

    private static Optional<State> find(Connection connection, UUID id, String lock)
            throws SQLException {
        var sql =
                """
                SELECT revision, metadata, metadata_version, metadata_timestamp_ms, latest_version,
                    backfilled_version
                FROM lakemill.managed_tables WHERE table_id = ?
                """
                        + lock;
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            try (var row = query.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                return Optional.of(
                        new State(
                                id,
                                row.getLong(1),
                                (ObjectNode) JSON.readTree(row.getString(2)),
                                row.getLong(3),
                                row.getLong(4),
                                row.getLong(5),
                                row.getLong(6),
                                commits(connection, id, row.getLong(6))));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Commit> commits(Connection connection, UUID id, long after)
            throws SQLException {
        var sql =
                """
                SELECT version, timestamp_ms, file_name, file_size, file_modified_ms
                FROM lakemill.managed_commits
                WHERE table_id = ? AND version > ? ORDER BY version DESC
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            query.setLong(2, after);
            try (var row = query.executeQuery()) {
                var commits = new ArrayList<Commit>();
                while (row.next()) {
                    commits.add(
                            new Commit(
                                    row.getLong(1),
                                    row.getLong(2),
                                    row.getString(3),
                                    row.getLong(4),
                                    row.getLong(5)));
                }
                return commits;
            }
        }
    }

    /** The file of a commit that is remembered. */
    static Optional<String> fileOf(Connection connection, UUID id, long version)
            throws SQLException {
        var sql =
                "SELECT file_name FROM lakemill.managed_commits WHERE table_id = ? AND version = ?";
        try (var query = connection.prepareStatement(sql)) {
            query.setObject(1, id);
            query.setLong(2, version);
            try (var row = query.executeQuery()) {
                return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
        }
    }

    static void add(Connection connection, UUID id, Commit commit) throws SQLException {
        update(
                connection,
                "INSERT INTO lakemill.managed_commits VALUES (?, ?, ?, ?, ?, ?)",
                id,
                commit.version(),
                commit.timestamp(),
                commit.fileName(),
                commit.fileSize(),
                commit.modified());
        update(
                connection,
                "UPDATE lakemill.managed_tables SET latest_version = ? WHERE table_id = ?",
                commit.version(),
                id);
        update(
                connection,
                "DELETE FROM lakemill.managed_commits m USING lakemill.managed_tables t"
                        + " WHERE m.table_id = ? AND t.table_id = m.table_id"
                        + " AND m.version <= t.backfilled_version AND m.version <= ?",
                id,
                commit.version() - REMEMBERED_MAX);
    }

    static void backfilled(Connection connection, UUID id, long version) throws SQLException {
        update(
                connection,
                "UPDATE lakemill.managed_tables"
                        + " SET backfilled_version = greatest(backfilled_version, ?)"
                        + " WHERE table_id = ?",
                version,
                id);
    }

    static void describe(
            Connection connection, UUID id, ObjectNode metadata, long version, long timestamp)
            throws SQLException {
        update(
                connection,
                "UPDATE lakemill.managed_tables SET metadata = ?::jsonb, metadata_version = ?,"
                        + " metadata_timestamp_ms = ? WHERE table_id = ?",
                metadata.toString(),
                version,
                timestamp,
                id);
    }

    static void touch(Connection connection, UUID id) throws SQLException {
        update(
                connection,
                "UPDATE lakemill.managed_tables SET revision = revision + 1 WHERE table_id = ?",
                id);
    }

    private static int update(Connection connection, String sql, Object... values)
            throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (var i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
