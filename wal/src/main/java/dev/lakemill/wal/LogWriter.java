package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns frames into durable frames. One thread at a time.
 *
 * <p>Strictly one after the other: append a group, sync it, hand it over. So at most one group is
 * on its way, never spread over two segments, and {@link #durableLsn} is exact whenever a frame is
 * written.
 */
final class LogWriter implements Closeable {
    private static final int STAGING_BYTES = 1 << 20;
    private static final long GROUP_BYTES_MAX = 4 << 20;

    /** Gives the next segment file; waits for it if need be. */
    @FunctionalInterface
    interface Spares {
        Path take() throws IOException, InterruptedException;
    }

    /** Takes each group once it is durable. */
    @FunctionalInterface
    interface Delivery {
        void durable(List<Durable> group, long bytes, long syncNanos);
    }

    private final SegmentPool pool;
    private final Spares spares;
    private final Delivery delivery;
    private final ByteBuffer staging;
    private SegmentWriter segment;
    private ArrayList<Durable> group = new ArrayList<>();
    private long durableLsn;
    private boolean unmarked;
    private long markedReleasedLsn;

    private LogWriter(
            SegmentPool pool,
            Spares spares,
            Delivery delivery,
            SegmentWriter segment,
            ByteBuffer staging) {
        this.pool = pool;
        this.spares = spares;
        this.delivery = delivery;
        this.staging = staging;
        this.segment = segment;
        this.durableLsn = segment.endLsn();
        this.markedReleasedLsn = pool.releasedLsn();
    }

    /** Goes on where the recovery found the log's end. */
    static LogWriter open(SegmentPool pool, Recovery recovery, Spares spares, Delivery delivery)
            throws IOException {
        ByteBuffer staging =
                ByteBuffer.allocateDirect(Math.min(STAGING_BYTES, pool.segmentBytes()));
        SegmentWriter segment = pool.resume(recovery.endLsn(), staging);
        LogWriter writer = new LogWriter(pool, spares, delivery, segment, staging);
        boolean opened = false;
        try {
            writer.unmarked = !recovery.endIsProven();
            writer.mark();
            opened = true;
            return writer;
        } finally {
            if (!opened) {
                writer.close();
            }
        }
    }

    /** The LSN up to which the log is durable, marks included. */
    long durableLsn() {
        return durableLsn;
    }

    /** Frames of so many bytes, each with its header, do not need another segment. */
    long roomBytes() {
        return segment.roomBytes();
    }

    /** Makes the frames durable, in order, in as few groups as the limits allow. */
    void commit(List<Frame> frames) throws IOException, InterruptedException {
        for (Frame frame : frames) {
            if (!segment.fits(frame)) {
                sync();
                next();
            } else if (segment.endLsn() - durableLsn >= GROUP_BYTES_MAX) {
                sync();
            }
            long lsn = segment.append(frame, FrameFormat.ROWS, durableLsn);
            group.add(new Durable(frame, lsn));
        }
        sync();
    }

    private void sync() throws IOException {
        if (group.isEmpty()) {
            return;
        }
        long started = System.nanoTime();
        segment.sync();
        long nanos = System.nanoTime() - started;
        List<Durable> done = group;
        long bytes = segment.endLsn() - durableLsn;
        group = new ArrayList<>(Math.max(16, done.size()));
        durableLsn = segment.endLsn();
        unmarked = true;
        delivery.durable(done, bytes, nanos);
    }

    private void next() throws IOException, InterruptedException {
        Path file = spares.take();
        segment.close();
        segment = pool.install(file, durableLsn, staging);
        unmarked = false;
    }

    /** Leaves a proof that everything is durable, and what is released, if that is news. */
    void mark() throws IOException {
        long released = pool.releasedLsn();
        if ((unmarked || released > markedReleasedLsn) && segment.fitsMark()) {
            segment.append(FrameFormat.mark(released), FrameFormat.MARK, durableLsn);
            segment.sync();
            durableLsn = segment.endLsn();
            markedReleasedLsn = released;
            unmarked = false;
        }
    }

    @Override
    public void close() throws IOException {
        segment.close();
    }
}
