package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right of this process alone to a data folder.
 *
 * <p>An operating system lock on a file that names its holder: it ends with the process, however
 * that ends. Such a lock belongs to the whole process and is lost when any channel to the file is
 * closed, so a set of the folders held here answers a second try of the same process first.
 */
final class FolderLock implements AutoCloseable {
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** FAILED_PRECONDITION when another Lakemill, or this one, has the folder. */
    static FolderLock acquire(Path folder) throws IOException {
        var real = folder.toRealPath();
        if (!HELD.add(real)) {
            throw taken(folder, Long.toString(ProcessHandle.current().pid()));
        }
        try {
            return new FolderLock(real, lock(folder));
        } catch (IOException | RuntimeException e) {
            HELD.remove(real);
            throw e;
        }
    }

    private static FileChannel lock(Path folder) throws IOException {
        var file = folder.resolve("lock");
        var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() == null) {
                throw taken(folder, Files.readString(file).strip());
            }
            var pid = Long.toString(ProcessHandle.current().pid()) + "\n";
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static LakemillException taken(Path folder, String pid) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "a second owner: the Postgres folder %s is in use by the Lakemill process %s"
                        .formatted(folder, pid),
                "stop that process, or give this one a data folder of its own");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new IllegalStateException("cannot close the lock of " + folder, e);
        } finally {
            HELD.remove(folder);
        }
    }
}
