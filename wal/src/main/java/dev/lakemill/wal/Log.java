package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's write-ahead log.
 *
 * <p>Offered frames wait in a queue. Whose turn it is takes all that wait, writes them behind one
 * another into a preallocated segment file, syncs once, and tells the listener: a group commit.
 * That is a thread of the log's, or where few frames wait and the disk is fast, the one that
 * flushes: on such disks a sync takes no longer than to wake a thread does. The log sequence number
 * (LSN) of a frame is the position of its end, counted in bytes over all segments since the log's
 * first; it grows over restarts, and no acknowledged LSN is used again.
 *
 * <p>The invariant: a frame the listener was told of is replayed by every later {@link #open}, in
 * LSN order, once per open, until it is released; and nothing is replayed that was not offered.
 * Frames that were offered, but not acknowledged before a crash, may be replayed or not; those that
 * are keep their order.
 *
 * <p>When a write or sync fails, the log has failed: what the disk holds is then unknown, so
 * nothing more is acknowledged until a restart has read it. When there is no space for a new
 * segment, the log only refuses offers, and goes on by itself when there is.
 */
public final class Log implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Log.class);
    private static final String LOCK = "lock";

    /** A disk whose last sync took so long is not waited for by who flushes. */
    private static final long FAST_SYNC_NANOS = 500_000;

    /** What may wait at most for who flushes to write it. */
    private static final int FLUSHED_FRAMES_MAX = 8;

    /** What one offered frame becomes; called by one thread at a time, quickly, in order. */
    public interface Listener {
        /**
         * Every frame of one group commit, in LSN order, after its fsync. Must not block. The list
         * is the listener's to keep. If this throws, the log fails.
         */
        void durable(List<Durable> group);

        /** The log can take no more; every frame not yet durable is lost to its producer. */
        void failed(Throwable cause);
    }

    private final Path folder;
    private final long idleNanos;
    private final Closeable lock;
    private final Listener listener;
    private final FrameQueue queue;
    private final SegmentPool pool;
    private final LogWriter writer;
    private final Thread writerThread;
    private final Thread poolThread;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Who has it may use the writer, from taking frames to telling of them. */
    private final ReentrantLock turn = new ReentrantLock();

    /** Guarded by the turn, as is the next one: after a write that failed there is no other. */
    private boolean failed;

    private long committedNanos = System.nanoTime();
    private volatile long durableLsn;
    private volatile LogStats stats = LogStats.NONE;

    private Log(LogConfig config, Surroundings surroundings, Listener listener, Opening opening)
            throws IOException {
        this.folder = opening.folder;
        this.idleNanos = TimeUnit.MILLISECONDS.toNanos(surroundings.idleMillis());
        this.lock = opening.lock;
        this.listener = listener;
        this.queue = new FrameQueue(config);
        this.pool = opening.pool;
        this.durableLsn = opening.recovery.newestLsn();
        this.writer = LogWriter.open(pool, opening.recovery, this::nextSegment, this::deliver);
        this.writerThread = Thread.ofPlatform().daemon().name("lakemill-log").unstarted(this::run);
        this.poolThread =
                Thread.ofPlatform().daemon().name("lakemill-log-segments").unstarted(pool::run);
    }

    /** What is there before the log itself is. */
    private record Opening(Path folder, Closeable lock, Recovery recovery, SegmentPool pool) {}

    /**
     * Opens the log in {@code folder}, which it locks, and recovers: every whole frame after {@code
     * released} is handed to {@code replay} in order, before this returns. Frames released shortly
     * before a crash may be handed over once more.
     *
     * @throws LakemillException DATA_LOSS (segment, byte, advice) when damage lies before
     *     acknowledged data; FAILED_PRECONDITION when another process holds the folder, or it
     *     cannot be written
     */
    public static Log open(
            Path folder, LogConfig config, Disk disk, Consumer<Durable> replay, Listener listener) {
        return open(folder, config, Surroundings.of(disk), replay, listener);
    }

    static Log open(
            Path folder,
            LogConfig config,
            Surroundings surroundings,
            Consumer<Durable> replay,
            Listener listener) {
        Disk disk = surroundings.disk();
        Closeable lock = null;
        Log log = null;
        try {
            disk.createFolder(folder);
            lock = disk.tryLock(folder.resolve(LOCK)).orElseThrow(() -> locked(folder));
            Recovery recovery = new Recovery(folder, disk);
            recovery.run();
            SegmentPool pool = SegmentPool.open(folder, config, surroundings, recovery);
            recovery.replay(replay);
            Opening opening = new Opening(folder, lock, recovery, pool);
            log = new Log(config, surroundings, listener, opening);
        } catch (IOException e) {
            throw unusable(folder, e);
        } finally {
            if (log == null) {
                closeQuietly(lock);
            }
        }
        log.start();
        return log;
    }

    private void start() {
        poolThread.start();
        writerThread.start();
    }

    /**
     * Queues a frame for the next group commit. Safe from any thread, never blocks.
     *
     * @return false, with nothing queued, when a limit is reached; then {@link #whenSpace} tells
     * @throws LakemillException INVALID_ARGUMENT when the frame exceeds frameBytesMax; UNAVAILABLE
     *     when the log has failed; FAILED_PRECONDITION when it is closed
     */
    public boolean offer(Frame frame) {
        return queue.offer(frame, true);
    }

    /**
     * The same for a frame that may wait for {@link #flush}, which has to follow soon.
     *
     * @throws LakemillException as offer
     */
    public boolean offerUnflushed(Frame frame) {
        return queue.offer(frame, false);
    }

    /**
     * Sees to it that what was offered becomes durable. It is written, synced and told of before
     * this returns where it is little and the disk is fast; otherwise the log's own thread does
     * that. For threads that nobody interrupts, since that would close the file.
     */
    public void flush() {
        if (stats.fsyncNanosLast() < FAST_SYNC_NANOS && turn.tryLock()) {
            attempt(this::commitLittle);
        }
        queue.wakeWriter();
    }

    /**
     * Runs {@code action} once, on any thread, as soon as an offer may succeed again, or throws
     * because the log has ended. Must not block.
     */
    public void whenSpace(Runnable action) {
        queue.whenSpace(action);
    }

    /** Every frame up to and with {@code lsn} is safe elsewhere: whole segments below are freed. */
    public void release(long lsn) {
        pool.release(Math.min(lsn, durableLsn));
    }

    /** The LSN of the newest durable frame; 0 when there has never been one. */
    public long durableLsn() {
        return durableLsn;
    }

    /** Bytes of all segments that hold frames not yet released. */
    public long sizeBytes() {
        return pool.unreleasedBytes(durableLsn);
    }

    /** What the log did since it was opened. */
    public LogStats stats() {
        return stats.withQueuedBytes(queue.bytes());
    }

    /**
     * Writes and syncs what is queued, then ends. Where the disk has no space for it, the listener
     * is told of the failure, and what is queued is dropped unacknowledged.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        queue.end(
                new LakemillException(
                        ErrorCode.FAILED_PRECONDITION, "the log in " + folder + " is closed", ""));
        pool.closing();
        join(writerThread);
        pool.stop();
        join(poolThread);
        closeQuietly(writer);
        closeQuietly(lock);
    }

    private void run() {
        try {
            while (!queue.isDrained()) {
                queue.await(idleNanos);
                turn.lock();
                attempt(this::commitOrMark);
            }
            turn.lock();
            attempt(writer::mark);
        } catch (InterruptedException e) {
            turn.lock();
            attempt(
                    () -> {
                        throw e;
                    });
        }
    }

    private void commitLittle() throws IOException, InterruptedException {
        long bytesMax = Math.min(FrameQueue.UNFLUSHED_BYTES_MAX, writer.roomBytes());
        commit(queue.take(FLUSHED_FRAMES_MAX, bytesMax));
    }

    private void commitOrMark() throws IOException, InterruptedException {
        List<Frame> frames = queue.take(Integer.MAX_VALUE, Long.MAX_VALUE);
        commit(frames);
        if (frames.isEmpty() && System.nanoTime() - committedNanos >= idleNanos) {
            writer.mark();
        }
    }

    private void commit(List<Frame> frames) throws IOException, InterruptedException {
        if (!frames.isEmpty()) {
            writer.commit(frames);
            committedNanos = System.nanoTime();
        }
    }

    /** What uses the writer. */
    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    /** Uses the turn that this thread has. Who hears of a failure may wait for the log's thread. */
    private void attempt(Step step) {
        Throwable failure = null;
        try {
            if (!failed) {
                step.run();
            }
        } catch (Throwable e) {
            failed = true;
            failure = e;
        } finally {
            turn.unlock();
        }
        if (failure != null) {
            fail(failure);
        }
    }

    private Path nextSegment() throws InterruptedException {
        try {
            return pool.take(cause -> queue.stall(true));
        } finally {
            queue.stall(false);
        }
    }

    private void deliver(List<Durable> group, long bytes, long syncNanos) {
        durableLsn = group.getLast().lsn();
        stats = stats.plus(group.size(), bytes, syncNanos);
        listener.durable(group);
        queue.durable(bytes);
    }

    private void fail(Throwable cause) {
        LakemillException failure =
                cause instanceof LakemillException known ? known : failed(folder, cause);
        LOGGER.error("The log in {} takes no more frames", folder, failure);
        queue.fail(failure);
        listener.failed(failure);
    }

    private static LakemillException failed(Path folder, Throwable cause) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the log in " + folder + " failed: " + cause,
                "mend the disk and restart; every acknowledged row is in the log and is replayed",
                cause);
    }

    private static LakemillException locked(Path folder) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the log in " + folder + " is in use by another Lakemill process",
                "stop that one, or give this one a data folder of its own");
    }

    private static LakemillException unusable(Path folder, IOException cause) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the log cannot be opened in " + folder + ": " + cause,
                "make it a folder that this user can read and write, on a disk with free space",
                cause);
    }

    private static void closeQuietly(@Nullable Closeable resource) {
        try {
            if (resource != null) {
                resource.close();
            }
        } catch (IOException e) {
            LOGGER.warn("A file of the log could not be closed", e);
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive() && !thread.equals(Thread.currentThread())) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
