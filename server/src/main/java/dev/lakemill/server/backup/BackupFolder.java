package dev.lakemill.server.backup;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;

/**
 * Where backups stand. Whatever has its name is whole; files are only ever added, and pruned.
 *
 * <pre>
 * cluster.json                 whose backups these are
 * bases/ID/manifest.json       a base backup of Postgres, written last; its files below data/
 * wal/NAME.gz                  Postgres's write-ahead log
 * marks/ID.json                a {@link Mark}
 * lake/PATH/TABLE/             a Delta table's files; index.jsonl tells each one's checksum
 * files/SHA256                 the content of other files
 * log/SEGMENT-SALT             the beginning of a segment of the node's log
 * </pre>
 *
 * <p>Mode 0700: what is in here is everything there is, secrets among it.
 */
record BackupFolder(Path root) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Whose backups these are. */
    record Cluster(String systemIdentifier) {}

    Path base(String id) {
        return root.resolve("bases").resolve(id);
    }

    Path wal() {
        return root.resolve("wal");
    }

    Path lake() {
        return root.resolve("lake");
    }

    Path files() {
        return root.resolve("files");
    }

    Path log() {
        return root.resolve("log");
    }

    Path marksFolder() {
        return root.resolve("marks");
    }

    /**
     * Makes the folder where it is missing.
     *
     * @throws LakemillException FAILED_PRECONDITION when it is another database's, or cannot be
     *     written
     */
    void claim(String systemIdentifier) {
        try {
            Files.createDirectories(root);
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
            for (var folder : List.of(wal(), lake(), files(), log(), marksFolder())) {
                Files.createDirectories(folder);
            }
            var file = root.resolve("cluster.json");
            if (!Files.exists(file)) {
                write(file, new Cluster(systemIdentifier));
            }
            var owner = JSON.readValue(file.toFile(), Cluster.class).systemIdentifier();
            if (!owner.equals(systemIdentifier)) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "%s holds backups of another node's database (%s)".formatted(root, owner),
                        "set backup.folder to a folder of this node's own");
            }
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the backup folder %s cannot be written: %s".formatted(root, e),
                    "make it writable, or set backup.folder to another folder",
                    e);
        }
    }

    static void write(Path file, Object content) throws IOException {
        Durable.write(new ByteArrayInputStream(JSON.writeValueAsBytes(content)), file);
    }

    /** Keeps a file's content by its hash, however large it is. */
    Mark.SmallFile keep(Path data, Path file) throws IOException {
        var incoming = files().resolve("incoming");
        var written = Durable.copy(file, incoming);
        var kept = files().resolve(written.sha256());
        if (Files.exists(kept)) {
            Files.delete(incoming);
        } else {
            Files.move(incoming, kept, StandardCopyOption.ATOMIC_MOVE);
            Durable.sync(files());
        }
        return new Mark.SmallFile(
                data.relativize(file).toString(),
                written.sha256(),
                written.bytes(),
                Files.isExecutable(file));
    }

    /** Oldest first. */
    List<Mark> marks() throws IOException {
        var folder = marksFolder();
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".json"))
                    .map(file -> read(file, Mark.class))
                    .sorted(Comparator.comparing(Mark::at))
                    .toList();
        }
    }

    void add(Mark mark) throws IOException {
        write(marksFolder().resolve(mark.id() + ".json"), mark);
    }

    /** Whole ones, oldest first. */
    List<Base> bases() throws IOException {
        var folder = root.resolve("bases");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var bases = Files.list(folder)) {
            return bases.map(base -> base.resolve("manifest.json"))
                    .filter(Files::exists)
                    .map(file -> read(file, Base.class))
                    .sorted(Comparator.comparing(Base::endedAt))
                    .toList();
        }
    }

    /** Folders of base backups that did not come to their end. */
    List<Path> halfBases() throws IOException {
        var folder = root.resolve("bases");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var bases = Files.list(folder)) {
            return bases.filter(base -> !Files.exists(base.resolve("manifest.json"))).toList();
        }
    }

    /** Names of files of Postgres's log, without their ending, in order. */
    List<String> walFiles() throws IOException {
        if (!Files.isDirectory(wal())) {
            return List.of();
        }
        try (var files = Files.list(wal())) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(".gz"))
                    .map(name -> name.substring(0, name.length() - ".gz".length()))
                    .sorted()
                    .toList();
        }
    }

    private static <T> T read(Path file, Class<T> type) {
        try {
            return JSON.readValue(file.toFile(), type);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }
}
