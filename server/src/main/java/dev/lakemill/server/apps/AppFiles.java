package dev.lakemill.server.apps;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The folder {@code apps} of the data folder. An app has {@code versions/1}, {@code versions/2}, …
 * that never change, {@code home} that it may write to, and {@code log}.
 *
 * <p>A version is unpacked beside, made durable, and renamed: it is there whole, or not at all.
 */
final class AppFiles {
    private static final Set<PosixFilePermission> OTHERS =
            Set.of(
                    PosixFilePermission.OTHERS_READ,
                    PosixFilePermission.OTHERS_WRITE,
                    PosixFilePermission.OTHERS_EXECUTE);

    private static final Set<PosixFilePermission> READ_WRITE =
            Set.of(PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

    private static final String UNFINISHED = ".unfinished";

    private final Path data;
    private final Path root;

    private AppFiles(Path data) {
        this.data = data;
        this.root = data.resolve("apps");
    }

    static AppFiles open(Path data) {
        var files = new AppFiles(data);
        try {
            Files.createDirectories(files.root);
            Files.setPosixFilePermissions(files.root, PosixFilePermissions.fromString("rwx--x--x"));
            files.endPackages();
            remove(files.uploads());
            Files.createDirectories(files.uploads());
            Files.setPosixFilePermissions(
                    files.uploads(), PosixFilePermissions.fromString("rwx------"));
            return files;
        } catch (IOException e) {
            throw Problems.disk("cannot make " + files.root, e);
        }
    }

    /** Node takes the kind of an app's modules from the nearest package.json: never from ours. */
    private void endPackages() throws IOException {
        var end = root.resolve("package.json");
        Files.writeString(end, "{}\n");
        Files.setPosixFilePermissions(end, PosixFilePermissions.fromString("rw-r--r--"));
    }

    /**
     * Where apps have users of their own, what else is in the data folder is closed to them: tables
     * are read by grants alone.
     */
    void closeTheRest() {
        if (!AppUser.separate()) {
            return;
        }
        try (var children = Files.newDirectoryStream(data)) {
            for (var child : children) {
                var name = String.valueOf(child.getFileName());
                if (!name.equals("apps")) {
                    // Postgres may run as another user, who has to get to its folder.
                    close(child, name.equals("postgres") ? READ_WRITE : OTHERS);
                }
            }
        } catch (IOException e) {
            throw Problems.disk("cannot close " + data + " to apps", e);
        }
    }

    private static void close(Path child, Set<PosixFilePermission> taken) throws IOException {
        try {
            var now = Files.getPosixFilePermissions(child, LinkOption.NOFOLLOW_LINKS);
            if (!Files.isSymbolicLink(child) && now.removeAll(taken)) {
                Files.setPosixFilePermissions(child, now);
            }
        } catch (NoSuchFileException _) {
            // A file that was there for a moment.
        }
    }

    private Path uploads() {
        return root.resolve(".uploads");
    }

    /** A file for an upload; the caller deletes it, and a start what a crash left. */
    Path upload() {
        return uploads().resolve(UUID.randomUUID() + ".upload");
    }

    Path folder(UUID app) {
        return root.resolve(app.toString());
    }

    Path version(UUID app, int number) {
        return folder(app).resolve("versions").resolve(Integer.toString(number));
    }

    Path home(UUID app) {
        return folder(app).resolve("home");
    }

    Path log(UUID app) {
        return folder(app).resolve("log");
    }

    /** Makes the app's folders; the version is unpacked into the folder that this returns. */
    Path unfinished(UUID app, AppUser user) {
        try {
            var folder = folder(app).resolve("versions").resolve(UNFINISHED);
            remove(folder);
            Files.createDirectories(folder);
            openFolders(app);
            user.home(home(app));
            return folder;
        } catch (IOException e) {
            throw Problems.disk("cannot make the app's folder", e);
        }
    }

    private void openFolders(UUID app) throws IOException {
        for (var open : new Path[] {folder(app), folder(app).resolve("versions")}) {
            Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwx--x--x"));
        }
        Files.createDirectories(log(app));
        Files.setPosixFilePermissions(log(app), PosixFilePermissions.fromString("rwx------"));
    }

    /** Gives files back to their app's user that came out of a backup, which knows no users. */
    void settle(UUID app, AppUser user) {
        var versions = folder(app).resolve("versions");
        if (!Files.isDirectory(versions)) {
            return;
        }
        try (var all = Files.newDirectoryStream(versions)) {
            openFolders(app);
            for (var version : all) {
                if (!version.endsWith(UNFINISHED) && !user.isSealed(version)) {
                    user.seal(version);
                }
            }
            user.takeHome(home(app));
        } catch (IOException e) {
            throw Problems.disk("cannot give the app its files", e);
        }
    }

    /** Makes the unpacked files a version, for good. */
    void seal(Path unfinished, UUID app, int number, AppUser user) {
        try {
            user.seal(unfinished);
            sync(unfinished);
            remove(version(app, number));
            Files.move(unfinished, version(app, number), StandardCopyOption.ATOMIC_MOVE);
            force(folder(app).resolve("versions"));
        } catch (IOException e) {
            throw Problems.disk("cannot keep the version", e);
        }
    }

    private static void sync(Path folder) throws IOException {
        try (var walk = Files.walk(folder)) {
            for (var path : walk.toList()) {
                force(path);
            }
        }
    }

    private static void force(Path path) throws IOException {
        try (var channel = FileChannel.open(path)) {
            channel.force(true);
        }
    }

    void removeVersion(UUID app, int number) {
        removeQuietly(version(app, number));
    }

    void remove(UUID app) {
        removeQuietly(folder(app));
    }

    /** Removes; what cannot be removed stays, and is told. */
    static void removeQuietly(Path path) {
        try {
            remove(path);
        } catch (IOException e) {
            throw Problems.disk("cannot remove " + path, e);
        }
    }

    private static void remove(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(
                path,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes of)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path each, @Nullable IOException failure) throws IOException {
                        Files.deleteIfExists(each);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
