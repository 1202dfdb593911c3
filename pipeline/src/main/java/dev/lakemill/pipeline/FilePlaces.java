package dev.lakemill.pipeline;

import dev.lakemill.plan.BucketPath;
import dev.lakemill.plan.FileSource;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.util.List;

/**
 * Where the files of sources are: in folders of this machine, and in buckets.
 *
 * @param project that paths of folders are relative to
 * @param closed folders of the node itself, which are read by its own doors alone
 */
public record FilePlaces(Path project, BucketConfig buckets, List<Path> closed) {
    public FilePlaces {
        closed = List.copyOf(closed);
    }

    /**
     * Refuses a source that would read the node's own folders.
     *
     * @throws LakemillException PERMISSION_DENIED
     */
    public void check(FileSource source) {
        if (!BucketPath.isOne(source.path())) {
            new FileListing(project, source, closed).refuseClosed();
        }
    }

    /**
     * The files that a source means.
     *
     * @param copies folder for what is read of a bucket; what is left in it is deleted
     */
    Listing listing(FileSource source, Path copies) {
        return BucketPath.isOne(source.path())
                ? new BucketListing(source, buckets, copies)
                : new FileListing(project, source, closed);
    }
}
