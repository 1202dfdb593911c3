package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The audit records: append-only rows in Postgres, sealed into a hash chain beside the write path.
 *
 * <p>{@link #record(AuditEvent)} queues and returns; a thread of its own writes groups, and repeats
 * a group until Postgres has it, each record once. The queue is bounded: when it is full the caller
 * waits, and is refused when it has waited for long, for an action that leaves no record must not
 * happen. Safe to use from any thread.
 */
public final class AuditLog implements AutoCloseable {
    /** The chain over {@code lakemill.audit}. */
    public static final AuditChain CHAIN =
            new AuditChain("audit", "lakemill.audit", AuditRow.SEALED_TEXTS);

    private static final Logger log = LoggerFactory.getLogger(AuditLog.class);
    private static final int QUEUED_EVENTS_MAX = 8_192;
    private static final int GROUP_EVENTS_MAX = 512;
    private static final Duration WAIT_MAX = Duration.ofSeconds(10);
    private static final Duration RETRY_PAUSE_MAX = Duration.ofSeconds(2);

    /** A row to write, or a mark that is reached when all before it are written. */
    private sealed interface Entry {
        record Row(AuditRow row) implements Entry {}

        record Mark(CompletableFuture<@Nullable Void> reached) implements Entry {}
    }

    private final DataSource database;
    private final Clock clock;
    private final BlockingQueue<Entry> queue = new ArrayBlockingQueue<>(QUEUED_EVENTS_MAX);
    private final Thread writer;
    private volatile boolean closed;

    private AuditLog(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
        this.writer = Thread.ofVirtual().name("audit-writer").start(this::write);
    }

    /** Needs the tables that {@link Catalog#open} makes. */
    static AuditLog open(DataSource database, Clock clock) {
        return new AuditLog(database, clock);
    }

    /**
     * Queues the record.
     *
     * @throws LakemillException UNAVAILABLE when the queue stays full, as when Postgres is away for
     *     long, or after {@link #close}
     */
    public void record(AuditEvent event) {
        enqueue(new Entry.Row(AuditRow.of(event, clock.instant())));
    }

    /** Records inside the caller's transaction: the record stands if, and only if, that commits. */
    public void record(Connection transaction, AuditEvent event) throws SQLException {
        AuditRow.insert(transaction, List.of(AuditRow.of(event, clock.instant())));
    }

    /** Waits until everything that was recorded before has been committed. */
    public void flush() {
        var mark = new CompletableFuture<@Nullable Void>();
        enqueue(new Entry.Mark(mark));
        await(mark);
    }

    private static void await(CompletableFuture<@Nullable Void> reached) {
        try {
            reached.get(WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("the wait for the audit log was interrupted");
        } catch (ExecutionException | TimeoutException e) {
            throw unavailable("Postgres does not take the audit records");
        }
    }

    /** Writes what is queued, if Postgres takes it within ten seconds, and ends. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        var mark = new CompletableFuture<@Nullable Void>();
        try {
            offer(new Entry.Mark(mark));
            await(mark);
        } catch (LakemillException e) {
            log.error("{}; {} are lost", e.getMessage(), queue.size());
            writer.interrupt();
        }
    }

    private void enqueue(Entry entry) {
        if (closed) {
            throw unavailable("the audit log is closed");
        }
        offer(entry);
    }

    private void offer(Entry entry) {
        try {
            if (!queue.offer(entry, WAIT_MAX.toMillis(), TimeUnit.MILLISECONDS)) {
                throw unavailable("%d audit records wait already".formatted(QUEUED_EVENTS_MAX));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable("the wait for the audit log was interrupted");
        }
    }

    private void write() {
        try {
            var group = new ArrayList<Entry>(GROUP_EVENTS_MAX);
            while (!closed || !queue.isEmpty()) {
                group.add(queue.take());
                queue.drainTo(group, GROUP_EVENTS_MAX - 1);
                write(group);
                group.clear();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(List<Entry> group) throws InterruptedException {
        var rows = new ArrayList<AuditRow>();
        var marks = new ArrayList<Entry.Mark>();
        for (var entry : group) {
            switch (entry) {
                case Entry.Row(AuditRow row) -> rows.add(row);
                case Entry.Mark mark -> marks.add(mark);
            }
        }
        if (!rows.isEmpty()) {
            writeUntilDone(rows);
        }
        marks.forEach(mark -> mark.reached().complete(null));
    }

    /** A group whose commit was not confirmed is repeated; what stands already is left. */
    private void writeUntilDone(List<AuditRow> rows) throws InterruptedException {
        for (var attempt = 0; ; attempt++) {
            try {
                Transactions.run(database, connection -> AuditRow.insert(connection, rows));
                return;
            } catch (RuntimeException e) {
                if (attempt == 0) {
                    log.warn("{} audit records wait: {}", rows.size(), reason(e));
                }
                Thread.sleep(Math.min(RETRY_PAUSE_MAX.toMillis(), 50L << Math.min(attempt, 10)));
            }
        }
    }

    /** What the innermost cause says: the outer ones repeat the statement and its values. */
    private static String reason(Throwable failure) {
        var innermost = failure;
        while (innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        return String.valueOf(innermost.getMessage());
    }

    private static LakemillException unavailable(String problem) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                problem + ", so that nothing can be done that needs a record",
                "see that Postgres runs; then try again");
    }
}
