package dev.lakemill.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * A copy of a running cluster's files, made while it is written to.
 *
 * <p>Postgres documents this as making a base backup by its low-level API: between pg_backup_start
 * and pg_backup_stop files are copied in any order, whatever state each is in, and the write-ahead
 * log from the start's file to the stop's mends them. Left out is what Postgres's own pg_basebackup
 * leaves out: the log itself, what belongs to the running processes, and slots.
 *
 * @param startWal the first file of the write-ahead log that is needed
 * @param stopWal the last that is needed before the copy is whole
 * @param ended the database's clock once the copy is whole: the first moment to restore to
 */
public record BaseBackup(
        String startWal,
        String stopWal,
        Instant started,
        Instant ended,
        List<CopiedFile> files,
        List<String> folders) {
    private static final int COPY_BYTES = 1 << 20;

    /** Folders that stay, but empty. */
    private static final Set<String> EMPTIED =
            Set.of(
                    "pg_wal",
                    "pg_replslot",
                    "pg_dynshmem",
                    "pg_notify",
                    "pg_serial",
                    "pg_snapshots",
                    "pg_stat_tmp",
                    "pg_subtrans");

    private static final Set<String> LEFT_OUT =
            Set.of(
                    "postmaster.pid",
                    "postmaster.opts",
                    "backup_label",
                    "tablespace_map",
                    "recovery.signal",
                    "standby.signal",
                    "pg_internal.init",
                    "pg_control");

    /** A file of the copy, its path with slashes from the data folder. */
    public record CopiedFile(String path, long bytes, String sha256) {}

    public BaseBackup {
        files = List.copyOf(files);
        folders = List.copyOf(folders);
    }

    static BaseBackup take(Connection session, Path data, Path target, LongConsumer copied)
            throws SQLException, IOException {
        var startWal =
                text(session, "SELECT pg_walfile_name(pg_backup_start('lakemill', fast => true))");
        var started = now(session);
        var copy = new Copy(data, target, copied);
        Files.walkFileTree(data, copy);
        // Last: where recovery begins stands in the label, not in here.
        copy.file(data.resolve("global/pg_control"));
        String stopWal;
        try (var statement = session.createStatement();
                var row =
                        statement.executeQuery(
                                """
                                SELECT pg_walfile_name(lsn), labelfile
                                FROM pg_backup_stop(wait_for_archive => false)
                                """)) {
            row.next();
            stopWal = row.getString(1);
            copy.write("backup_label", row.getString(2));
        }
        return new BaseBackup(startWal, stopWal, started, now(session), copy.files, copy.folders);
    }

    private static String text(Connection session, String query) throws SQLException {
        try (var statement = session.createStatement();
                var row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    private static Instant now(Connection session) throws SQLException {
        try (var statement = session.createStatement();
                var row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getTimestamp(1).toInstant();
        }
    }

    /** Copies what it visits; what vanishes meanwhile is mended by the write-ahead log. */
    private static final class Copy extends SimpleFileVisitor<Path> {
        private final Path data;
        private final Path target;
        private final LongConsumer copied;
        private final List<CopiedFile> files = new ArrayList<>();
        private final List<String> folders = new ArrayList<>();

        Copy(Path data, Path target, LongConsumer copied) {
            this.data = data;
            this.target = target;
            this.copied = copied;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
                throws IOException {
            var path = data.relativize(folder).toString();
            var name = String.valueOf(folder.getFileName());
            if (name.startsWith("pgsql_tmp")) {
                return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(target.resolve(path));
            if (!path.isEmpty()) {
                folders.add(path);
            }
            if (!EMPTIED.contains(path)) {
                return FileVisitResult.CONTINUE;
            }
            if (path.equals("pg_wal")) {
                for (var inner : List.of("archive_status", "summaries")) {
                    folders.add(path + "/" + inner);
                }
            }
            return FileVisitResult.SKIP_SUBTREE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
            var name = String.valueOf(file.getFileName());
            if (!LEFT_OUT.contains(name) && !name.startsWith("pgsql_tmp")) {
                file(file);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
            if (failure instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
            }
            throw failure;
        }

        void file(Path file) throws IOException {
            try (var input = Files.newInputStream(file)) {
                write(data.relativize(file).toString(), input);
            } catch (NoSuchFileException e) {
                // Dropped since it was listed; so says the write-ahead log.
            }
        }

        void write(String path, String text) throws IOException {
            write(path, new java.io.ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        }

        private void write(String path, InputStream input) throws IOException {
            var digest = sha256();
            var bytes = 0L;
            var buffer = new byte[COPY_BYTES];
            try (var channel =
                            FileChannel.open(
                                    target.resolve(path),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.TRUNCATE_EXISTING,
                                    StandardOpenOption.WRITE);
                    OutputStream output = Channels.newOutputStream(channel)) {
                for (int read = input.read(buffer); read > 0; read = input.read(buffer)) {
                    output.write(buffer, 0, read);
                    digest.update(buffer, 0, read);
                    bytes += read;
                }
                channel.force(true);
            }
            files.add(new CopiedFile(path, bytes, HexFormat.of().formatHex(digest.digest())));
            copied.accept(bytes);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
