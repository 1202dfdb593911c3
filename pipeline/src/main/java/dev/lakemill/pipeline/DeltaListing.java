package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaCommits;
import dev.lakemill.plan.FileSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The data files that commits add to a Delta table that others write: first those of the table as
 * it is found, then those of each commit. As in Spark, a commit that updates or deletes rows ends
 * the stream, unless such commits are skipped. One thread uses it.
 *
 * <p>The version up to which all files are taken stands in a file; the files behind it that are
 * taken already are known by their journal.
 */
final class DeltaListing implements Listing {
    private static final int COMMITS_MAX = 100;
    private static final long NONE = -1;
    private static final String STARTING = "start ";

    private final DeltaCommits commits;
    private final boolean skipsChanges;
    private final String location;
    private final Path file;
    private final Disk disk;

    /** Up to here all files are taken; NONE while those of the first snapshot are not. */
    private long version = NONE;

    /** Of the last list. */
    private long reached = NONE;

    DeltaListing(FileSource source, Path folder, Disk disk, BufferAllocator allocator) {
        this.commits = new DeltaCommits(Path.of(source.path()), allocator);
        this.skipsChanges = Boolean.parseBoolean(source.options().get(FileSource.SKIP_CHANGES));
        this.location = source.path();
        this.file = folder.resolve("version");
        this.disk = disk;
        try {
            var text = new String(disk.read(file), StandardCharsets.UTF_8);
            if (text.startsWith(STARTING)) {
                reached = Long.parseLong(text.substring(STARTING.length()));
            } else if (!text.isEmpty()) {
                version = Long.parseLong(text);
                reached = version;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public List<Found> list() {
        return version == NONE ? first() : next();
    }

    /** Which snapshot it is must outlive a crash: a later one may have its rows in other files. */
    private List<Found> first() {
        if (reached == NONE) {
            var newest = commits.newest();
            write(STARTING + newest);
            reached = newest;
        }
        return commits.live(reached).stream().map(DeltaListing::found).toList();
    }

    private List<Found> next() {
        var newest = commits.newest();
        var found = new ArrayList<Found>();
        reached = version;
        while (reached < newest && reached - version < COMMITS_MAX) {
            var next = reached + 1;
            var commit = commits.commit(next).orElseThrow(() -> gone(next));
            if (commit.changes() && !skipsChanges) {
                if (reached > version) {
                    break; // what came before it is taken first
                }
                throw changed(next);
            }
            if (!commit.changes()) {
                commit.added().stream().map(DeltaListing::found).forEach(found::add);
            }
            reached = next;
        }
        return found;
    }

    /** When it was modified the log says, by the clock of its writer; such files never change. */
    @Override
    public Optional<LocalFile> open(Found found) {
        return LocalFile.inPlace(found, now -> now.size() == found.sizeBytes());
    }

    @Override
    public boolean areWhole() {
        return true;
    }

    @Override
    public void taken() {
        if (reached != version) {
            write(Long.toString(reached));
            version = reached;
        }
    }

    private void write(String text) {
        try {
            disk.replace(file, text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Found found(DeltaCommits.File data) {
        return new Found(data.path().toString(), data.sizeBytes(), data.modifiedMillis());
    }

    private LakemillException changed(long at) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "version %d of the Delta table %s updates or deletes rows; a stream has them once"
                        .formatted(at, location),
                "read it with WITH (skipChangeCommits = true), which leaves such commits out");
    }

    private LakemillException gone(long at) {
        return new LakemillException(
                ErrorCode.DATA_LOSS,
                "the log of version %d of the Delta table %s is gone".formatted(at, location),
                "its log retention is shorter than the time that the pipeline stood; delete the"
                        + " pipeline's folder to begin with the table as it is");
    }
}
