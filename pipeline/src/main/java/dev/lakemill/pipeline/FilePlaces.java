package dev.lakemill.pipeline;

import dev.lakemill.plan.BucketPath;
import dev.lakemill.plan.FileSource;
import java.nio.file.Path;

/**
 * Where the files of sources are: in folders of this machine, and in buckets.
 *
 * @param project that paths of folders are relative to
 */
public record FilePlaces(Path project, BucketConfig buckets) {
    /**
     * The files that a source means.
     *
     * @param copies folder for what is read of a bucket; what is left in it is deleted
     */
    Listing listing(FileSource source, Path copies) {
        return BucketPath.isOne(source.path())
                ? new BucketListing(source, buckets, copies)
                : new FileListing(project, source);
    }
}
