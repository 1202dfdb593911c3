package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** One process owns a data folder; the operating system lets go of it when the process ends. */
final class NodeLock implements AutoCloseable {
    private final FileChannel channel;

    private NodeLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Makes the folder where it is missing, and takes it.
     *
     * @throws LakemillException FAILED_PRECONDITION when another process has it; UNAVAILABLE when
     *     it cannot be written
     */
    static NodeLock take(Path data) {
        try {
            Files.createDirectories(data);
            var channel =
                    FileChannel.open(
                            data.resolve("node.lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
            var lock = tryLock(channel);
            if (lock == null) {
                var owner = owner(channel);
                channel.close();
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "another node%s owns the data folder %s".formatted(owner, data),
                        "stop it, or set 'data' (LAKEMILL_DATA) to a folder of your own");
            }
            channel.truncate(0);
            channel.write(bytes(String.valueOf(ProcessHandle.current().pid())), 0);
            return new NodeLock(channel);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot write to the data folder %s (%s)".formatted(data, e),
                    "make it writable, or set 'data' (LAKEMILL_DATA) to another folder",
                    e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (java.nio.channels.OverlappingFileLockException e) {
            return null;
        }
    }

    /** The process id that the owner wrote, as a part of a sentence; empty when unknown. */
    private static String owner(FileChannel channel) throws IOException {
        var text = ByteBuffer.allocate(20);
        channel.read(text, 0);
        var pid = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII);
        return pid.isEmpty() ? "" : " (process " + pid + ")";
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }
}
