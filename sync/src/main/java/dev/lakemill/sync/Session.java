package dev.lakemill.sync;

import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.HeldFiles;
import dev.lakemill.feed.GroupBatch;
import dev.lakemill.feed.GroupFeed.Round;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a sync and what it does there, each in one transaction over all tables together
 * with the state's row: readers see all of a batch or nothing of it.
 *
 * <p>Rows are only ever inserted, updated and deleted (no truncation, no swapping of tables), since
 * only that leaves older snapshots and running queries of readers as they are. After an exception
 * the session is closed, whatever it was.
 */
final class Session implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);

    /** What expressions of extra columns and indexes may name without a schema. */
    static final String SEARCH_PATH = "SET search_path = pg_catalog, public";

    /** A reader that holds a table longer makes us try again, before others wait behind us. */
    private static final String SETTINGS =
            "SET lock_timeout = '250ms'; SET temp_buffers = '16MB'; SET TIME ZONE 'UTC';"
                    + " SET application_name = '%s'; ".formatted(PostgresCatalog.SYNC)
                    + SEARCH_PATH;

    private static final String ENTER =
            """
            INSERT INTO lakemill.sync_sessions AS s (pipeline, pid, since)
            SELECT ?, a.pid, a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
            ON CONFLICT (pipeline) DO UPDATE SET pid = EXCLUDED.pid, since = EXCLUDED.since
            WHERE NOT EXISTS (SELECT FROM pg_stat_activity a
                WHERE (a.pid, a.backend_start) = (s.pid, s.since))
            """;

    private static final String LOCK_TIMEOUT = "55P03";

    /** Changes of one table that take more memory are not written as such: it is compared. */
    private static final long DIFFERENCE_BYTES_MAX = 32 << 20;

    private final Connection connection;
    private final String group;
    private final List<Target> targets;
    private final Set<Target> undeclared = new HashSet<>();

    private Session(Connection connection, String group, List<Target> targets) {
        this.connection = connection;
        this.group = group;
        this.targets = targets;
    }

    static Session open(DataSource owner, String group, List<Target> targets) throws SQLException {
        var connection = owner.getConnection();
        try (var statement = connection.createStatement()) {
            statement.execute(SETTINGS);
            connection.setAutoCommit(false);
            enter(connection, group);
            connection.commit();
            var executor = connection.unwrap(BaseConnection.class).getQueryExecutor();
            for (var type : PostgresType.values()) {
                executor.addBinarySendOid(type.arrayOid());
            }
            return new Session(connection, group, targets);
        } catch (SQLException | LakemillException e) {
            connection.close();
            throw e;
        }
    }

    /**
     * One session per pipeline writes, also while a lost connection of ours is still at work in
     * Postgres: the one that is entered, until it has ended.
     */
    private static void enter(Connection connection, String pipeline) throws SQLException {
        // First: what Postgres tells of sessions stays as it was first read in a transaction.
        try (var lock = connection.prepareStatement("SELECT lakemill.lock('sync ' || ?)")) {
            lock.setString(1, pipeline);
            lock.execute();
        }
        try (var enter = connection.prepareStatement(ENTER)) {
            enter.setString(1, pipeline);
            if (enter.executeUpdate() == 0) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "another session syncs the pipeline %s".formatted(pipeline),
                        "one Lakemill per Postgres; a lost connection's ends by itself");
            }
        }
    }

    /** The batch that the tables show; empty when they never showed one. */
    OptionalLong shownBatch() throws SQLException {
        var batch = SyncState.readBatch(connection, group);
        connection.commit();
        return batch;
    }

    /**
     * Makes or alters the tables, refusing those that cannot be. One that was refused before and is
     * accepted now {@link Target#isBehind() is behind}.
     */
    void prepare() throws SQLException, TableFailure {
        var registry = new Registry(connection, group);
        registry.lock();
        registry.release(targets.stream().map(Target::spec).toList());
        connection.commit();
        for (var target : targets) {
            if (!target.isCondemned()) {
                tryToPrepare(target, registry);
            }
        }
    }

    private void tryToPrepare(Target target, Registry registry) throws SQLException, TableFailure {
        try {
            prepare(target, registry);
        } catch (SQLException e) {
            if (!LOCK_TIMEOUT.equals(e.getSQLState())) {
                throw new TableFailure(target, e);
            }
            connection.rollback();
            target.refuse("somebody holds its table locked while its form is to change");
        }
    }

    private void prepare(Target target, Registry registry) throws SQLException {
        registry.lock();
        HiddenTables.locate(connection, targets);
        var refused = new TargetDdl(connection, registry, target.spec(), target.sql()).prepare();
        if (!refused.isEmpty()) {
            connection.rollback();
            registry.refuse(target.spec(), refused);
            if (!refused.equals(target.refused())) {
                LOG.error("{} is not synced: {}", target.spec().name(), refused);
            }
        }
        if (refused.isEmpty()) {
            target.remember(registry.rows(target.spec()), registry.skipped(target.spec()));
        }
        connection.commit();
        target.refuse(refused);
    }

    List<Target> targets() {
        return targets;
    }

    /** Whether {@link #declareKeys} could not do all. */
    boolean hasUndeclaredKeys() {
        return !undeclared.isEmpty();
    }

    boolean hasRefused() {
        return targets.stream().anyMatch(target -> !target.isActive() && !target.isCondemned());
    }

    /** Applies batches, in order of number, as one: the tables show the last. */
    Instant apply(List<GroupBatch> batches) throws SQLException, TableFailure {
        HiddenTables.locate(connection, targets);
        var registry = new Registry(connection, group);
        var outcomes = new ArrayList<Target.Outcome>();
        for (var target : targets) {
            if (target.isActive()) {
                outcomes.add(apply(target, batches));
            } else {
                registry.setPartial(target.spec());
            }
        }
        var last = batches.getLast();
        var receivedMicros = batches.stream().mapToLong(GroupBatch::receivedMicros).max().orElse(0);
        return commit(
                outcomes,
                new SyncState(last.number(), last.now(), last.sources(), Map.of(), receivedMicros));
    }

    private Target.Outcome apply(Target target, List<GroupBatch> batches) throws TableFailure {
        var net = new NetChanges(target.encoder(), target.hasSkipped());
        for (var batch : batches) {
            var changes = batch.changes().get(target.spec().source());
            if (changes != null) {
                net.add(changes);
            }
        }
        var mayHide = target.hasDuplicates() && net.deletes() > 0;
        return apply(target, net, mayHide || net.isDoubtful());
    }

    private Target.Outcome apply(Target target, NetChanges net, boolean doubtful)
            throws TableFailure {
        try {
            var writer = new TableWriter(connection, target.spec(), target.sql());
            var deleted = writer.delete(net);
            var fresh = writer.upsert(net);
            net.countDuplicates(net.plainInserts() - fresh);
            var rows = fresh - deleted;
            var outcome = new Target.Outcome(target, false, doubtful, rows, net.skipped());
            store(outcome);
            return outcome;
        } catch (SQLException e) {
            throw new TableFailure(target, e);
        }
    }

    /** What the state says that the tables show. */
    Optional<SyncState> state() throws SQLException {
        var state = SyncState.read(connection, group);
        connection.commit();
        return state;
    }

    /** Sources of tables that do not have all rows of what the state says. */
    Set<TableName> partial() throws SQLException {
        var whole = new Registry(connection, group).whole();
        connection.commit();
        return targets.stream()
                .filter(target -> target.isActive() && !whole.contains(target.name()))
                .map(target -> target.spec().source())
                .collect(Collectors.toSet());
    }

    /** Lets tables follow their sources to the state. */
    Instant advance(Map<TableName, Advance> sources, SyncState state)
            throws SQLException, TableFailure {
        HiddenTables.locate(connection, targets);
        var registry = new Registry(connection, group);
        var outcomes = new ArrayList<Target.Outcome>();
        for (var target : targets) {
            var advance = sources.get(target.spec().source());
            if (advance != null && target.isActive()) {
                var outcome = advance(target, advance);
                outcomes.add(outcome);
                registry.count(target.spec(), outcome);
            } else if (advance != null) {
                registry.setPartial(target.spec());
            }
        }
        return commit(outcomes, state);
    }

    private Target.Outcome advance(Target target, Advance advance) throws TableFailure {
        return switch (advance) {
            case Advance.Whole(var rows) -> compare(target, rows);
            case Advance.Difference(var difference, var all) -> {
                var net = new NetChanges(target.encoder(), target.hasSkipped());
                var isRead =
                        read(difference.deleted(), target, net, net::delete)
                                && read(difference.inserted(), target, net, net::insert);
                var mayHide = target.hasDuplicates() || target.spec().hasTimeseriesKey();
                yield isRead
                        ? apply(target, net, mayHide && net.deletesRows())
                        : compare(target, all);
            }
            case Advance.Appended(var batches) -> {
                var net = new NetChanges(target.encoder(), target.hasSkipped());
                batches.forEach(batch -> conformed(target, batch.rows(), net::insert));
                yield apply(target, net, false);
            }
        };
    }

    /** With the table's columns: rows of another time have fewer, or narrower ones. */
    private static void conformed(Target target, Rows rows, Consumer<Rows> consumer) {
        try (var fitting = rows.conformed(target.spec().sourceSchema())) {
            consumer.accept(fitting);
        }
    }

    /** Whether all was read; otherwise it was given up, for more than memory is to hold. */
    private static boolean read(
            DeltaReader opened, Target target, NetChanges net, Consumer<Rows> consumer) {
        try (var reader = opened) {
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                try (var batch = rows) {
                    conformed(target, batch, consumer);
                }
                if (net.bytes() > DIFFERENCE_BYTES_MAX) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * Makes the tables what the round's snapshots hold, writing only what differs. However long
     * that takes, the pipeline's vacuum leaves the files of those that are yet to come.
     */
    Instant compare(Round round) throws SQLException, TableFailure {
        try (var _ = HeldFiles.of(round.tables().values())) {
            return compareHeld(round);
        }
    }

    private Instant compareHeld(Round round) throws SQLException, TableFailure {
        HiddenTables.locate(connection, targets);
        var registry = new Registry(connection, group);
        var outcomes = new ArrayList<Target.Outcome>();
        for (var target : targets) {
            var snapshot = round.tables().get(target.spec().source());
            var unfit = snapshot == null ? "is no output" : unfit(target, snapshot);
            if (target.isActive() && !unfit.isEmpty()) {
                target.condemn("its source %s %s".formatted(target.spec().source(), unfit));
            }
            if (target.isActive() && snapshot != null) {
                outcomes.add(compare(target, SourceRows.of(snapshot)));
                registry.setWhole(target.spec());
            } else {
                registry.setPartial(target.spec());
            }
        }
        return commit(
                outcomes,
                new SyncState(
                        round.number(),
                        round.now(),
                        round.sources(),
                        Map.of(),
                        round.receivedMicros()));
    }

    /** How the source's columns in Delta differ in type from those of the spec; empty for not. */
    private static String unfit(Target target, DeltaSnapshot snapshot) {
        for (var column : target.spec().sourceSchema().columns()) {
            var position = snapshot.schema().indexOf(column.name());
            if (position.isPresent()) {
                var found = snapshot.schema().column(position.getAsInt()).type().sql();
                var wanted = column.type().sql();
                if (!found.replace(" NOT NULL", "").equals(wanted.replace(" NOT NULL", ""))) {
                    return "has column %s as %s in Delta, not %s"
                            .formatted(column.name(), found, wanted);
                }
            }
        }
        return "";
    }

    private Target.Outcome compare(Target target, SourceRows rows) throws TableFailure {
        try {
            var registry = new Registry(connection, group);
            var outcome = new WholeTable(connection, registry, target).write(rows);
            store(outcome);
            return outcome;
        } catch (SQLException e) {
            throw new TableFailure(target, e);
        }
    }

    private void store(Target.Outcome outcome) throws SQLException {
        var name = outcome.target().spec().name().toString();
        if (outcome.whole()) {
            try (var delete =
                    connection.prepareStatement(
                            "DELETE FROM lakemill.sync_skipped WHERE name = ?")) {
                delete.setString(1, name);
                delete.executeUpdate();
            }
        }
        var sql =
                """
                INSERT INTO lakemill.sync_skipped AS s (name, reason, rows) VALUES (?, ?, ?)
                ON CONFLICT (name, reason) DO UPDATE
                    SET rows = greatest(0, s.rows + EXCLUDED.rows), last_at = now()
                """;
        for (var entry : outcome.skipped().entrySet()) {
            try (var upsert = connection.prepareStatement(sql)) {
                upsert.setString(1, name);
                upsert.setString(2, entry.getKey().text());
                upsert.setLong(3, entry.getValue());
                upsert.executeUpdate();
            }
        }
    }

    private Instant commit(List<Target.Outcome> outcomes, SyncState state) throws SQLException {
        var appliedAt = state.write(connection, group);
        connection.commit();
        outcomes.forEach(outcome -> outcome.target().committed(outcome));
        if (outcomes.stream().anyMatch(Target.Outcome::whole)) {
            declareKeys();
        }
        return appliedAt;
    }

    /**
     * Makes the unique indexes of tables that got their first rows primary keys. That takes a lock
     * for a moment: where a reader holds the table, the next call does it.
     */
    void declareKeys() throws SQLException {
        for (var target : targets) {
            if (target.isActive()) {
                declareKey(target);
            }
        }
    }

    private void declareKey(Target target) throws SQLException {
        var sql = target.sql();
        try {
            HiddenTables.locate(connection, List.of(target));
            var postgres =
                    new PostgresCatalog(connection, sql.schema(), target.spec().postgresTable());
            if (postgres.primaryKey().isEmpty() && postgres.indexes().contains(sql.keyName())) {
                postgres.execute(sql.declareKey());
            }
            connection.commit();
            undeclared.remove(target);
        } catch (SQLException e) {
            if (!LOCK_TIMEOUT.equals(e.getSQLState())) {
                throw e;
            }
            connection.rollback();
            undeclared.add(target);
            LOG.info("{} gets its primary key as soon as nobody holds it", target.name());
        }
    }

    /** Ends the connection at once, from another thread. */
    void abort() throws SQLException {
        connection.abort(Runnable::run);
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
