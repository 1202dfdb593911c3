package dev.lakemill.ingest;

import dev.lakemill.wal.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A disk that syncs only while its gate is open: nothing becomes durable meanwhile. */
final class GatedDisk implements Disk {
    private final Disk real = Disk.real();
    private boolean open = true;

    synchronized void open(boolean nowOpen) {
        open = nowOpen;
        notifyAll();
    }

    private synchronized void pass() throws IOException {
        try {
            while (!open) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        real.createFolder(folder);
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        return real.list(folder);
    }

    @Override
    public Optional<Closeable> tryLock(Path file) throws IOException {
        return real.tryLock(file);
    }

    @Override
    public Handle create(Path file) throws IOException {
        return new GatedHandle(real.create(file));
    }

    @Override
    public Handle open(Path file) throws IOException {
        return new GatedHandle(real.open(file));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        real.rename(from, to);
    }

    @Override
    public void delete(Path file) throws IOException {
        real.delete(file);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        real.syncFolder(folder);
    }

    private final class GatedHandle implements Handle {
        private final Handle handle;

        GatedHandle(Handle handle) {
            this.handle = handle;
        }

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
            pass();
            handle.sync();
        }

        @Override
        public void close() throws IOException {
            handle.close();
        }
    }
}
