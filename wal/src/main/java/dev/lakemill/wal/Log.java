package dev.lakemill.wal;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** The node's write-ahead log. SKELETON: the signatures are agreed; bodies follow. */
public final class Log implements AutoCloseable {

    /** What one offered frame becomes; called on the log's writer thread, quickly, in order. */
    public interface Listener {
        /** Every frame of one group commit, in LSN order, after its fsync. Must not block. */
        void durable(List<Durable> group);

        /** The log can take no more; every frame not yet durable is lost to its producer. */
        void failed(Throwable cause);
    }

    private Log() {}

    /**
     * Opens the log in {@code folder}, which it locks, and recovers: every whole frame after {@code
     * released} is handed to {@code replay} in order, before this returns.
     *
     * @throws dev.lakemill.types.LakemillException DATA_LOSS (segment, byte, advice) when damage
     *     lies before acknowledged data; FAILED_PRECONDITION when another process holds the folder
     */
    public static Log open(
            Path folder, LogConfig config, Disk disk, Consumer<Durable> replay, Listener listener) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * Queues a frame for the next group commit. Safe from any thread, never blocks.
     *
     * @return false, with nothing queued, when a limit is reached; then {@link #whenSpace} tells
     */
    public boolean offer(Frame frame) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Runs {@code action} once, on any thread, as soon as an offer may succeed again. */
    public void whenSpace(Runnable action) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Every frame up to and with {@code lsn} is safe elsewhere: whole segments below are freed. */
    public void release(long lsn) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The LSN of the newest durable frame; 0 when there has never been one. */
    public long durableLsn() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Bytes of all segments that hold frames not yet released. */
    public long sizeBytes() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Writes and syncs what is queued, then ends. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
