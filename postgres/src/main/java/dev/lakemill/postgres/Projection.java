package dev.lakemill.postgres;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps Postgres as the catalog says: principals as roles, grants as native privileges, row filters
 * as row security, masks as views; and the catalog as principals' own CREATE TABLE and GRANT say.
 *
 * <p>After every change of the catalog, and at least as often as told, it works out what Postgres
 * should look like ({@link Wanted}), reads what it looks like ({@link Found}), and takes the steps
 * between the two. So a change of the catalog, a table that a sync has just made, and a privilege
 * that somebody changed behind the catalog's back are one case; the last is audited as drift.
 *
 * <p>A user or service principal may read or write a table of Postgres exactly when the catalog's
 * {@link dev.lakemill.catalog.Access} allows SELECT or MODIFY: USE CATALOG and USE SCHEMA are
 * worked into what is granted. Synced tables are read-only for all. A thread of its own does it.
 */
public final class Projection implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Projection.class);

    private static final int READ_ONLY_MAX = 1_000;
    private static final long CARRIED_AFTER_MAX_MS = 5_000;
    private static final long HELD_RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final String READ_ONLY =
            """
            SELECT substr(d, 1 + length(m)) FROM (
                SELECT shobj_description(oid, 'pg_authid') AS d, ? AS m FROM pg_roles) r
            WHERE starts_with(d, m)
            """;

    private final DataSource database;
    private final Catalog catalog;
    private final Duration every;
    private final boolean guarded;
    private final Reconciler reconciler;
    private final StateTables stateTables;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wake = lock.newCondition();
    private final Condition carried = lock.newCondition();
    private final Thread thread;
    private @Nullable AutoCloseable catalogListener;
    private @Nullable AutoCloseable databaseListener;
    private boolean changed;
    private boolean closed;
    private long carriedVersion = -1;

    /** One reconciliation at a time; guards what follows. */
    private final ReentrantLock working = new ReentrantLock();

    /** Principals that read-only logins are for; added to under {@code working}. */
    private final Set<UUID> readOnly = ConcurrentHashMap.newKeySet();

    private long wantedVersion = -1;
    private @Nullable Wanted wanted;
    private long settledVersion = -1;

    /** Whether others' locks are in the way of the last reconciliation. */
    private volatile boolean held;

    private Projection(DataSource database, Catalog catalog, Duration every, boolean guarded) {
        this.database = database;
        this.catalog = catalog;
        this.every = every;
        this.guarded = guarded;
        this.reconciler = new Reconciler();
        this.stateTables = new StateTables(catalog, RowAudit.open(database, catalog.audit()));
        this.thread = Thread.ofVirtual().name("projection").unstarted(this::work);
    }

    /**
     * Reconciles once, then goes on doing so after each change and in each period.
     *
     * @throws LakemillException UNAVAILABLE when Postgres does not take part now
     */
    public static Projection start(Postgres postgres, Catalog catalog, Duration every) {
        var database = postgres.ownerUnpooled();
        try {
            // Before the guard, which attaches its triggers to new tables.
            RowAudit.open(database, catalog.audit());
            var guarded = GovernanceSql.install(database);
            if (!guarded) {
                LOG.warn(
                        "without a superuser there are no event triggers: a change behind the"
                                + " catalog's back is undone after up to {} s, and principals"
                                + " make no tables by SQL",
                        every.toSeconds());
            }
            var projection = new Projection(database, catalog, every, guarded);
            projection.readOnly.addAll(readOnlyIn(database));
            projection.reconcile();
            projection.catalogListener = catalog.access().onChange(projection::wake);
            projection.databaseListener = new ChangeListener(database, projection::changedBySql);
            projection.thread.start();
            return projection;
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "grants cannot be carried to Postgres: " + e.getMessage(),
                    "see that Postgres runs; then try again",
                    e);
        }
    }

    /** Those that had read-only logins before: their roles say so. */
    private static List<UUID> readOnlyIn(DataSource database) throws SQLException {
        var found = new ArrayList<UUID>();
        try (var connection = database.getConnection();
                var query = connection.prepareStatement(READ_ONLY)) {
            query.setString(1, Wanted.Role.READ_ONLY_MARK);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    found.add(UUID.fromString(rows.getString(1)));
                }
            }
        }
        return found;
    }

    /**
     * Makes the role for a principal's read-only logins, {@code ro:} + its name, where it is not
     * there yet: it may SELECT what the principal may, by the same filters and masks, and no more.
     *
     * @throws LakemillException RESOURCE_EXHAUSTED when 1,000 principals have one; UNAVAILABLE when
     *     Postgres does not take part now
     */
    public void admitReadOnly(Principal principal) {
        if (readOnly.contains(principal.id())) {
            return;
        }
        working.lock();
        try {
            if (readOnly.size() >= READ_ONLY_MAX) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "%d principals have read-only logins".formatted(READ_ONLY_MAX),
                        "use a token of a service principal with SELECT alone");
            }
            readOnly.add(principal.id());
            wanted = null;
            reconcile();
        } catch (SQLException e) {
            readOnly.remove(principal.id());
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the read-only role of %s is not made: %s"
                            .formatted(principal.name(), e.getMessage()),
                    "see that Postgres runs; then try again",
                    e);
        } finally {
            working.unlock();
        }
    }

    private void changedBySql() {
        catalog.grants().reload();
        wake();
    }

    private void wake() {
        lock.lock();
        try {
            changed = true;
            wake.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        try {
            while (awaitReason()) {
                tryToReconcile();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** False when it is time to end. */
    private boolean awaitReason() throws InterruptedException {
        lock.lock();
        try {
            var left = held ? Math.min(HELD_RETRY_NANOS, every.toNanos()) : every.toNanos();
            while (!changed && !closed && left > 0) {
                left = wake.awaitNanos(left);
            }
            changed = false;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    private void tryToReconcile() {
        try {
            reconcile();
        } catch (SQLException e) {
            LOG.warn("grants wait for Postgres: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("grants are not carried to Postgres", e);
        }
    }

    /**
     * Makes Postgres what the catalog says now, on the caller's thread. Returns whether everything
     * was done; what was not is tried again.
     */
    public boolean reconcile() throws SQLException {
        working.lock();
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            stateTables.follow(connection);
            return reconcile(connection);
        } finally {
            working.unlock();
        }
    }

    private boolean reconcile(Connection connection) throws SQLException {
        var version = catalog.access().version();
        var current = wanted;
        var remade = current == null;
        if (current == null || version != wantedVersion) {
            current = Wanted.of(Governed.of(catalog, readOnly, guarded));
            wanted = current;
            wantedVersion = version;
        }
        var outcome = reconciler.reconcile(connection, current);
        if (settledVersion == version && !remade) {
            outcome.onKnown().forEach(this::tellDrift);
        }
        settledVersion = outcome.complete() ? version : -1;
        held = outcome.held();
        tellCarried(version);
        return outcome.complete();
    }

    private void tellCarried(long version) {
        lock.lock();
        try {
            carriedVersion = version;
            carried.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Runs what may change the catalog. Where it did, Postgres is as the catalog says when this
     * returns: but for what cannot be carried now, and after five seconds at most.
     */
    public <T> T carrying(Callable<T> change) throws Exception {
        var before = catalog.access().version();
        var result = change.call();
        var after = catalog.access().version();
        if (after != before) {
            awaitCarried(after);
        }
        return result;
    }

    private void awaitCarried(long version) {
        lock.lock();
        try {
            var left = TimeUnit.MILLISECONDS.toNanos(CARRIED_AFTER_MAX_MS);
            while (carriedVersion < version && !closed && left > 0) {
                left = carried.awaitNanos(left);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /** The catalog had not changed since all was well, so somebody else did. */
    private void tellDrift(Step step) {
        var commands = String.join("; ", step.commands());
        LOG.warn("undone in Postgres: {}: {}", step.subject(), commands);
        catalog.audit()
                .record(
                        AuditEvent.done(
                                catalog.system(),
                                "postgres",
                                "undoDrift",
                                Map.of("subject", step.subject(), "commands", commands)));
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            wake.signalAll();
            carried.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            if (catalogListener != null) {
                catalogListener.close();
            }
            if (databaseListener != null) {
                databaseListener.close();
            }
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (Exception e) {
            throw new IllegalStateException("the projection does not end", e);
        }
    }
}
