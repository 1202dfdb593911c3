package dev.lakemill.pipeline;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The files that may be new, and the way to their rows. One thread uses it. */
interface Listing extends AutoCloseable {
    /** Beyond it, a folder or a bucket is not read. */
    int FILES_MAX = 1_000_000;

    Comparator<Found> OLDEST_FIRST =
            Comparator.comparingLong(Found::modifiedMillis).thenComparing(Found::name);

    /**
     * A file as it was found.
     *
     * @param name its path, or its place in a bucket as {@code s3://bucket/key}
     * @param tag of its content, where the place keeps one; empty where it does not
     */
    record Found(String name, long sizeBytes, long modifiedMillis, String tag) {
        Found(String name, long sizeBytes, long modifiedMillis) {
            this(name, sizeBytes, modifiedMillis, "");
        }
    }

    /** In the order in which they are to be taken. */
    List<Found> list();

    /** The file where it can be read; empty when it is not there any more as it was found. */
    Optional<LocalFile> open(Found file);

    /** Why the file is left where it is, though others are read; empty for none. */
    default String refusal(Found file) {
        return "";
    }

    /** Whether a file is there only when all of it is. */
    default boolean areWhole() {
        return false;
    }

    /** Between two lists. */
    default Duration pause() {
        return Duration.ofMillis(500);
    }

    /** All files of the last list are taken. */
    default void taken() {}

    /** Ends what is under way; any thread may call it. */
    @Override
    default void close() {}

    /**
     * @throws LakemillException RESOURCE_EXHAUSTED when there are more than {@link #FILES_MAX}
     */
    static void add(Found file, List<Found> found, Object place) {
        if (found.size() == FILES_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%s has more than %,d files".formatted(place, FILES_MAX),
                    "move those that were read elsewhere");
        }
        found.add(file);
    }
}
