package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Appends frames to the log's newest segment, gathering many into one write. One thread at a time.
 *
 * <p>Frames always leave room for one mark at the segment's end.
 */
final class SegmentWriter implements Closeable {
    private final Segment segment;
    private final Disk.Handle file;
    private final ByteBuffer staging;
    private final FrameFormat format;
    private final byte[] header = new byte[FrameFormat.HEADER_BYTES];
    private long writtenPosition;

    /**
     * @param staging empty, direct; what is appended gathers there
     * @param position where the next frame goes
     */
    SegmentWriter(Segment segment, Disk.Handle file, ByteBuffer staging, long position) {
        this.segment = segment;
        this.file = file;
        this.staging = staging;
        this.format = new FrameFormat(segment.header());
        this.writtenPosition = position;
    }

    boolean fits(Frame frame) {
        return roomBytes() >= FrameFormat.bytes(frame);
    }

    boolean fitsMark() {
        return leftBytes() >= FrameFormat.HEADER_BYTES;
    }

    /** For frames with their headers. */
    long roomBytes() {
        return leftBytes() - FrameFormat.HEADER_BYTES;
    }

    private long leftBytes() {
        return segment.bytes() - writtenPosition - staging.position();
    }

    /** The LSN behind everything appended. */
    long endLsn() {
        return segment.header().lsn(writtenPosition + staging.position());
    }

    /**
     * Appends a frame.
     *
     * @param durableLsn up to where the log is known to be durable
     * @return the frame's LSN
     */
    long append(Frame frame, int kind, long durableLsn) throws IOException {
        long start = endLsn();
        format.encode(frame, kind, start, (int) (start - durableLsn), header);
        stage(header);
        stage(frame.payload());
        return start + FrameFormat.bytes(frame);
    }

    private void stage(byte[] bytes) throws IOException {
        int at = 0;
        while (at < bytes.length) {
            if (!staging.hasRemaining()) {
                write();
            }
            int count = Math.min(bytes.length - at, staging.remaining());
            staging.put(bytes, at, count);
            at += count;
        }
    }

    private void write() throws IOException {
        staging.flip();
        int count = staging.remaining();
        file.write(staging, writtenPosition);
        writtenPosition += count;
        staging.clear();
    }

    /** Makes everything appended durable. */
    void sync() throws IOException {
        write();
        file.sync();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
