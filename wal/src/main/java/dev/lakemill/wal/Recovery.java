package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what an earlier run left, before the first new frame.
 *
 * <p>Every segment but the last must be whole up to the base of the next one. In the last one, the
 * first place without a whole frame is the end of the log, unless a later frame proves that the log
 * had been durable beyond it; then it is damage, and nothing is touched. Only where a file beside
 * the segment says that the loss is accepted, the whole frames behind the damage are kept.
 *
 * <p>The frames at the end were perhaps never synced: read from the page cache, or from a disk
 * whose sync failed once. So everything behind the newest proof is written again and synced before
 * any frame is replayed; otherwise a consumer could commit a frame, and its LSN, that the next
 * power cut takes back. For the same reason the folder is synced before it is read. What remains of
 * torn frames behind the end is overwritten by zeros, so that it cannot join the frames to come.
 */
final class Recovery {
    private static final Logger LOGGER = LoggerFactory.getLogger(Recovery.class);
    private static final int COPY_BYTES = 256 << 10;

    private final Path folder;
    private final Disk disk;
    private final List<Segment> segments = new ArrayList<>();
    private final List<Path> spares = new ArrayList<>();
    private final Set<Path> lost = new HashSet<>();
    private long endLsn;
    private long provenLsn;
    private long releasedLsn;
    private long newestLsn;

    Recovery(Path folder, Disk disk) {
        this.folder = folder;
        this.disk = disk;
    }

    /**
     * Checks every segment, and mends the end of the last.
     *
     * @throws LakemillException DATA_LOSS when acknowledged frames are damaged
     */
    void run() throws IOException {
        disk.syncFolder(folder);
        find();
        for (int i = 0; i < segments.size() - 1; i++) {
            checkSealed(segments.get(i), segments.get(i + 1));
        }
        if (!segments.isEmpty()) {
            newestLsn = newestLsn == 0 ? segments.getFirst().baseLsn() : newestLsn;
            checkLast(segments.getLast());
        }
    }

    List<Segment> segments() {
        return segments;
    }

    List<Path> spares() {
        return spares;
    }

    /** Where the next frame goes. */
    long endLsn() {
        return endLsn;
    }

    /** Whether a frame on disk proves everything before {@link #endLsn} durable. */
    boolean endIsProven() {
        return provenLsn == endLsn;
    }

    /** The highest released LSN that a mark tells. */
    long releasedLsn() {
        return releasedLsn;
    }

    /** The LSN of the newest frame with rows; or one behind it, when it was freed. */
    long newestLsn() {
        return newestLsn;
    }

    /** Hands over every frame with rows behind the released LSN, in order. */
    void replay(Consumer<Durable> target) throws IOException {
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            boolean last = i == segments.size() - 1;
            replay(segment, last ? endLsn : segments.get(i + 1).baseLsn(), target);
        }
    }

    private void replay(Segment segment, long end, Consumer<Durable> target) throws IOException {
        if (end <= releasedLsn) {
            return;
        }
        try (SegmentReader reader = new SegmentReader(disk, segment)) {
            long position = SegmentHeader.BLOCK_BYTES;
            while (segment.header().lsn(position) < end) {
                if (!reader.frameAt(position)) {
                    position = skip(segment, reader, position, "it was whole a moment ago");
                    continue;
                }
                position += reader.length();
                if (!reader.isMark() && segment.header().lsn(position) > releasedLsn) {
                    target.accept(reader.durable());
                }
            }
        }
    }

    private void find() throws IOException {
        for (Path file : disk.list(folder)) {
            String name = String.valueOf(file.getFileName());
            if (name.endsWith(Segment.SEGMENT)) {
                segments.add(new Segment(file, header(file)));
            } else if (name.endsWith(Segment.SPARE)) {
                spares.add(file);
            } else if (name.endsWith(Segment.LOST)) {
                lost.add(file);
            } else if (name.endsWith(Segment.PREPARING)) {
                disk.delete(file);
            }
        }
        segments.sort(Comparator.comparingLong(Segment::baseLsn));
        for (int i = 1; i < segments.size(); i++) {
            checkFollows(segments.get(i - 1), segments.get(i));
        }
    }

    private SegmentHeader header(Path file) throws IOException {
        try (Disk.Handle handle = disk.open(file)) {
            ByteBuffer block = ByteBuffer.allocate(SegmentHeader.BLOCK_BYTES);
            handle.read(block, 0);
            block.flip();
            Optional<Integer> version = SegmentHeader.version(block);
            if (version.isEmpty()) {
                throw damage(file, 0, "its header is not whole");
            }
            if (version.get() != SegmentHeader.VERSION) {
                throw newer(file, version.get());
            }
            SegmentHeader header = SegmentHeader.decode(block);
            if (handle.size() < header.segmentBytes()) {
                throw damage(file, handle.size(), "it is cut off there");
            }
            return header;
        }
    }

    private void checkFollows(Segment before, Segment after) {
        long missing = after.header().sequence() - before.header().sequence() - 1;
        if (missing != 0) {
            throw damage(
                    after.path(), 0, "the segment before it is missing; " + missing + " in all");
        }
    }

    private void checkSealed(Segment segment, Segment next) throws IOException {
        try (SegmentReader reader = new SegmentReader(disk, segment)) {
            long position = SegmentHeader.BLOCK_BYTES;
            while (segment.header().lsn(position) < next.baseLsn()) {
                position =
                        reader.frameAt(position)
                                ? pass(segment, reader, position)
                                : skip(segment, reader, position, "a segment follows");
            }
            if (segment.header().lsn(position) != next.baseLsn() && !lossIsAccepted(segment)) {
                throw damage(segment, position, "the next segment does not begin where it ends");
            }
        }
    }

    private boolean lossIsAccepted(Segment segment) {
        return lost.contains(lostFile(segment));
    }

    private Path lostFile(Segment segment) {
        return Segment.path(folder, segment.baseLsn(), Segment.LOST);
    }

    /** The next whole frame behind a damaged one, or the segment's end; if that is accepted. */
    private long skip(Segment segment, SegmentReader reader, long position, String why)
            throws IOException {
        if (!lossIsAccepted(segment)) {
            throw damage(segment, position, why);
        }
        long next = reader.rest(position).firstFrame();
        LOGGER.warn(
                "Skipped bytes {} to {} of log segment {}, as {} allows",
                position,
                next,
                segment.path(),
                lostFile(segment).getFileName());
        return next;
    }

    private long pass(Segment segment, SegmentReader reader, long position) {
        long end = position + reader.length();
        provenLsn = Math.max(provenLsn, reader.provenLsn());
        if (reader.isMark()) {
            releasedLsn = Math.max(releasedLsn, reader.releasedLsn());
        } else {
            newestLsn = segment.header().lsn(end);
        }
        return end;
    }

    private void checkLast(Segment segment) throws IOException {
        long end = SegmentHeader.BLOCK_BYTES;
        SegmentReader.Rest rest;
        provenLsn = segment.baseLsn();
        boolean endsWithMark = false;
        try (SegmentReader reader = new SegmentReader(disk, segment)) {
            do {
                while (reader.frameAt(end)) {
                    endsWithMark = reader.isMark();
                    end = pass(segment, reader, end);
                }
                rest = reader.rest(end);
                if (rest.provenLsn() > segment.header().lsn(end)) {
                    end = skip(segment, reader, end, "a later frame proves that it was whole once");
                }
            } while (rest.provenLsn() > segment.header().lsn(end));
        }
        endLsn = segment.header().lsn(end);
        mend(segment, end, rest.end());
        boolean markProvesAll = endsWithMark && provenLsn == endLsn - FrameFormat.HEADER_BYTES;
        provenLsn = markProvesAll ? endLsn : provenLsn;
    }

    private void mend(Segment segment, long end, long tornEnd) throws IOException {
        try (Disk.Handle file = disk.open(segment.path())) {
            writeAgain(file, segment.header().position(provenLsn), end);
            if (tornEnd > end) {
                LOGGER.info(
                        "Log segment {} ends at byte {} in an unfinished write of {} bytes, which"
                                + " nobody was told of; they are dropped",
                        segment.path(),
                        end,
                        tornEnd - end);
                writeZeros(file, end, tornEnd);
            }
            file.sync();
        }
    }

    private static void writeAgain(Disk.Handle file, long from, long to) throws IOException {
        ByteBuffer copy = ByteBuffer.allocateDirect((int) Math.min(COPY_BYTES, to - from));
        for (long at = from; at < to; at += COPY_BYTES) {
            copy.clear().limit((int) Math.min(COPY_BYTES, to - at));
            file.read(copy, at);
            file.write(copy.flip(), at);
        }
    }

    private static void writeZeros(Disk.Handle file, long from, long to) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(COPY_BYTES, to - from));
        for (long at = from; at < to; at += COPY_BYTES) {
            zeros.clear().limit((int) Math.min(COPY_BYTES, to - at));
            file.write(zeros, at);
        }
    }

    private LakemillException damage(Segment segment, long position, String why) {
        return damaged(
                segment.path()
                        + " is damaged at byte "
                        + position
                        + ", LSN "
                        + segment.header().lsn(position)
                        + ", before acknowledged data: "
                        + why,
                "nothing was changed; restore the file from a copy of the disk, or, to lose the"
                        + " damaged rows and go on, create the empty file "
                        + lostFile(segment)
                        + " and start again");
    }

    private static LakemillException damage(Path file, long position, String why) {
        return damaged(
                file + " is damaged at byte " + position + ": " + why,
                "nothing was changed; restore the folder's files from a copy of the disk");
    }

    private static LakemillException damaged(String what, String hint) {
        return new LakemillException(ErrorCode.DATA_LOSS, "log segment " + what, hint);
    }

    private static LakemillException newer(Path file, int version) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "log segment " + file + " has format version " + version,
                "start the newer Lakemill that wrote it");
    }
}
