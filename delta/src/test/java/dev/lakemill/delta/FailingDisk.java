package dev.lakemill.delta;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A disk that fails at will: when its space is used up, or at operations that a test picks. What it
 * wrote before stays, as on a real disk.
 */
final class FailingDisk implements Disk {
    /** Picks operations to fail. */
    @FunctionalInterface
    interface Fault {
        /** The failure of this operation on this file, or null. */
        @Nullable IOException of(String operation, Path file);
    }

    static final Fault NONE = (operation, file) -> null;

    /** Every so many bytes are one operation that can fail. */
    private static final int PIECE_BYTES = 1024;

    private final Disk disk = new LocalDisk();
    Fault fault = NONE;
    long freeBytes = Long.MAX_VALUE;

    static IOException full() {
        return new IOException("No space left on device");
    }

    private void check(String operation, Path file) throws IOException {
        var failure = fault.of(operation, file);
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public Output create(Path file) throws IOException {
        check("create", file);
        var output = disk.create(file);
        return new Output() {
            private long counted;

            @Override
            public void write(int b) throws IOException {
                use(1);
                output.write(b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                use(length);
                output.write(bytes, offset, length);
            }

            private void use(int bytes) throws IOException {
                if (counted / PIECE_BYTES != (counted + bytes) / PIECE_BYTES) {
                    check("write", file);
                }
                if (freeBytes < bytes) {
                    throw full();
                }
                freeBytes -= bytes;
                counted += bytes;
            }

            @Override
            long position() {
                return counted;
            }

            @Override
            void sync() throws IOException {
                check("sync", file);
                output.sync();
            }

            @Override
            public void close() throws IOException {
                output.close();
            }
        };
    }

    @Override
    public void link(Path file, Path name) throws IOException {
        check("link", name);
        disk.link(file, name);
    }

    @Override
    public void rename(Path file, Path name) throws IOException {
        check("rename", name);
        disk.rename(file, name);
    }

    @Override
    public boolean delete(Path file) throws IOException {
        check("delete", file);
        return disk.delete(file);
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        check("createFolder", folder);
        disk.createFolder(folder);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        check("syncFolder", folder);
        disk.syncFolder(folder);
    }
}
