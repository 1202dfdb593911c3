package dev.lakemill.wal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Copies of a running log's segments, up to an LSN that is durable, for backups.
 *
 * <p>What a segment holds below a durable LSN never changes while it is a segment of the log, so a
 * copy is continued from where an older copy of the same segment ended. A segment that is put to
 * another use meanwhile loses its name first; its copy is then no good, and {@link #take} says so.
 */
public final class LogCopy {
    private static final int COPY_BYTES = 1 << 20;

    /**
     * A segment as a copy has it.
     *
     * @param file its name in the log
     * @param copy the copy's name
     * @param bytes that belong to the copy; the rest of the segment is zeros
     * @param segmentBytes of the whole segment
     */
    public record Part(String file, String copy, long bytes, long segmentBytes) {}

    private LogCopy() {}

    /** The names of a log's segments, oldest first; none where there is no log. */
    public static List<String> segments(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(Segment.SEGMENT))
                    .sorted()
                    .toList();
        }
    }

    /**
     * Copies everything up to an LSN.
     *
     * @param durableLsn of the log, asked for before
     * @param target a folder with copies, which are continued
     * @return the parts in order; empty when a segment was freed meanwhile: try again
     */
    public static Optional<List<Part>> take(Path folder, long durableLsn, Path target)
            throws IOException {
        Files.createDirectories(target);
        var segments = new ArrayList<Segment>();
        for (var name : segments(folder)) {
            var header = header(folder.resolve(name));
            if (header.isEmpty()) {
                return Optional.empty();
            }
            segments.add(new Segment(folder.resolve(name), header.get()));
        }
        segments.sort(Comparator.comparingLong(Segment::baseLsn));
        var parts = new ArrayList<Part>();
        for (int i = 0; i < segments.size(); i++) {
            var segment = segments.get(i);
            if (segment.baseLsn() > durableLsn) {
                break;
            }
            var end =
                    i + 1 < segments.size()
                            ? Math.min(durableLsn, segments.get(i + 1).baseLsn())
                            : durableLsn;
            var copied = copy(segment, segment.header().position(end), target);
            if (copied.isEmpty()) {
                return Optional.empty();
            }
            parts.add(copied.get());
        }
        for (var part : parts) {
            if (!Files.exists(folder.resolve(part.file()))) {
                return Optional.empty();
            }
        }
        return Optional.of(parts);
    }

    /** Makes a segment of a log out of its copy. */
    public static void restore(Part part, Path copies, Path folder) throws IOException {
        Files.createDirectories(folder);
        try (var from = FileChannel.open(copies.resolve(part.copy()), StandardOpenOption.READ);
                var to =
                        FileChannel.open(
                                folder.resolve(part.file()),
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.WRITE)) {
            transfer(from, to, 0, part.bytes());
            if (part.segmentBytes() > part.bytes()) {
                to.write(ByteBuffer.allocate(1), part.segmentBytes() - 1);
            }
            to.force(true);
        }
    }

    private static Optional<SegmentHeader> header(Path file) throws IOException {
        var block = ByteBuffer.allocate(SegmentHeader.BLOCK_BYTES);
        try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var read = channel.read(block);
            while (read > 0 && block.hasRemaining()) {
                read = channel.read(block);
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        block.flip();
        return SegmentHeader.version(block).isPresent()
                ? Optional.of(SegmentHeader.decode(block))
                : Optional.empty();
    }

    private static Optional<Part> copy(Segment segment, long bytes, Path target)
            throws IOException {
        var name = String.valueOf(segment.path().getFileName());
        var copy = name.replace(Segment.SEGMENT, "-%016x".formatted(segment.header().salt()));
        try (var from = FileChannel.open(segment.path(), StandardOpenOption.READ);
                var to =
                        FileChannel.open(
                                target.resolve(copy),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE)) {
            transfer(from, to, to.size(), bytes);
            to.force(true);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        return Optional.of(new Part(name, copy, bytes, segment.bytes()));
    }

    private static void transfer(FileChannel from, FileChannel to, long start, long end)
            throws IOException {
        var at = start;
        to.position(at);
        while (at < end) {
            var moved = from.transferTo(at, Math.min(COPY_BYTES, end - at), to);
            if (moved <= 0) {
                throw new IOException("a log segment ends before byte " + end);
            }
            at += moved;
        }
    }
}
