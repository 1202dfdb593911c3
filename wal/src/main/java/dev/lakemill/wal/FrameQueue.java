package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frames on their way to the disk. Many threads offer, who writes takes all there is at once; so
 * the more that waits, the more shares the next fsync.
 *
 * <p>Bytes count from the offer until {@link #durable}, so that {@code bytesMax} bounds the memory
 * of everything not yet durable.
 */
final class FrameQueue {
    private static final Logger LOGGER = LoggerFactory.getLogger(FrameQueue.class);

    /** So much does not wait for {@link #wakeWriter}, and no more is written by who flushes. */
    static final long UNFLUSHED_BYTES_MAX = 64 << 10;

    private final long bytesMax;
    private final long frameBytesMax;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private ArrayList<Frame> frames = new ArrayList<>();
    private ArrayList<Frame> emptied = new ArrayList<>();
    private long bytes;
    private boolean writerWaits;
    private boolean stalled;
    private @Nullable LakemillException ended;

    FrameQueue(LogConfig config) {
        this.bytesMax = config.queuedBytesMax();
        this.frameBytesMax = config.frameBytesMax() + (long) FrameFormat.HEADER_BYTES;
    }

    /**
     * @param wakes whether the writer is to hear of it at once; it may, in any case
     */
    boolean offer(Frame frame, boolean wakes) {
        long frameBytes = FrameFormat.bytes(frame);
        if (frameBytes > frameBytesMax) {
            throw tooLarge(frame);
        }
        lock.lock();
        try {
            if (ended != null) {
                throw new LakemillException(ended.code(), ended.problem(), ended.hint(), ended);
            }
            if (stalled || bytes + frameBytes > bytesMax) {
                return false;
            }
            frames.add(frame);
            bytes += frameBytes;
            if (wakes || bytes >= UNFLUSHED_BYTES_MAX) {
                signalWriter();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void signalWriter() {
        if (writerWaits) {
            writerWaits = false;
            filled.signal();
        }
    }

    /** Has the writer take what waits. */
    void wakeWriter() {
        lock.lock();
        try {
            if (!frames.isEmpty()) {
                signalWriter();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The writer waits for a frame, for the queue's end, or as long as it may. */
    void await(long nanosMax) throws InterruptedException {
        lock.lock();
        try {
            long nanosLeft = nanosMax;
            while (frames.isEmpty() && ended == null && nanosLeft > 0) {
                writerWaits = true;
                nanosLeft = filled.awaitNanos(nanosLeft);
            }
            writerWaits = false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes all frames, in the order of their offers; none where they are more than so many, or
     * more bytes are not durable. One thread at a time.
     *
     * @return valid until the next call
     */
    List<Frame> take(int countMax, long takenBytesMax) {
        emptied.clear();
        lock.lock();
        try {
            if (frames.size() > countMax || bytes > takenBytesMax) {
                return List.of();
            }
            ArrayList<Frame> taken = frames;
            frames = emptied;
            emptied = taken;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Frees the bytes of frames that were taken. */
    void durable(long durableBytes) {
        lock.lock();
        try {
            bytes -= durableBytes;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Refuses every offer, or accepts them again. */
    void stall(boolean now) {
        lock.lock();
        try {
            stalled = now;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Ends the queue: offers throw the cause from now on. What was offered can still be taken. */
    void end(LakemillException cause) {
        lock.lock();
        try {
            ended = ended == null ? cause : ended;
            filled.signal();
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Ends the queue and drops what it holds. */
    void fail(LakemillException cause) {
        lock.lock();
        try {
            ended = cause;
            frames = new ArrayList<>();
            bytes = 0;
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Whether the queue has ended and everything in it was taken. */
    boolean isDrained() {
        lock.lock();
        try {
            return ended != null && frames.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    void whenSpace(Runnable action) {
        waiting.add(action);
        wake();
    }

    /** Runs what waits, if an offer of any size would now be answered otherwise than by false. */
    private void wake() {
        while (!waiting.isEmpty() && hasSpace()) {
            Runnable action = waiting.poll();
            if (action != null) {
                run(action);
            }
        }
    }

    private boolean hasSpace() {
        lock.lock();
        try {
            return ended != null || (!stalled && bytes + frameBytesMax <= bytesMax);
        } finally {
            lock.unlock();
        }
    }

    private static void run(Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOGGER.error("An action that waited for space in the log failed", e);
        }
    }

    private LakemillException tooLarge(Frame frame) {
        long payloadMax = frameBytesMax - FrameFormat.HEADER_BYTES;
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "a frame of "
                        + frame.payload().length
                        + " bytes exceeds frameBytesMax, "
                        + payloadMax,
                "send fewer rows in one request");
    }
}
