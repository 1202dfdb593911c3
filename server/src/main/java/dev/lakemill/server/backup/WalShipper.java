package dev.lakemill.server.backup;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes files of Postgres's write-ahead log from where Postgres puts them into the backup folder,
 * packed. A file leaves the first place when it is on the disk in the second.
 *
 * <p>When the backup folder cannot be written, files wait, up to a limit; beyond it they are
 * dropped, because a node that goes on serves better than one with a full disk. Then a part of the
 * past cannot be restored, which is said, and a new base backup is needed.
 */
final class WalShipper {
    private static final Logger log = LoggerFactory.getLogger(WalShipper.class);

    private final Path from;
    private final BackupFolder backups;
    private final long waitingBytesMax;
    private volatile String problem = "";

    WalShipper(Path from, BackupFolder backups, long waitingBytesMax) {
        this.from = from;
        this.backups = backups;
        this.waitingBytesMax = waitingBytesMax;
    }

    /** What is wrong; empty when nothing is. */
    String problem() {
        return problem;
    }

    /** Ships all that is there; what fails is said, and tried again at the next call. */
    void ship() {
        try {
            for (var file : waiting()) {
                ship(file);
            }
            problem = "";
        } catch (IOException | UncheckedIOException e) {
            if (problem.isEmpty()) {
                log.error("Postgres's write-ahead log does not get into {}", backups.root(), e);
            }
            problem = "Postgres's write-ahead log does not get into the backup folder: " + e;
            dropBeyondLimit();
        }
    }

    private List<Path> waiting() throws IOException {
        try (var files = Files.list(from)) {
            return files.filter(file -> !Durable.isPart(file)).sorted().toList();
        }
    }

    private void ship(Path file) throws IOException {
        var name = String.valueOf(file.getFileName());
        var target = backups.wal().resolve(name + ".gz");
        if (Files.exists(target)) {
            if (!isSame(file, target)) {
                throw new IOException(target + " is there with another content");
            }
        } else {
            pack(file, target);
        }
        Files.delete(file);
    }

    private static void pack(Path file, Path target) throws IOException {
        var part = target.resolveSibling(target.getFileName() + ".part");
        try (var channel =
                FileChannel.open(
                        part,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            var packed = new GZIPOutputStream(Channels.newOutputStream(channel), 1 << 16);
            Files.copy(file, packed);
            packed.finish();
            channel.force(true);
        }
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        Durable.sync(Durable.folderOf(target));
    }

    private static boolean isSame(Path file, Path packed) throws IOException {
        try (var one = new BufferedInputStream(Files.newInputStream(file));
                var other = unpacked(packed)) {
            for (int read = one.read(); read >= 0; read = one.read()) {
                if (read != other.read()) {
                    return false;
                }
            }
            return other.read() < 0;
        }
    }

    static InputStream unpacked(Path packed) throws IOException {
        return new BufferedInputStream(new GZIPInputStream(Files.newInputStream(packed), 1 << 16));
    }

    private void dropBeyondLimit() {
        try {
            var files = waiting();
            long bytes = 0;
            for (var file : files) {
                bytes += Files.size(file);
            }
            if (bytes <= waitingBytesMax) {
                return;
            }
            log.error(
                    "{} MB of Postgres's write-ahead log wait for {}: they are dropped, and nothing"
                            + " since the last mark can be restored until there is a new base"
                            + " backup",
                    bytes >> 20,
                    backups.root());
            for (var file : files) {
                Files.delete(file);
            }
        } catch (IOException e) {
            log.error("{} cannot be looked at", from, e);
        }
    }
}
