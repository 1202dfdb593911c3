package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.Operation;
import io.delta.kernel.Snapshot;
import io.delta.kernel.TableManager;
import io.delta.kernel.Transaction;
import io.delta.kernel.TransactionCommitResult;
import io.delta.kernel.commit.CommitFailedException;
import io.delta.kernel.exceptions.ConcurrentWriteException;
import io.delta.kernel.exceptions.KernelException;
import io.delta.kernel.exceptions.TableNotFoundException;
import io.delta.kernel.hook.PostCommitHook;
import io.delta.kernel.hook.PostCommitHook.PostCommitHookType;
import io.delta.kernel.utils.CloseableIterable;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The commits of one table, one at a time.
 *
 * <p>The newest snapshot is kept and each commit makes the next one from it, so that nothing is
 * listed or read back. When another process committed in between (its file has the version that we
 * wanted, and putting a file never replaces one), or a commit failed in any other way, the chain is
 * given up: the log is read anew, the change is made again on top, at most {@value #ATTEMPTS_MAX}
 * times.
 *
 * <p>Invariant: {@code newest} is a version that the disk has; it is only set under the lock.
 */
final class TableLog {
    static final String ENGINE = "Lakemill";
    private static final int ATTEMPTS_MAX = 20;
    private static final Logger LOG = LoggerFactory.getLogger(TableLog.class);

    /**
     * What a commit changes.
     *
     * @param schema of the table from then on; null where it stays
     */
    record Change(
            List<DataFileWriter.Written> added,
            List<DataFile> removed,
            boolean dataChange,
            @Nullable TableSchema schema) {
        Change(List<DataFileWriter.Written> added, List<DataFile> removed, boolean dataChange) {
            this(added, removed, dataChange, null);
        }
    }

    /**
     * Makes the change on top of a snapshot; asked again when another commit came between. Empty
     * when there is nothing to change any more.
     */
    @FunctionalInterface
    interface Maker {
        Optional<Change> on(DeltaSnapshot snapshot);
    }

    /** What a recovery may go back to; see {@link DeltaTable#keep}. */
    private record Kept(DeltaSnapshot snapshot, Txn txn) {}

    private final TableContext table;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile DeltaSnapshot newest;
    private volatile @Nullable Kept kept;
    private volatile Runnable checkpointDue = () -> {};

    /** Reads the log; NOT_FOUND when there is none. */
    TableLog(TableContext table) {
        this.table = table;
        var snapshot = loadLasting();
        TableProperties.checkSupported(snapshot);
        if (setProperties(snapshot)) {
            snapshot = load();
        }
        if (writeChecksum(snapshot)) {
            snapshot = load();
        }
        this.newest = new DeltaSnapshot(table, snapshot);
    }

    /** Has the table follow a configuration that changed since. */
    private boolean setProperties(Snapshot snapshot) {
        var wanted = TableProperties.of(table.config());
        if (snapshot.getTableProperties().entrySet().containsAll(wanted.entrySet())) {
            return false;
        }
        try {
            snapshot.buildUpdateTableTransaction(ENGINE, Operation.MANUAL_UPDATE)
                    .withTablePropertiesAdded(wanted)
                    .build(table.engine())
                    .commit(table.engine(), CloseableIterable.emptyIterable());
            return true;
        } catch (RuntimeException e) {
            throw Failures.of("setting properties", table.location(), e);
        }
    }

    /** Runs {@code action}, which must not block, after a commit that ought to be checkpointed. */
    void onCheckpointDue(Runnable action) {
        checkpointDue = action;
    }

    /** Without a checksum at the start, every commit would count all files anew. */
    private boolean writeChecksum(Snapshot snapshot) {
        var mode = snapshot.getStatistics().getChecksumWriteMode();
        try {
            if (mode.isPresent()) {
                snapshot.writeChecksum(table.engine(), mode.get());
            }
            return mode.isPresent();
        } catch (IOException | RuntimeException e) {
            LOG.warn("No checksum for {}; commits are slower: {}", table.name(), e.toString());
            return false;
        }
    }

    Snapshot load() {
        return load(table);
    }

    static Snapshot load(TableContext table) {
        try {
            return TableManager.loadSnapshot(table.name()).build(table.engine());
        } catch (TableNotFoundException e) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no Delta table at %s".formatted(table.location()),
                    "create it, or mend the location",
                    e);
        } catch (RuntimeException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /** What a power cut would leave too: the log may have a commit of ours whose sync failed. */
    private Snapshot loadLasting() {
        try {
            table.disk().syncFolder(table.logFolder());
        } catch (IOException e) {
            throw Failures.of("syncing the log", table.location(), e);
        }
        return load();
    }

    DeltaSnapshot newest() {
        return newest;
    }

    /**
     * Reads the log again: takes in what others committed, and starts the chain at the newest
     * checkpoint, so that it does not grow without end.
     */
    DeltaSnapshot refresh() {
        lock.lock();
        try {
            var again = loadLasting();
            newest =
                    again.getVersion() == newest.version()
                            ? newest.reread(again)
                            : new DeltaSnapshot(table, again);
            return newest;
        } finally {
            lock.unlock();
        }
    }

    void keep(DeltaSnapshot snapshot, Txn txn) {
        kept = new Kept(snapshot, txn);
    }

    /** Snapshots whose files stay, though newer versions do without them. */
    List<DeltaSnapshot> kept() {
        var last = kept;
        return last == null
                ? List.of()
                : List.of(
                        last.snapshot(),
                        snapshotAt(last.txn().application(), last.txn().version()));
    }

    /** As of when the log is cleaned: now, unless what is kept is older. */
    long cleanedAsOfMillis() {
        var now = table.clock().millis();
        var last = kept;
        return last == null ? now : Math.min(now, last.snapshot().committedAt().toEpochMilli());
    }

    DeltaSnapshot snapshotAt(String application, long txnVersion) {
        return at(new TransactionHistory(table).versionAt(newest, application, txnVersion));
    }

    DeltaSnapshot at(long version) {
        return at(table, newest, version);
    }

    static DeltaSnapshot at(TableContext table, DeltaSnapshot now, long version) {
        if (version == now.version()) {
            return now;
        }
        try {
            return new DeltaSnapshot(
                    table,
                    TableManager.loadSnapshot(table.name())
                            .atVersion(version)
                            .build(table.engine()));
        } catch (KernelException e) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "Delta table %s has no version %d: %s"
                            .formatted(table.location(), version, e.getMessage()),
                    "its newest version is %d; old ones go with the log retention"
                            .formatted(now.version()),
                    e);
        } catch (RuntimeException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /**
     * Commits, unless the transaction is there already.
     *
     * @param txn null for maintenance, which changes no data
     */
    DeltaTable.Commit commit(@Nullable Txn txn, Maker maker) {
        lock.lock();
        try {
            for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
                var base = newest;
                if (txn != null && isCommitted(base, txn)) {
                    return new DeltaTable.Commit.Repeated(base.version());
                }
                var change = maker.on(base);
                if (change.isEmpty()) {
                    return new DeltaTable.Commit.Repeated(base.version());
                }
                if (commit(base, txn, change.get())) {
                    return new DeltaTable.Commit.Done(newest.version());
                }
                newest = new DeltaSnapshot(table, loadLasting());
            }
        } finally {
            lock.unlock();
        }
        throw busy();
    }

    /**
     * Adds columns and widens types. What the kernel makes of the commit is not used, since it does
     * not know of the change: the log is read again.
     */
    void widen(TableSchema schema) {
        lock.lock();
        try {
            for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
                var base = newest;
                if (SchemaGrowth.isNone(base.schema(), schema, table.location())) {
                    return;
                }
                var committed = commitColumns(base, schema);
                reload();
                if (committed) {
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
        throw busy();
    }

    /** Says what rewriters sort by, where the log says otherwise. */
    void cluster(List<String> columns) {
        lock.lock();
        try {
            for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
                if (newest.clusteredBy().equals(columns)) {
                    return;
                }
                var committed = commitClustering(newest, columns);
                newest = new DeltaSnapshot(table, loadLasting());
                if (committed) {
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
        throw busy();
    }

    private boolean commitClustering(DeltaSnapshot base, List<String> columns) {
        if (!base.partitionedBy().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "Delta table %s is partitioned by %s"
                            .formatted(table.location(), base.partitionedBy()),
                    "make the table anew, with a full refresh");
        }
        try {
            base.kernel()
                    .buildUpdateTableTransaction(ENGINE, Operation.MANUAL_UPDATE)
                    .withClusteringColumns(KernelTypes.columns(columns))
                    .withMaxRetries(0)
                    .build(table.engine())
                    .commit(table.engine(), CloseableIterable.emptyIterable());
            return true;
        } catch (RuntimeException e) {
            if (isConflict(e)) {
                return false;
            }
            throw failed(e);
        }
    }

    private void reload() {
        var loaded = loadLasting();
        newest = new DeltaSnapshot(table, writeChecksum(loaded) ? load() : loaded);
    }

    private boolean commitColumns(DeltaSnapshot base, TableSchema schema) {
        try {
            transaction(base, null)
                    .commit(
                            table.engine(),
                            KernelActions.columns(
                                    base.kernel(),
                                    schema,
                                    !SchemaGrowth.widened(base.schema(), schema).isEmpty()));
            return true;
        } catch (RuntimeException e) {
            if (isConflict(e)) {
                return false;
            }
            throw failed(e);
        }
    }

    private LakemillException busy() {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "Delta table %s was changed by another writer in each of %d attempts to commit"
                        .formatted(table.location(), ATTEMPTS_MAX),
                "repeat when the other writer is done");
    }

    static boolean isCommitted(DeltaSnapshot snapshot, Txn txn) {
        var last = snapshot.transaction(txn.application());
        return last.isPresent() && last.getAsLong() >= txn.version();
    }

    /** One attempt; false when another writer was faster. */
    private boolean commit(DeltaSnapshot base, @Nullable Txn txn, Change change) {
        long now = table.clock().millis();
        change.removed().forEach(file -> table.date(file, now));
        try {
            var result =
                    transaction(base, txn)
                            .commit(
                                    table.engine(),
                                    KernelActions.actions(base.kernel(), change, also(txn), now));
            if (change.schema() == null) {
                afterCommit(base, txn, change, result);
            } else {
                reload(); // the kernel does not know of the columns
            }
            return true;
        } catch (RuntimeException e) {
            if (isConflict(e)) {
                LOG.info("{}: another writer committed first, trying again", table.name());
                return false;
            }
            throw failed(e);
        }
    }

    /** Whether the version was taken, rather than the disk failing. */
    static boolean isConflict(RuntimeException e) {
        return e instanceof ConcurrentWriteException
                || (e.getCause() instanceof CommitFailedException failed && failed.isConflict());
    }

    /** The commit may or may not be there: go on from what the disk says. */
    private LakemillException failed(RuntimeException e) {
        var failure = Failures.of("a commit", table.location(), e);
        try {
            newest = new DeltaSnapshot(table, loadLasting());
        } catch (RuntimeException again) {
            failure.addSuppressed(again);
        }
        return failure;
    }

    private Transaction transaction(DeltaSnapshot base, @Nullable Txn txn) {
        var operation = txn == null ? Operation.MANUAL_UPDATE : Operation.WRITE;
        var builder =
                base.kernel().buildUpdateTableTransaction(ENGINE, operation).withMaxRetries(0);
        if (txn != null) {
            builder = builder.withTransactionId(txn.application(), txn.version());
        }
        return builder.build(table.engine());
    }

    private static Map<String, Long> also(@Nullable Txn txn) {
        return txn == null ? Map.of() : txn.also();
    }

    private void afterCommit(
            DeltaSnapshot base, @Nullable Txn txn, Change change, TransactionCommitResult result) {
        var added = change.added().stream().map(DataFileWriter.Written::file).toList();
        newest =
                result.getPostCommitSnapshot()
                        .map(next -> base.next(next, added, change.removed(), txn))
                        .orElseGet(() -> new DeltaSnapshot(table, load()));
        result.getPostCommitHooks().forEach(this::run);
    }

    /** A hook that fails costs speed, never rows. */
    private void run(PostCommitHook hook) {
        try {
            if (hook.getType() == PostCommitHookType.CHECKPOINT) {
                checkpointDue.run();
            } else {
                hook.threadSafeInvoke(table.engine());
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} of {} failed: {}", hook.getType(), table.name(), e.toString());
        }
    }
}
