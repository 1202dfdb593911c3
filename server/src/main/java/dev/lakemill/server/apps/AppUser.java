package dev.lakemill.server.apps;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whom the processes of one app run as.
 *
 * <p>Where the node is root, each app has a system user of its own, by number: it reads its own
 * version, writes its own home, and neither reads the memory or environment of another app nor the
 * node's data. Where the node is not root, apps run as the node does, and nothing but the proxy
 * keeps them apart.
 */
final class AppUser {
    private static final boolean ROOT = new UnixSystem().getUid() == 0;

    private final @Nullable Integer uid;

    private AppUser(@Nullable Integer uid) {
        this.uid = uid;
    }

    static AppUser of(int uid) {
        return new AppUser(ROOT ? uid : null);
    }

    static boolean separate() {
        return ROOT;
    }

    /** Its number, of its processes and sockets. */
    long number() {
        return uid == null ? new UnixSystem().getUid() : uid;
    }

    /**
     * The whole command line: a session of its own, no way back to more rights, an end with the
     * thread that started it, and limits.
     */
    List<String> command(AppManifest.Limits limits, List<String> program) {
        var all = new ArrayList<>(List.of("setsid", "setpriv"));
        if (uid != null) {
            all.addAll(List.of("--reuid=" + uid, "--regid=" + uid, "--clear-groups"));
        }
        all.addAll(List.of("--no-new-privs", "--pdeathsig", "KILL", "--", "prlimit"));
        var dataBytes = (2L * limits.memoryMbMax() + 512) << 20;
        all.add("--data=" + dataBytes);
        all.add("--fsize=" + ((long) limits.fileMbMax() << 20));
        all.add("--nofile=" + limits.filesMax());
        all.add("--core=0");
        if (uid != null) {
            all.add("--nproc=1024");
        }
        all.add("--");
        all.addAll(program);
        return all;
    }

    /** Nobody changes the files any more, and only the app and the node read them. */
    void seal(Path folder) throws IOException {
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes of)
                            throws IOException {
                        own(file, Files.isExecutable(file) ? "r-xr-x---" : "r--r-----", true);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path each, @Nullable IOException failure) throws IOException {
                        own(each, "rwxr-x---", true);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    /** Whether a folder was sealed: the folder itself is so last of all. */
    boolean isSealed(Path folder) throws IOException {
        return is(folder, "rwxr-x---", "unix:gid");
    }

    /** Gives the app what was written in its home before, as by a restore. */
    void takeHome(Path folder) throws IOException {
        if (!Files.isDirectory(folder) || is(folder, "rwx------", "unix:uid")) {
            home(folder);
            return;
        }
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes of)
                            throws IOException {
                        if (of.isRegularFile()) {
                            var executable = Files.isExecutable(file);
                            own(file, executable ? "rwx------" : "rw-------", false);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path each, @Nullable IOException failure) throws IOException {
                        own(each, "rwx------", false);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    private boolean is(Path folder, String mode, String owner) throws IOException {
        return Files.getPosixFilePermissions(folder).equals(PosixFilePermissions.fromString(mode))
                && (uid == null || uid.equals(Files.getAttribute(folder, owner)));
    }

    /** Makes a folder that the app may write to. */
    void home(Path folder) throws IOException {
        Files.createDirectories(folder);
        own(folder, "rwx------", false);
    }

    private void own(Path path, String mode, boolean groupAlone) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
        if (uid != null) {
            Files.setAttribute(path, "unix:gid", uid, LinkOption.NOFOLLOW_LINKS);
            if (!groupAlone) {
                Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
            }
        }
    }
}
