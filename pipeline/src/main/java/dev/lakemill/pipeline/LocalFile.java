package dev.lakemill.pipeline;

import dev.lakemill.pipeline.Listing.Found;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file on this machine, where the engine reads it.
 *
 * @param found whose content it has
 * @param isCopy whether it goes when it is closed
 */
record LocalFile(Found found, Path path, boolean isCopy) implements AutoCloseable {
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
