package dev.lakemill.ingest;

import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/** Takes rows from producers, makes them durable and lands them in Bronze. */
public final class Ingest implements AutoCloseable {
    private Ingest() {}

    /**
     * Opens the log and brings the tables up to it: rows that are durable, but not yet in Delta, go
     * to the feeds and on to Delta. Producers are not listened to yet.
     *
     * @param tables every table that has ever taken rows and still exists
     * @throws LakemillException FAILED_PRECONDITION when the log holds rows of another table, is in
     *     use, or is older than a table; DATA_LOSS when it is damaged
     */
    public static Ingest open(
            Path logFolder,
            IngestConfig config,
            List<IngestTable> tables,
            BufferAllocator allocator,
            Clock clock) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Starts to listen. Returns the port.
     *
     * @throws LakemillException FAILED_PRECONDITION when the port is taken or TLS files are bad
     */
    public int listen() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Adds a table, which takes rows from now on. */
    public void register(IngestTable table) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Ends a table's streams and forgets its rows that are not in Delta. */
    public void unregister(TableName table) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Every table, by name. */
    public List<TableStatus> tables() {
        throw new UnsupportedOperationException("skeleton");
    }

    public IngestTotals totals() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Why no rows are taken any more; empty while they are. */
    public Optional<LakemillException> failure() {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Stops listening, lets producers end their streams, and commits what is durable to Delta. What
     * cannot be committed in time stays in the log for the next start.
     */
    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
