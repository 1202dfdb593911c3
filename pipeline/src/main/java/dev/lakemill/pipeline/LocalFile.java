package dev.lakemill.pipeline;

import dev.lakemill.pipeline.Listing.Found;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A file on this machine, where the engine reads it.
 *
 * @param found whose content it has
 * @param isCopy whether it goes when it is closed
 */
record LocalFile(Found found, Path path, boolean isCopy) implements AutoCloseable {
    /**
     * The file where it stands; empty when it is not there as it was found.
     *
     * @param isSame whether what it is now is what was found
     */
    static Optional<LocalFile> inPlace(Found found, Predicate<BasicFileAttributes> isSame) {
        var path = Path.of(found.name());
        try {
            return isSame.test(Files.readAttributes(path, BasicFileAttributes.class))
                    ? Optional.of(new LocalFile(found, path, false))
                    : Optional.empty();
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isEmpty() {
        return found.sizeBytes() == 0;
    }

    @Override
    public void close() {
        if (isCopy) {
            try {
                Files.deleteIfExists(path);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
