package dev.lakemill.pipeline;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DuckDBConnection;

/** A database as it was at one moment, seen by a connection of its own. One thread uses it. */
final class DuckSnapshot implements AutoCloseable {
    private final DuckDBConnection connection;
    private final BufferAllocator allocator;
    private final List<DuckBatches> open = new ArrayList<>();

    private DuckSnapshot(DuckDBConnection connection, BufferAllocator allocator) {
        this.connection = connection;
        this.allocator = allocator;
    }

    /**
     * @param from a connection to the database, which goes on
     * @param table any table
     */
    static DuckSnapshot of(DuckDBConnection from, String table, BufferAllocator allocator) {
        try {
            var connection = from.duplicate();
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                // A transaction sees what is committed when it first touches the database.
                statement.execute("SELECT 1 FROM " + table + " LIMIT 0");
            }
            return new DuckSnapshot(connection, allocator);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** The result in batches; the caller closes those it takes. */
    Iterator<Rows> read(String sql, TableSchema schema) {
        var batches = DuckBatches.of(connection, sql, schema, allocator);
        open.add(batches);
        return batches;
    }

    @Override
    public void close() {
        open.forEach(DuckBatches::close);
        try {
            connection.rollback();
            connection.close();
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }
}
