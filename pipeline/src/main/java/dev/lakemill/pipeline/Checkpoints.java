package dev.lakemill.pipeline;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The checkpoints of a pipeline, a file each: {@code checkpoint-<batch>}. */
final class Checkpoints {
    private static final String PREFIX = "checkpoint-";

    private final Path folder;
    private final Disk disk;

    Checkpoints(Path folder, Disk disk) {
        this.folder = folder;
        this.disk = disk;
    }

    /**
     * What stands on disk.
     *
     * @param whole by number, ascending
     * @param damaged files that cannot be read; an older checkpoint takes their place
     */
    record Found(List<Checkpoint> whole, List<Path> damaged) {}

    Found read() {
        var whole = new ArrayList<Checkpoint>();
        var damaged = new ArrayList<Path>();
        try {
            for (var file : files()) {
                RecordLine.checkpoint(disk.read(file))
                        .ifPresentOrElse(whole::add, () -> damaged.add(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        whole.sort(Comparator.comparingLong(Checkpoint::number));
        return new Found(whole, damaged);
    }

    void write(Checkpoint checkpoint) throws IOException {
        disk.replace(folder.resolve(PREFIX + checkpoint.number()), RecordLine.of(checkpoint));
    }

    /** Deletes all others. */
    void keepOnly(Set<Long> numbers) throws IOException {
        for (var file : files()) {
            if (!numbers.contains(numberOf(file))) {
                disk.delete(file);
            }
        }
    }

    void delete(long number) throws IOException {
        disk.delete(folder.resolve(PREFIX + number));
    }

    private List<Path> files() throws IOException {
        return disk.list(folder).stream().filter(file -> numberOf(file) >= 0).toList();
    }

    /** -1 for another file. */
    private static long numberOf(Path file) {
        var name = file.getFileName().toString();
        var digits = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : "";
        return digits.matches("\\d{1,18}") ? Long.parseLong(digits) : -1;
    }
}
