package dev.lakemill.api.agent;

import java.sql.Connection;
import java.sql.SQLException;

/** Writes to tables, in the transaction that also records that it was done. */
public interface Effect {
    /**
     * Writes.
     *
     * @param connection of the agent's principal, in a transaction that it does not end
     * @return the receipt: what later code needs to know of it; null for nothing
     */
    @org.jspecify.annotations.Nullable
    Object run(Connection connection) throws SQLException;
}
