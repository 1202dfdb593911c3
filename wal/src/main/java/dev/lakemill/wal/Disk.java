package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The disk, as the log sees it: the few operations whose order and durability the log's promises
 * rest on. Tests give one that tears writes, forgets what was not synced, fails and fills up.
 */
public interface Disk {

    /** The machine's own file systems. */
    static Disk real() {
        return new RealDisk();
    }

    /** Makes the folder and those above it, lastingly, where they are not there yet. */
    void createFolder(Path folder) throws IOException;

    /** The files of a folder, in no particular order. */
    List<Path> list(Path folder) throws IOException;

    /**
     * Locks a file, which is made when missing, against every other process and every other log of
     * this one; closing the result unlocks it.
     *
     * @return empty when it is locked already
     */
    Optional<Closeable> tryLock(Path file) throws IOException;

    /** Makes an empty file, in place of one that has its name. */
    Handle create(Path file) throws IOException;

    /** Opens an existing file. */
    Handle open(Path file) throws IOException;

    /**
     * Opens an existing file to write more behind what it holds, from any position on: a write may
     * leave zeros behind its end. Not for reading.
     */
    default Handle openAppending(Path file) throws IOException {
        return open(file);
    }

    /** Gives a file another name in the same folder; lasting after {@link #syncFolder}. */
    void rename(Path from, Path to) throws IOException;

    /** Removes a file; lasting after {@link #syncFolder}. */
    void delete(Path file) throws IOException;

    /** Makes the folder's names last: what was made, renamed and deleted in it before. */
    void syncFolder(Path folder) throws IOException;

    /** An open file. Used by one thread at a time. */
    interface Handle extends Closeable {
        long size() throws IOException;

        /** Reads up to the buffer's remaining bytes; fewer only at the file's end, maybe none. */
        void read(ByteBuffer target, long position) throws IOException;

        /** Writes all remaining bytes; they last after {@link #sync}. */
        void write(ByteBuffer source, long position) throws IOException;

        /** Returns once every byte written before stands on the disk. */
        void sync() throws IOException;
    }
}
