package dev.lakemill.bench;

import dev.lakemill.wal.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The machine's disk, each sync of a file taking longer.
 *
 * @param delay how much longer
 */
record SlowDisk(Disk disk, Duration delay) implements Disk {
    @Override
    public void createFolder(Path folder) throws IOException {
        disk.createFolder(folder);
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        return disk.list(folder);
    }

    @Override
    public Optional<Closeable> tryLock(Path file) throws IOException {
        return disk.tryLock(file);
    }

    @Override
    public Handle create(Path file) throws IOException {
        return new SlowHandle(disk.create(file), delay);
    }

    @Override
    public Handle open(Path file) throws IOException {
        return new SlowHandle(disk.open(file), delay);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        disk.rename(from, to);
    }

    @Override
    public void delete(Path file) throws IOException {
        disk.delete(file);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        disk.syncFolder(folder);
    }

    private record SlowHandle(Handle handle, Duration delay) implements Handle {
        @Override
        public long size() throws IOException {
            return handle.size();
        }

        @Override
        public void read(ByteBuffer target, long position) throws IOException {
            handle.read(target, position);
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            handle.write(source, position);
        }

        @Override
        public void sync() throws IOException {
            handle.sync();
            try {
                Thread.sleep(delay);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while the disk synced");
            }
        }

        @Override
        public void close() throws IOException {
            handle.close();
        }
    }
}
