package dev.lakemill.pipeline;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.arrow.memory.BufferAllocator;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/** A result as an iterator, which must know one batch ahead. */
final class DuckBatches implements Iterator<Rows>, AutoCloseable {
    private static final int ROWS = 65_536;

    private final DuckResult result;
    private @Nullable Rows ahead;

    private DuckBatches(DuckResult result) {
        this.result = result;
        this.ahead = result.next();
    }

    static DuckBatches of(
            DuckDBConnection connection,
            String sql,
            TableSchema schema,
            BufferAllocator allocator) {
        try {
            var statement = connection.prepareStatement(sql);
            statement.closeOnCompletion();
            return new DuckBatches(new DuckResult(statement, schema, ROWS, allocator));
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    @Override
    public boolean hasNext() {
        return ahead != null;
    }

    @Override
    public Rows next() {
        var rows = ahead;
        if (rows == null) {
            throw new NoSuchElementException("all batches were read");
        }
        ahead = result.next();
        return rows;
    }

    @Override
    public void close() {
        if (ahead != null) {
            ahead.close();
            ahead = null;
        }
        result.close();
    }
}
