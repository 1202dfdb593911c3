package dev.lakemill.capture;

import dev.lakemill.capture.Transaction.Command;
import dev.lakemill.capture.Transaction.Names;
import dev.lakemill.capture.Transaction.Net;
import dev.lakemill.postgres.Postgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a slot's changes and commits them to Delta, whole transactions at a time, until it is ended
 * or a table's rows are to be read. One thread uses it.
 *
 * <p>What is confirmed to the slot is durable in all tables: Postgres may throw its log away.
 */
final class ChangeStream implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChangeStream.class);
    private static final String COMMANDS = "lakemill.capture_ddl";
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long CONFIRM_IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** Text in the forms that {@link TextValues} reads. */
    static final String SESSION =
            "-c datestyle=ISO -c intervalstyle=iso_8601 -c timezone=UTC -c bytea_output=hex"
                    + " -c extra_float_digits=1 -c statement_timeout=0 -c lock_timeout=0"
                    + " -c idle_in_transaction_session_timeout=0";

    /** What a round of commits did. */
    record Round(int changes, long commitToDeltaMillis, long lsn) {}

    /** What is told of the work. */
    interface Listener {
        void committed(Round round);

        void confirmed(long lsn);
    }

    private final CaptureConfig config;
    private final CaptureStore store;
    private final CapturedTable.Parts parts;
    private final Map<Long, CapturedTable> tables;
    private final Listener listener;
    private final Clock clock;
    private final Connection connection;
    private final PGReplicationStream stream;
    private final Map<Long, Names> names = new HashMap<>();
    private long commandsRelation = -1;
    private @Nullable Transaction transaction;
    private long lastLsn;
    private long pendingBytes;
    private long pendingSinceNanos;
    private long oldestCommitMicros;
    private long confirmedNanos = System.nanoTime();
    private long lastCommand = -1;
    private boolean rowsWanted;

    /** What it works with. */
    record Work(
            CaptureConfig config,
            CaptureStore store,
            CapturedTable.Parts parts,
            Listener listener,
            Clock clock) {}

    /**
     * Begins where the slot was confirmed.
     *
     * @param tables by their object ids; changes of others are passed over
     */
    ChangeStream(Work work, Postgres postgres, Map<Long, CapturedTable> tables)
            throws SQLException {
        this.config = work.config();
        this.store = work.store();
        this.parts = work.parts();
        this.listener = work.listener();
        this.clock = work.clock();
        this.tables = tables;
        this.connection = postgres.replication(SESSION);
        try {
            this.stream =
                    connection
                            .unwrap(PGConnection.class)
                            .getReplicationAPI()
                            .replicationStream()
                            .logical()
                            .withSlotName(config.slot())
                            .withSlotOption("proto_version", 1)
                            .withSlotOption(
                                    "publication_names",
                                    config.publication() + "," + config.ddlPublication())
                            .withStatusInterval(10, TimeUnit.SECONDS)
                            .withAutomaticFlush(false)
                            .start();
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** Reads until it is ended, or until rows of a table are to be read. */
    void run(BooleanSupplier ended) throws SQLException {
        while (!ended.getAsBoolean() && !(rowsWanted && transaction == null)) {
            var message = stream.readPending();
            if (message != null) {
                take(PgOutput.decode(message));
            }
            if (transaction == null && isDue(message == null)) {
                commit();
            }
            if (message == null) {
                confirmIdle();
                LockSupport.parkNanos(IDLE_NANOS);
            }
        }
        if (transaction == null) {
            commit();
        }
    }

    private boolean isDue(boolean idle) {
        if (pendingBytes == 0) {
            return false;
        }
        return pendingBytes > config.pendingBytesMax()
                || System.nanoTime() - pendingSinceNanos > config.commitEvery().toNanos()
                || (idle && rowsWanted);
    }

    private void take(PgOutput.Message message) throws SQLException {
        switch (message) {
            case PgOutput.Begin begin ->
                    transaction = new Transaction(begin, config.pendingBytesMax());
            case PgOutput.Commit commit -> end(commit.endLsn());
            case PgOutput.Relation relation -> {
                names.put(relation.oid(), new Names(relation.columns()));
                if (relation.name().equals(COMMANDS)) {
                    commandsRelation = relation.oid();
                }
            }
            case PgOutput.Insert insert when insert.oid() == commandsRelation ->
                    command(insert.row());
            case PgOutput.Insert insert ->
                    running().insert(insert.oid(), named(insert.oid()), insert.row());
            case PgOutput.Update update ->
                    running().update(update.oid(), named(update.oid()), update.row(), update.old());
            case PgOutput.Delete delete ->
                    running().delete(delete.oid(), named(delete.oid()), delete.old());
            case PgOutput.Truncate truncate ->
                    truncate.oids().forEach(oid -> running().truncate(oid));
            case PgOutput.Other _ -> {}
        }
    }

    private Transaction running() {
        var now = transaction;
        if (now == null) {
            throw new IllegalStateException("a change outside of a transaction");
        }
        return now;
    }

    /** Bound to the columns as they are now, where the table is known: later they may be others. */
    private Names named(long oid) {
        var now = names.get(oid);
        if (now == null) {
            throw new IllegalStateException(
                    "a change of relation %d before its columns".formatted(oid));
        }
        var table = tables.get(oid);
        var shape = running().shape(oid, table == null ? null : table.shape());
        if (!now.isBound() && shape != null) {
            now.numbers(shape);
        }
        return now;
    }

    private void command(byte[][] row) {
        var number = Long.parseLong(text(row[0]));
        var relation = Long.parseLong(text(row[2]));
        var shape = row[3] == null ? null : TableShape.parse(text(row[3]));
        running().command(new Command(number, text(row[1]), relation, shape));
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }

    private void end(long lsn) throws SQLException {
        var ended = running();
        if (ended.lastCommand() >= 0) {
            commit();
            lastCommand = ended.lastCommand();
            for (var net : ended.net()) {
                apply(net, lsn - 1);
            }
        }
        if (ended.tooLarge()) {
            commit();
            compareInstead(ended);
        }
        var changes =
                ended.end(
                        lsn,
                        oid -> {
                            var table = tables.get(oid);
                            return table == null ? null : table.shape();
                        });
        changes.forEach(
                (oid, list) -> {
                    var table = tables.get(oid);
                    if (table != null) {
                        list.forEach(table::add);
                        pend(list, ended.commitMicros());
                    }
                });
        lastLsn = lsn;
        transaction = null;
    }

    private void pend(List<Change> changes, long commitMicros) {
        if (pendingBytes == 0) {
            pendingSinceNanos = System.nanoTime();
            oldestCommitMicros = commitMicros;
        }
        for (var change : changes) {
            pendingBytes += change.sizeBytes();
        }
    }

    /** A transaction that does not fit into memory: its tables are compared with Postgres. */
    private void compareInstead(Transaction large) throws SQLException {
        for (var oid : large.touched()) {
            var table = tables.remove(oid);
            if (table != null) {
                LOG.warn(
                        "a transaction of more than {} MB changed {}: its history gets the"
                                + " differences, not each change",
                        config.pendingBytesMax() >> 20,
                        table.shape().fullName());
                store.want(oid);
                rowsWanted = true;
            }
        }
    }

    private void apply(Net net, long position) throws SQLException {
        var table = tables.get(net.relation());
        if (net.shapes().isEmpty()) {
            tables.remove(net.relation());
            store.forget(net.relation());
        } else if (table != null && position <= table.followed()) {
            LOG.debug("{} is told again what it followed before a crash", table.shape().fullName());
        } else if (table != null) {
            keep(table, table.follow(net.shapes(), position) || net.isCompared());
        } else if (net.tag().startsWith("CREATE") || net.tag().equals("SELECT INTO")) {
            var shape = net.shapes().getLast();
            var known = new CaptureStore.Known(shape.schema(), lakeName(shape), shape, -1, false);
            var born = new CapturedTable(parts, known);
            born.born(position);
            tables.put(shape.oid(), born);
            keep(born, net.isCompared());
        } else {
            store.want(net.relation());
            rowsWanted = true;
        }
    }

    /**
     * Writes a table down as it is now.
     *
     * @param isCompared whether its current state may be another than Postgres's; a history alone
     *     has nothing to be compared
     */
    private void keep(CapturedTable table, boolean isCompared) throws SQLException {
        if (isCompared && table.current() != null) {
            store.saveShape(table);
            tables.remove(table.shape().oid());
            rowsWanted = true;
        } else {
            store.save(table);
        }
    }

    private String lakeName(TableShape shape) {
        var taken =
                tables.values().stream()
                        .anyMatch(
                                t ->
                                        t.lakeSchema().equals(shape.schema())
                                                && t.lakeTable().equals(shape.name()));
        return taken ? shape.name() + "_" + shape.oid() : shape.name();
    }

    /** Commits all that is pending, then lets Postgres forget it. */
    private void commit() throws SQLException {
        if (pendingBytes > 0) {
            int changes = 0;
            for (var table : tables.values()) {
                if (table.isPending()) {
                    changes += table.commit(lastLsn);
                }
            }
            var nowMicros = ChronoUnit.MICROS.between(java.time.Instant.EPOCH, clock.instant());
            listener.committed(
                    new Round(
                            changes, Math.max(0, nowMicros - oldestCommitMicros) / 1000, lastLsn));
            pendingBytes = 0;
            parts.steps().accept(Step.ROUND_COMMITTED);
        }
        confirm(lastLsn);
    }

    private void confirm(long lsn) throws SQLException {
        if (lsn <= stream.getLastFlushedLSN().asLong() || lsn == 0) {
            return;
        }
        if (lastCommand >= 0) {
            store.prune(lastCommand);
            lastCommand = -1;
        }
        stream.setAppliedLSN(LogSequenceNumber.valueOf(lsn));
        stream.setFlushedLSN(LogSequenceNumber.valueOf(lsn));
        stream.forceUpdateStatus();
        confirmedNanos = System.nanoTime();
        listener.confirmed(lsn);
    }

    /** Nothing of ours is on its way: Postgres need not keep the log of others for us. */
    private void confirmIdle() throws SQLException {
        if (transaction == null
                && pendingBytes == 0
                && System.nanoTime() - confirmedNanos > CONFIRM_IDLE_NANOS) {
            confirmedNanos = System.nanoTime();
            confirm(Math.max(lastLsn, stream.getLastReceiveLSN().asLong()));
        }
    }

    @Override
    public void close() throws SQLException {
        tables.values().forEach(CapturedTable::forget);
        try {
            stream.close();
        } finally {
            connection.close();
        }
    }
}
