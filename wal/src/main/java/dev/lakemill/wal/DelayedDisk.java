package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A disk each of whose syncs of a file has to wait first: a slow one, or one that stalls. For
 * benches and tests.
 */
public record DelayedDisk(Disk disk, Delay delay) implements Disk {
    /** Waits; a sync whose wait fails, fails. */
    @FunctionalInterface
    public interface Delay {
        void await() throws IOException;
    }

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
        return new DelayedHandle(disk.create(file), delay);
    }

    @Override
    public Handle open(Path file) throws IOException {
        return new DelayedHandle(disk.open(file), delay);
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

    private record DelayedHandle(Handle handle, Delay delay) implements Handle {
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
            delay.await();
            handle.sync();
        }

        @Override
        public void close() throws IOException {
            handle.close();
        }
    }
}
