package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.postgres.imports.Import;
import dev.lakemill.postgres.imports.ImportListener;
import dev.lakemill.postgres.imports.ImportReport;
import dev.lakemill.postgres.imports.ImportRequest;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.SQLException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The import that this node works at, on a thread of its own, so that it outlives the command that
 * asked for it. It ends with the node, and goes on when it is asked for again.
 */
final class Imports {
    private static final Logger log = LoggerFactory.getLogger(Imports.class);

    /** As it is told to those who ask. */
    enum State {
        NONE,
        RUNNING,
        DONE,
        FAILED
    }

    /**
     * @param doing what it is at
     * @param rowsExpected about how many rows there are in all
     */
    record Status(
            State state,
            String source,
            String doing,
            long rows,
            long bytes,
            long rowsExpected,
            @Nullable ImportReport report,
            @Nullable LakemillException failure) {
        static final Status NONE = new Status(State.NONE, "", "", 0, 0, 0, null, null);
    }

    private final Postgres postgres;
    private final Catalog catalog;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile Status status = Status.NONE;

    Imports(Postgres postgres, Catalog catalog) {
        this.postgres = postgres;
        this.catalog = catalog;
    }

    Status status() {
        return status;
    }

    /** FAILED_PRECONDITION while one runs. */
    void start(ImportRequest request, Caller caller) {
        lock.lock();
        try {
            requireIdle();
            status = new Status(State.RUNNING, request.source().label(), "", 0, 0, 0, null, null);
            Thread.ofVirtual().name("import").start(() -> run(request, caller));
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether there was one to take away. */
    boolean discard() {
        lock.lock();
        try {
            requireIdle();
            status = Status.NONE;
            return imports().discard();
        } catch (SQLException e) {
            throw failed(e);
        } finally {
            lock.unlock();
        }
    }

    private void requireIdle() {
        if (status.state() == State.RUNNING) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the import of %s is running".formatted(status.source()),
                    "wait for its end; './lakemill import status' tells how far it is");
        }
    }

    private Import imports() {
        var audit = RowAudit.open(postgres.owner(), catalog.audit());
        return new Import(postgres, catalog, audit, new Progress());
    }

    private void run(ImportRequest request, Caller caller) {
        try {
            var report = imports().run(request, caller);
            end(State.DONE, report, null);
        } catch (LakemillException e) {
            end(State.FAILED, null, e);
        } catch (SQLException e) {
            end(State.FAILED, null, failed(e));
        } catch (RuntimeException e) {
            log.error("the import failed", e);
            end(
                    State.FAILED,
                    null,
                    new LakemillException(ErrorCode.INTERNAL, "a defect", "see the log", e));
        }
    }

    private void end(
            State state, @Nullable ImportReport report, @Nullable LakemillException failure) {
        var last = status;
        status =
                new Status(
                        state,
                        last.source(),
                        last.doing(),
                        last.rows(),
                        last.bytes(),
                        last.rowsExpected(),
                        report,
                        failure);
    }

    private LakemillException failed(SQLException e) {
        var doing = status.doing().isEmpty() ? "" : " while " + status.doing();
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the import ended%s: %s".formatted(doing, e.getMessage()),
                "mend that and run it again: it goes on where it was",
                e);
    }

    /** On the import's thread. */
    private final class Progress implements ImportListener {
        @Override
        public void doing(String what) {
            var last = status;
            status =
                    new Status(
                            last.state(),
                            last.source(),
                            what,
                            last.rows(),
                            last.bytes(),
                            last.rowsExpected(),
                            null,
                            null);
        }

        @Override
        public void copied(long rows, long bytes, long rowsExpected) {
            var last = status;
            status =
                    new Status(
                            last.state(),
                            last.source(),
                            last.doing(),
                            rows,
                            bytes,
                            Math.max(rows, rowsExpected),
                            null,
                            null);
        }
    }
}
