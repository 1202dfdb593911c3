package dev.lakemill.delta;

import io.delta.kernel.defaults.engine.fileio.FileIO;
import io.delta.kernel.defaults.engine.fileio.InputFile;
import io.delta.kernel.defaults.engine.fileio.OutputFile;
import io.delta.kernel.defaults.engine.fileio.PositionOutputStream;
import io.delta.kernel.defaults.engine.fileio.SeekableInputStream;
import io.delta.kernel.utils.CloseableIterator;
import io.delta.kernel.utils.FileStatus;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's files on a {@link Disk}. Every write is whole or absent: a temporary file is written
 * and synced, then linked (put if absent) or renamed (replace) to its name, then the folder is
 * synced.
 */
final class KernelFiles implements FileIO {
    /** Starts the name of every temporary file, so that vacuum knows ours. */
    static final String TEMPORARY_PREFIX = ".lakemill-";

    private static final Logger LOG = LoggerFactory.getLogger(KernelFiles.class);

    private final Disk disk;

    KernelFiles(Disk disk) {
        this.disk = disk;
    }

    /** The path of a kernel's file name, which may be a plain path or a file: URI. */
    static Path path(String name) {
        return name.startsWith("file:") ? Path.of(URI.create(name)) : Path.of(name);
    }

    private static Path folder(Path file) {
        return Objects.requireNonNull(file.getParent(), "a file of a table has a folder");
    }

    @Override
    public CloseableIterator<FileStatus> listFrom(String filePath) throws IOException {
        var from = path(filePath);
        var first = from.getFileName().toString();
        var folder = folder(from);
        var names = new ArrayList<String>();
        try (var entries = Files.newDirectoryStream(folder)) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (name.compareTo(first) >= 0) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            throw notFound(folder.toString(), e);
        }
        names.sort(null);
        return new Listing(folder, names.iterator());
    }

    @Override
    public FileStatus getFileStatus(String path) throws IOException {
        return status(path(path));
    }

    private static FileStatus status(Path file) throws IOException {
        try {
            var attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return FileStatus.of(
                    file.toString(), attributes.size(), attributes.lastModifiedTime().toMillis());
        } catch (NoSuchFileException e) {
            throw notFound(file.toString(), e);
        }
    }

    @Override
    public String resolvePath(String path) {
        return path(path).toAbsolutePath().normalize().toString();
    }

    @Override
    public boolean mkdirs(String path) throws IOException {
        disk.createFolder(path(path));
        return true;
    }

    @Override
    public InputFile newInputFile(String path, long fileSize) {
        return new Input(path(path));
    }

    @Override
    public OutputFile newOutputFile(String path) {
        return new LogOutput(path(path));
    }

    @Override
    public boolean delete(String path) throws IOException {
        return disk.delete(path(path));
    }

    @Override
    public Optional<String> getConf(String key) {
        return Optional.empty();
    }

    @Override
    public void copyFileAtomically(String source, String destination, boolean overwrite)
            throws IOException {
        put(
                path(destination),
                overwrite,
                output -> {
                    try (var input = Files.newInputStream(path(source))) {
                        input.transferTo(output);
                    }
                });
    }

    /** Writes a file's content. */
    @FunctionalInterface
    interface Content {
        void writeTo(Disk.Output output) throws IOException;
    }

    /** Writes a whole file, or none; see the class. */
    void put(Path target, boolean overwrite, Content content) throws IOException {
        if (!overwrite && Files.exists(target)) {
            throw new FileAlreadyExistsException(target.toString());
        }
        var temporary = target.resolveSibling(TEMPORARY_PREFIX + UUID.randomUUID() + ".tmp");
        try {
            try (var output = disk.create(temporary)) {
                content.writeTo(output);
                output.sync();
            }
            if (overwrite) {
                disk.rename(temporary, target);
            } else {
                disk.link(temporary, target);
            }
        } finally {
            deleteQuietly(temporary);
        }
        disk.syncFolder(folder(target));
    }

    /** A temporary file that stays is only litter, which vacuum clears. */
    private void deleteQuietly(Path temporary) {
        try {
            disk.delete(temporary);
        } catch (IOException e) {
            LOG.warn("{} stays until the next vacuum: {}", temporary, e.toString());
        }
    }

    private static FileNotFoundException notFound(String path, NoSuchFileException cause) {
        var e = new FileNotFoundException(path);
        e.initCause(cause);
        return e;
    }

    /** Files of a folder in order of name; those that vanish meanwhile are left out. */
    private static final class Listing implements CloseableIterator<FileStatus> {
        private final Path folder;
        private final Iterator<String> names;
        private @Nullable FileStatus next;

        Listing(Path folder, Iterator<String> names) {
            this.folder = folder;
            this.names = names;
        }

        @Override
        public boolean hasNext() {
            while (next == null && names.hasNext()) {
                try {
                    next = status(folder.resolve(names.next()));
                } catch (FileNotFoundException e) {
                    next = null;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return next != null;
        }

        @Override
        public FileStatus next() {
            if (!hasNext() || next == null) {
                throw new NoSuchElementException();
            }
            var status = next;
            next = null;
            return status;
        }

        @Override
        public void close() {}
    }

    private record Input(Path file) implements InputFile {
        @Override
        public long length() throws IOException {
            return Files.size(file);
        }

        @Override
        public String path() {
            return file.toString();
        }

        @Override
        public SeekableInputStream newStream() throws IOException {
            try {
                return new ChannelInput(FileChannel.open(file));
            } catch (NoSuchFileException e) {
                throw notFound(file.toString(), e);
            }
        }
    }

    private static final class ChannelInput extends SeekableInputStream {
        private final FileChannel channel;

        ChannelInput(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return channel.read(ByteBuffer.wrap(bytes, offset, length));
        }

        @Override
        public long getPos() throws IOException {
            return channel.position();
        }

        @Override
        public void seek(long position) throws IOException {
            channel.position(position);
        }

        @Override
        public void readFully(byte[] bytes, int offset, int length) throws IOException {
            if (readNBytes(bytes, offset, length) < length) {
                throw new EOFException();
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private final class LogOutput implements OutputFile {
        private final Path target;

        LogOutput(Path target) {
            this.target = target;
        }

        @Override
        public String path() {
            return target.toString();
        }

        @Override
        public PositionOutputStream create(boolean atomicWrite) {
            throw new UnsupportedOperationException("Parquet files are written by KernelParquet");
        }

        @Override
        public void writeAtomically(CloseableIterator<String> lines, boolean overwrite)
                throws IOException {
            try (lines) {
                put(target, overwrite, output -> writeLines(lines, output));
            }
        }

        private static void writeLines(Iterator<String> lines, Disk.Output output)
                throws IOException {
            while (lines.hasNext()) {
                output.write(lines.next().getBytes(StandardCharsets.UTF_8));
                output.write('\n');
            }
        }
    }
}
