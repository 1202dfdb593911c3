package dev.lakemill.pipeline;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Files of this machine. A replacement is a new file, synced, then renamed over the old one. */
final class LocalDisk implements Disk {
    @Override
    public byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException _) {
            return new byte[0];
        }
    }

    @Override
    public void append(Path file, long offset, byte[] bytes) throws IOException {
        try (var channel = FileChannel.open(file, WRITE, CREATE)) {
            channel.truncate(offset);
            channel.position(offset);
            write(channel, bytes);
        }
    }

    @Override
    public void replace(Path file, byte[] bytes) throws IOException {
        var folder = Files.createDirectories(file.toAbsolutePath().getParent());
        var fresh = folder.resolve(file.getFileName() + ".new");
        try (var channel = FileChannel.open(fresh, WRITE, CREATE, TRUNCATE_EXISTING)) {
            write(channel, bytes);
        }
        put(fresh, file, folder);
    }

    /** Puts a synced file in the place of another of its folder; durable on return. */
    static void put(Path fresh, Path file, Path folder) throws IOException {
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        sync(folder);
    }

    @Override
    public void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void write(FileChannel channel, byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        channel.force(false);
    }

    /** Makes the names in a folder durable. */
    private static void sync(Path folder) throws IOException {
        try (var channel = FileChannel.open(folder, READ)) {
            channel.force(true);
        }
    }
}
