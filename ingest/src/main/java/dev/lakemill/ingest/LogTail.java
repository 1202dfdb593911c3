package dev.lakemill.ingest;

import dev.lakemill.feed.TableBatch;
import java.util.List;

/**
 * Rows of one table on their way from the log to Delta: with a snapshot that is taken later they
 * are everything that was acknowledged before, each row once. The rows share their memory with the
 * landing; to be closed.
 *
 * @param application whose transaction in the snapshot says which of them Delta has already
 * @param batches in order of position
 */
public record LogTail(String application, List<TableBatch> batches) implements AutoCloseable {
    public LogTail {
        batches = List.copyOf(batches);
    }

    /**
     * The batches that a snapshot does not have. They belong to the tail: close that, not them.
     *
     * @param position the application's transaction version in the snapshot; 0 when it has none
     */
    public List<TableBatch> after(long position) {
        // A commit takes whole batches, so that none is half in Delta.
        return batches.stream().filter(batch -> batch.firstPosition() > position).toList();
    }

    @Override
    public void close() {
        batches.forEach(TableBatch::close);
    }
}
