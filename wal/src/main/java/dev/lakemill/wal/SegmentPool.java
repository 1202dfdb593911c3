package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log's segment files: keeps one ready for the writer, and frees those that are released.
 *
 * <p>Two threads meet here. The pool's own thread prepares a spare file ahead of need (zeros,
 * synced) and takes released segments away, oldest first; the first becomes the spare again, the
 * others are deleted. The writer takes the spare, gives it a header and a name, and writes.
 *
 * <p>A released segment is renamed to be a spare, and the folder synced, before it can be written
 * to: so no crash can show its new content under its old name. Each removal is synced before the
 * next, so the segments that a restart finds follow one another without a hole.
 *
 * <p>No disk space, or {@code totalBytesMax} reached, costs nothing but waiting: the writer waits
 * for the spare, the pool tries again.
 */
final class SegmentPool {
    private static final Logger LOGGER = LoggerFactory.getLogger(SegmentPool.class);
    private static final int ZEROS_BYTES = 1 << 20;

    private final Path folder;
    private final LogConfig config;
    private final Surroundings surroundings;

    private final AtomicLong spareFiles = new AtomicLong();

    /**
     * The oldest segment's file where it has its new name, or is gone, and the folder is not synced
     * yet; the pool thread's.
     */
    private @Nullable Freed freed;

    /** Oldest first; the last one is being written. Guarded by this, as all below. */
    private final Deque<Segment> retained;

    private @Nullable Path spare;
    private boolean installing;
    private long releasedLsn;
    private @Nullable String blocked;
    private boolean retryLater;
    private boolean closing;
    private boolean stopped;
    private long changes;

    /**
     * What became of a released file.
     *
     * @param as its name as a spare; null when it was deleted
     */
    private record Freed(@Nullable Path as) {}

    private SegmentPool(
            Path folder, LogConfig config, Surroundings surroundings, Recovery recovery) {
        this.folder = folder;
        this.config = config;
        this.surroundings = surroundings;
        this.retained = new ArrayDeque<>(recovery.segments());
        this.releasedLsn = recovery.releasedLsn();
    }

    /** Takes over the files that the recovery found. */
    static SegmentPool open(
            Path folder, LogConfig config, Surroundings surroundings, Recovery recovery)
            throws IOException {
        SegmentPool pool = new SegmentPool(folder, config, surroundings, recovery);
        pool.adopt(recovery.spares());
        return pool;
    }

    /** Uses one of the spare files that an earlier run left, and deletes the others. */
    private void adopt(List<Path> spares) throws IOException {
        Path usable = null;
        for (Path file : spares) {
            if (usable == null && wantsSpare() && sizeBytes(file) == config.segmentBytes()) {
                usable = file;
            } else {
                disk().delete(file);
            }
        }
        if (usable != null) {
            Path adopted = spareFile();
            disk().rename(usable, adopted);
            supply(adopted);
        }
    }

    /** A name that no other file of this run has. */
    private Path spareFile() {
        return Segment.path(folder, spareFiles.getAndIncrement(), Segment.SPARE);
    }

    private long sizeBytes(Path file) throws IOException {
        try (Disk.Handle handle = disk().open(file)) {
            return handle.size();
        }
    }

    /** Opens the newest segment for more frames, or makes the log's first. */
    SegmentWriter resume(long endLsn, ByteBuffer staging) throws IOException {
        Segment last = newest();
        if (last == null) {
            Path file = poll().orElse(null);
            return install(file == null ? prepare() : file, endLsn, staging);
        }
        Disk.Handle file = disk().openAppending(last.path());
        return new SegmentWriter(last, file, staging, last.header().position(endLsn));
    }

    int segmentBytes() {
        return config.segmentBytes();
    }

    private synchronized @Nullable Segment newest() {
        return retained.peekLast();
    }

    /** The pool thread's life. */
    void run() {
        try {
            while (true) {
                long seen = changes();
                if (isStopped()) {
                    return;
                }
                if (!step()) {
                    awaitChange(seen);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Frees one segment, or prepares the spare.
     *
     * @return false when there was nothing to do, or it could not be done
     */
    boolean step() {
        try {
            Optional<Segment> released = firstReleased();
            if (released.isPresent()) {
                free(released.get());
                return true;
            }
            if (wantsSpare()) {
                supply(prepare());
                return true;
            }
            return false;
        } catch (IOException | RuntimeException | Error e) {
            block("there is no new segment: " + e, true);
            return false;
        }
    }

    private synchronized Optional<Segment> firstReleased() {
        Segment first = retained.peekFirst();
        boolean released =
                first != null && retained.size() > 1 && second().baseLsn() <= releasedLsn;
        return released ? Optional.of(first) : Optional.empty();
    }

    private Segment second() {
        return retained.stream().skip(1).findFirst().orElseThrow();
    }

    /** A failed sync is tried again without what was done before it. */
    private void free(Segment segment) throws IOException {
        Freed done = freed == null ? takeAway(segment) : freed;
        freed = done;
        disk().syncFolder(folder);
        freed = null;
        synchronized (this) {
            retained.removeFirst();
            changed();
        }
        Path as = done.as();
        if (as != null) {
            supply(as);
        }
    }

    private Freed takeAway(Segment segment) throws IOException {
        if (segment.bytes() == config.segmentBytes() && !hasSpare()) {
            Path as = spareFile();
            disk().rename(segment.path(), as);
            return new Freed(as);
        }
        disk().delete(segment.path());
        return new Freed(null);
    }

    private synchronized boolean hasSpare() {
        return spare != null;
    }

    private synchronized boolean wantsSpare() {
        if (spare != null) {
            return false;
        }
        if (fileBytes() + config.segmentBytes() > config.totalBytesMax()) {
            block("the log is at totalBytesMax, " + config.totalBytesMax(), false);
            return false;
        }
        return true;
    }

    private Path prepare() throws IOException {
        Path preparing = Segment.path(folder, 0, Segment.PREPARING);
        try (Disk.Handle file = disk().create(preparing)) {
            int chunkBytes = Math.min(ZEROS_BYTES, config.segmentBytes());
            ByteBuffer zeros = ByteBuffer.allocateDirect(chunkBytes);
            for (long at = 0; at < config.segmentBytes(); at += chunkBytes) {
                zeros.clear().limit((int) Math.min(chunkBytes, config.segmentBytes() - at));
                file.write(zeros, at);
            }
            file.sync();
        } catch (IOException | Error e) {
            deleteQuietly(preparing, e);
            throw e;
        }
        Path ready = spareFile();
        disk().rename(preparing, ready);
        return ready;
    }

    private void deleteQuietly(Path file, Throwable because) {
        try {
            disk().delete(file);
        } catch (IOException e) {
            because.addSuppressed(e);
        }
    }

    private synchronized void supply(Path file) {
        if (blocked != null) {
            LOGGER.info("The log in {} goes on", folder);
        }
        spare = file;
        blocked = null;
        retryLater = false;
        changed();
    }

    private synchronized void block(String why, boolean retry) {
        if (!why.equals(blocked)) {
            LOGGER.warn("The log in {} will stop taking frames: {}", folder, why);
            blocked = why;
            changed();
        }
        retryLater = retry;
    }

    /**
     * Waits for the spare and takes it.
     *
     * @param onBlocked told the cause once, when it may take long
     * @throws LakemillException RESOURCE_EXHAUSTED when the log is closed meanwhile
     */
    synchronized Path take(Consumer<String> onBlocked) throws InterruptedException {
        boolean told = false;
        while (spare == null) {
            if (closing && blocked != null) {
                throw closedWhileFull(blocked);
            }
            if (blocked != null && !told) {
                told = true;
                onBlocked.accept(blocked);
            }
            wait();
        }
        return poll().orElseThrow();
    }

    /** Takes the spare if there is one. */
    synchronized Optional<Path> poll() {
        Optional<Path> taken = Optional.ofNullable(spare);
        installing = spare != null;
        spare = null;
        changed();
        return taken;
    }

    private LakemillException closedWhileFull(String why) {
        return new LakemillException(
                ErrorCode.RESOURCE_EXHAUSTED,
                "the log in " + folder + " was closed while it had no space: " + why,
                "free disk space, or raise the log's totalBytesMax");
    }

    /** Turns a spare file into the log's newest segment, which begins at {@code baseLsn}. */
    SegmentWriter install(Path file, long baseLsn, ByteBuffer staging) throws IOException {
        SegmentHeader header =
                new SegmentHeader(
                        config.segmentBytes(),
                        baseLsn,
                        surroundings.salts().getAsLong(),
                        nextSequence());
        Segment segment = new Segment(Segment.path(folder, baseLsn, Segment.SEGMENT), header);
        Disk.Handle handle = disk().openAppending(file);
        handle.write(header.encode(), 0);
        handle.sync();
        disk().rename(file, segment.path());
        disk().syncFolder(folder);
        synchronized (this) {
            retained.addLast(segment);
            installing = false;
            changed();
        }
        return new SegmentWriter(segment, handle, staging, SegmentHeader.BLOCK_BYTES);
    }

    private synchronized long nextSequence() {
        return retained.isEmpty() ? 1 : retained.getLast().header().sequence() + 1;
    }

    synchronized void release(long lsn) {
        if (lsn > releasedLsn) {
            releasedLsn = lsn;
            changed();
        }
    }

    synchronized long releasedLsn() {
        return releasedLsn;
    }

    /** Bytes of the segments with frames behind the released LSN; {@code endLsn} is the log's. */
    synchronized long unreleasedBytes(long endLsn) {
        long bytes = 0;
        long end = endLsn;
        for (var newestFirst = retained.descendingIterator(); newestFirst.hasNext(); ) {
            Segment segment = newestFirst.next();
            bytes += end > Math.max(releasedLsn, segment.baseLsn()) ? segment.bytes() : 0;
            end = segment.baseLsn();
        }
        return bytes;
    }

    private synchronized long fileBytes() {
        long spareBytes = spare == null && !installing ? 0 : config.segmentBytes();
        return spareBytes + retained.stream().mapToLong(Segment::bytes).sum();
    }

    /** From now on {@link #take} does not wait for space. */
    synchronized void closing() {
        closing = true;
        changed();
    }

    /** Ends {@link #run}. */
    synchronized void stop() {
        stopped = true;
        changed();
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private synchronized long changes() {
        return changes;
    }

    private synchronized void awaitChange(long seen) throws InterruptedException {
        while (changes == seen) {
            wait(retryLater ? surroundings.retryMillis() : 0);
            if (retryLater) {
                return;
            }
        }
    }

    private synchronized void changed() {
        changes++;
        notifyAll();
    }

    private Disk disk() {
        return surroundings.disk();
    }
}
