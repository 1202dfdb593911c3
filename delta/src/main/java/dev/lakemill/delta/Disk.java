package dev.lakemill.delta;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/**
 * Every change that a table makes to the file system, so that a test can make it fail.
 *
 * <p>Durability is the caller's: a file lasts once its {@link Output#sync} and the {@link
 * #syncFolder} of its folder have returned.
 */
interface Disk {
    /** Makes a new file; {@link java.nio.file.FileAlreadyExistsException} when it is there. */
    Output create(Path file) throws IOException;

    /**
     * Gives a file a second name, atomically; {@link java.nio.file.FileAlreadyExistsException} when
     * that name is taken.
     */
    void link(Path file, Path name) throws IOException;

    /** Renames a file, replacing what had the name. */
    void rename(Path file, Path name) throws IOException;

    /** Deletes a file; false when there is none. */
    boolean delete(Path file) throws IOException;

    /** Makes a folder and its parents, where they are missing. */
    void createFolder(Path folder) throws IOException;

    void syncFolder(Path folder) throws IOException;

    /** A file being written. One thread uses it. */
    abstract class Output extends OutputStream {
        /** Bytes written so far. */
        abstract long position();

        /** Returns when all bytes written so far last. */
        abstract void sync() throws IOException;
    }
}
