package dev.lakemill.wal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's files.
 *
 * <p>A POSIX lock belongs to the process and falls when any descriptor of its file is closed. So
 * the files locked by this process are kept in a set, and a locked one is never opened again.
 */
final class RealDisk implements Disk {
    private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

    @Override
    public void createFolder(Path folder) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        Path above = folder.toAbsolutePath().normalize();
        for (; above != null && Files.notExists(above); above = above.getParent()) {
            missing.push(above);
        }
        Files.createDirectories(folder);
        for (Path made : missing) {
            Path parent = made.getParent();
            if (parent != null) {
                syncFolder(parent);
            }
        }
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Override
    public Optional<Closeable> tryLock(Path file) throws IOException {
        Path parent = Objects.requireNonNull(file.toAbsolutePath().getParent(), "no folder");
        Path key = parent.toRealPath().resolve(file.getFileName());
        if (!LOCKED.add(key)) {
            return Optional.empty();
        }
        Closeable lock = null;
        try {
            lock = lockFile(file, key);
            return Optional.ofNullable(lock);
        } finally {
            if (lock == null) {
                LOCKED.remove(key);
            }
        }
    }

    private static @Nullable Closeable lockFile(Path file, Path key) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        return lock == null ? null : () -> unlock(channel, key);
    }

    private static void unlock(FileChannel channel, Path key) throws IOException {
        channel.close();
        LOCKED.remove(key);
    }

    @Override
    public Handle create(Path file) throws IOException {
        return new RealHandle(
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    @Override
    public Handle open(Path file) throws IOException {
        return new RealHandle(
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    @Override
    public Handle openAppending(Path file) throws IOException {
        Optional<Handle> direct = DirectFile.open(file);
        return direct.isPresent() ? direct.get() : open(file);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(Path file) throws IOException {
        Files.delete(file);
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private record RealHandle(FileChannel channel) implements Handle {
        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void read(ByteBuffer target, long position) throws IOException {
            long at = position;
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    return;
                }
                at += count;
            }
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            long at = position;
            while (source.hasRemaining()) {
                at += channel.write(source, at);
            }
        }

        @Override
        public void sync() throws IOException {
            channel.force(false);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
