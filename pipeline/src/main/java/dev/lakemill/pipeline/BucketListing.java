package dev.lakemill.pipeline;

import dev.lakemill.plan.BucketPath;
import dev.lakemill.plan.FileSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The objects of a bucket, as the files that their keys spell. Each is copied to this machine for
 * as long as it is read.
 */
final class BucketListing implements Listing {
    /** How a file's compression is told. */
    private static final Pattern ENDING = Pattern.compile("\\.[A-Za-z0-9]{1,10}$");

    private final BucketPath place;
    private final FilePattern pattern;
    private final boolean isWild;
    private final BucketConfig config;
    private final Path copies;
    private final ObjectStore store;

    /**
     * @param copies folder of its own; what an earlier process left there is deleted
     */
    BucketListing(FileSource source, BucketConfig config, Path copies) {
        this.place = BucketPath.parse(source.path());
        this.isWild = FilePattern.isWild(place.key());
        this.pattern = new FilePattern(path(place.key()).toString(), isWild, source.options());
        this.config = config;
        this.copies = copies;
        this.store = new ObjectStore(config);
        clear();
    }

    private Path path(String key) {
        return Path.of("/", place.bucket(), key);
    }

    /** The oldest first. */
    @Override
    public List<Found> list() {
        var found = new ArrayList<Found>();
        var seen = store.list(place.bucket(), prefix(), isFlat(), object -> add(object, found));
        if (seen == 0 && !isWild && !place.key().isEmpty()) {
            store.find(place.bucket(), place.key()).ifPresent(object -> add(object, found));
        }
        found.sort(OLDEST_FIRST);
        return found;
    }

    /** What all keys begin with. */
    private String prefix() {
        var key = place.key();
        return isWild ? key.substring(0, FilePattern.wildAt(key)) : key.isEmpty() ? "" : key + "/";
    }

    /** Whether no key is meant that has a slash behind the prefix: others are not listed. */
    private boolean isFlat() {
        var rest = place.key().substring(isWild ? prefix().length() : place.key().length());
        return !pattern.isRecursive() || (isWild && !rest.contains("/") && !rest.contains("**"));
    }

    private void add(Found object, List<Found> found) {
        var key = ObjectStore.key(object);
        if (key.endsWith("/")) {
            return; // stands for a folder
        }
        var file = path(key);
        for (var folder = file.getParent();
                folder != null && !folder.equals(pattern.root());
                folder = folder.getParent()) {
            if (FilePattern.isHidden(folder)) {
                return;
            }
        }
        if (pattern.takes(file)) {
            Listing.add(object, found, this);
        }
    }

    @Override
    public Optional<LocalFile> open(Found file) {
        if (!BucketPath.isOne(file.name())) {
            return Optional.empty();
        }
        var ending = ENDING.matcher(file.name());
        var copy = copies.resolve("object" + (ending.find() ? ending.group() : ""));
        try {
            Files.createDirectories(copies);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return store.copy(file, copy)
                ? Optional.of(new LocalFile(file, copy, true))
                : Optional.empty();
    }

    @Override
    public String refusal(Found file) {
        return file.sizeBytes() <= config.objectBytesMax()
                ? ""
                : "%s has %,d MB, above the limit of %,d MB, and is left out; hint: raise %s"
                        .formatted(
                                file.name(),
                                file.sizeBytes() >> 20,
                                config.objectBytesMax() >> 20,
                                "s3.object_mb, or put its rows there in smaller objects");
    }

    @Override
    public boolean areWhole() {
        return true;
    }

    @Override
    public Duration pause() {
        return config.listPause();
    }

    @Override
    public void close() {
        store.close();
    }

    private void clear() {
        try (var left = Files.newDirectoryStream(copies)) {
            for (var file : left) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException _) {
            // Made with the first copy.
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return place.toString();
    }
}
