package dev.lakemill.server.backup;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/** Files that are whole and on the disk once they have their name. */
final class Durable {
    private static final String PART = ".part";

    private Durable() {}

    /** What was written. */
    record Written(long bytes, String sha256) {}

    static boolean isPart(Path file) {
        return file.toString().endsWith(PART);
    }

    static Written copy(Path from, Path to) throws IOException {
        try (var input = Files.newInputStream(from)) {
            return write(input, to);
        }
    }

    /** In place of what has the name. */
    static Written write(InputStream content, Path to) throws IOException {
        var folder = folderOf(to);
        Files.createDirectories(folder);
        var part = folder.resolve(to.getFileName() + PART);
        var digest = sha256();
        long bytes;
        try (var channel =
                FileChannel.open(
                        part,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            bytes =
                    new DigestInputStream(content, digest)
                            .transferTo(Channels.newOutputStream(channel));
            channel.force(true);
        }
        Files.move(part, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        sync(folder);
        return new Written(bytes, HexFormat.of().formatHex(digest.digest()));
    }

    /** The folder that a file is in. */
    static Path folderOf(Path file) {
        return Objects.requireNonNull(file.toAbsolutePath().getParent(), "the root is no file");
    }

    /** Makes the names in a folder last. */
    static void sync(Path folder) throws IOException {
        try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    static String sha256(Path file) throws IOException {
        try (var input = new DigestInputStream(Files.newInputStream(file), sha256())) {
            input.transferTo(java.io.OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(input.getMessageDigest().digest());
        }
    }

    static String sha256(byte[] content) {
        return HexFormat.of().formatHex(sha256().digest(content));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
