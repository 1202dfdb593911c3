package dev.lakemill.catalog;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * The audit records: append-only rows in Postgres, sealed into a hash chain beside the write path.
 *
 * <p>{@link #record} queues and returns; a thread of its own writes groups. The queue is bounded:
 * when it is full the caller waits, for an action that leaves no record must not happen.
 */
public final class AuditLog {
    public void record(AuditEvent event) {
        throw new UnsupportedOperationException();
    }

    /** Records inside the caller's transaction: the record stands if, and only if, that commits. */
    public void record(Connection transaction, AuditEvent event) throws SQLException {
        throw new UnsupportedOperationException();
    }
}
