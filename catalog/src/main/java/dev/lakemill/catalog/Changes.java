package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one way in which the catalog changes: checked, committed to Postgres together with its audit
 * records, and only then shown in memory, whole.
 *
 * <p>Changes go one after the other; readers wait only while maps are written, never for Postgres.
 * When Postgres leaves open whether a commit stands, or knows what memory does not, the next change
 * first reads everything again.
 */
final class Changes {
    private static final Logger log = LoggerFactory.getLogger(Changes.class);
    private static final Set<ErrorCode> DOUBTS =
            EnumSet.of(ErrorCode.UNAVAILABLE, ErrorCode.ALREADY_EXISTS);

    /** Reads the whole catalog. */
    interface Loading {
        Model load(Connection connection) throws SQLException;
    }

    /** Statements of one change. */
    interface Writing {
        void run(Connection connection) throws SQLException;
    }

    private final DataSource database;
    private final AuditLog audit;
    private final Loading loading;
    private final ReentrantLock changing = new ReentrantLock();
    private final ReentrantReadWriteLock shown = new ReentrantReadWriteLock();
    private final List<Listening> listeners = new CopyOnWriteArrayList<>();
    private Model model;
    private boolean inDoubt;
    private final AtomicLong version = new AtomicLong(1);

    Changes(DataSource database, AuditLog audit, Loading loading) {
        this.database = database;
        this.audit = audit;
        this.loading = loading;
        this.model = Transactions.run(database, loading::load);
    }

    <T> T read(Function<Model, T> reading) {
        shown.readLock().lock();
        try {
            return reading.apply(model);
        } finally {
            shown.readLock().unlock();
        }
    }

    /** Runs the change alone: it looks, and then calls {@link #commit}. */
    <T> T change(Function<Model, T> change) {
        changing.lock();
        try {
            if (inDoubt) {
                var loaded = Transactions.run(database, loading::load);
                show(_ -> model = loaded);
                inDoubt = false;
            }
            return change.apply(model);
        } finally {
            changing.unlock();
        }
    }

    /** Only inside {@link #change}. */
    void commit(AuditEvent event, Writing writing, Consumer<Model> showing) {
        commit(List.of(event), writing, showing);
    }

    void commit(List<AuditEvent> events, Writing writing, Consumer<Model> showing) {
        write(
                events,
                connection -> {
                    writing.run(connection);
                    return true;
                });
        show(showing);
    }

    /** A change of what memory does not hold. Only inside {@link #change}. */
    <T> T commit(AuditEvent event, Transactions.Work<T> work) {
        return write(List.of(event), work);
    }

    private <T> T write(List<AuditEvent> events, Transactions.Work<T> work) {
        try {
            return Transactions.run(
                    database,
                    connection -> {
                        var result = work.run(connection);
                        for (var event : events) {
                            audit.record(connection, event);
                        }
                        return result;
                    });
        } catch (LakemillException e) {
            inDoubt = DOUBTS.contains(e.code());
            throw e;
        }
    }

    /** Of what stands in Postgres already. Only inside {@link #change}. */
    void show(Consumer<Model> showing) {
        shown.writeLock().lock();
        try {
            showing.accept(model);
            version.incrementAndGet();
        } finally {
            shown.writeLock().unlock();
        }
        listeners.forEach(Listening::wake);
    }

    DataSource database() {
        return database;
    }

    AuditLog audit() {
        return audit;
    }

    long version() {
        return version.get();
    }

    AutoCloseable listen(Runnable listener) {
        var listening = new Listening(listener);
        listeners.add(listening);
        return () -> {
            listeners.remove(listening);
            listening.thread.interrupt();
        };
    }

    /** Calls one listener; changes that come while it runs are told to it at once afterwards. */
    private static final class Listening {
        private final Semaphore changed = new Semaphore(0);
        private final Runnable listener;
        private final Thread thread;

        Listening(Runnable listener) {
            this.listener = listener;
            this.thread = Thread.ofVirtual().name("catalog-listener").start(this::run);
        }

        void wake() {
            changed.release();
        }

        private void run() {
            try {
                while (true) {
                    changed.acquire();
                    changed.drainPermits();
                    tell();
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private void tell() {
            try {
                listener.run();
            } catch (RuntimeException | Error e) {
                log.error("A listener to the catalog's changes failed", e);
            }
        }
    }
}
