package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads the frames of one segment, through a window that moves over the file. */
final class SegmentReader implements Closeable {
    private static final int WINDOW_BYTES = 256 << 10;

    private final Disk.Handle file;
    private final SegmentHeader header;
    private final FrameFormat format;
    private byte[] window = new byte[WINDOW_BYTES];
    private long windowStart;
    private int windowLength;
    private int at;

    SegmentReader(Disk disk, Segment segment) throws IOException {
        this.header = segment.header();
        this.format = new FrameFormat(header);
        this.file = disk.open(segment.path());
    }

    /** Whether a whole, undamaged frame stands at {@code position}; the rest then tells of it. */
    boolean frameAt(long position) throws IOException {
        return load(position, FrameFormat.HEADER_BYTES)
                && plausible(position)
                && load(position, length())
                && format.intact(window, at);
    }

    int length() {
        return FrameFormat.length(window, at);
    }

    boolean isMark() {
        return FrameFormat.kind(window, at) == FrameFormat.MARK;
    }

    /** The released LSN that a mark tells. */
    long releasedLsn() {
        return FrameFormat.offset(window, at);
    }

    /** The LSN up to which the log was durable when the frame was written. */
    long provenLsn() {
        return FrameFormat.start(window, at) - FrameFormat.pending(window, at);
    }

    Durable durable() {
        return new Durable(FrameFormat.frame(window, at), FrameFormat.start(window, at) + length());
    }

    /**
     * What lies behind the frames that can be read in order.
     *
     * @param provenLsn the highest {@link #provenLsn} of a whole frame there, 0 when there is none
     * @param firstFrame the position of the first whole frame there, or the segment's end
     * @param end the position behind the last bytes that are, or once were, a frame of this segment
     */
    record Rest(long provenLsn, long firstFrame, long end) {}

    /** Looks for frames at every byte from {@code position} to the end of the segment. */
    Rest rest(long position) throws IOException {
        long proven = 0;
        long firstFrame = header.segmentBytes();
        long end = position;
        for (long next = position; load(next, FrameFormat.HEADER_BYTES); next++) {
            if (FrameFormat.start(window, at) == header.lsn(next)) {
                end = Math.max(end, claimedEnd(next));
                if (frameAt(next)) {
                    firstFrame = Math.min(firstFrame, next);
                    proven = Math.max(proven, provenLsn());
                }
            }
        }
        return new Rest(proven, firstFrame, end);
    }

    private long claimedEnd(long position) {
        long length = Math.max(FrameFormat.HEADER_BYTES, length());
        return Math.min(header.segmentBytes(), position + length);
    }

    private boolean plausible(long position) {
        int kind = FrameFormat.kind(window, at);
        int pending = FrameFormat.pending(window, at);
        return FrameFormat.start(window, at) == header.lsn(position)
                && length() >= FrameFormat.HEADER_BYTES
                && (kind == FrameFormat.ROWS || kind == FrameFormat.MARK)
                && pending >= 0
                && pending <= position - SegmentHeader.BLOCK_BYTES;
    }

    /** Brings the bytes into the window, {@code at} telling where; false beyond the segment. */
    private boolean load(long position, int length) throws IOException {
        if (length > header.segmentBytes() - position) {
            return false;
        }
        if (position < windowStart || position + length > windowStart + windowLength) {
            fill(position, length);
        }
        at = (int) (position - windowStart);
        return position + length <= windowStart + windowLength;
    }

    private void fill(long position, int length) throws IOException {
        if (window.length < length) {
            window = new byte[length];
        }
        ByteBuffer target = ByteBuffer.wrap(window);
        target.limit((int) Math.min(window.length, header.segmentBytes() - position));
        file.read(target, position);
        windowStart = position;
        windowLength = target.position();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
