package dev.lakemill.postgres;

import com.sun.security.auth.module.UnixSystem;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whom Postgres runs as, and how its programs are started.
 *
 * <p>Postgres refuses to run as root. Where we are root, {@code setpriv} switches to another user.
 * Where that user cannot reach the data folder (it lies below /root, say), {@code unshare} maps
 * root to that user inside a user namespace: Postgres then believes to be that user, and the files
 * stay root's. Where we are not root, Postgres runs as ourselves.
 *
 * <p>In all three, {@code setsid} keeps the terminal's Ctrl-C from Postgres (we stop it last, after
 * draining), and the death signal stops it when the thread that started it ends, also by kill -9.
 */
final class RunAs {
    private static final Logger LOG = LoggerFactory.getLogger(RunAs.class);

    private final List<String> prefix;
    private final @Nullable String fileOwner;
    private final String peerName;

    private RunAs(List<String> prefix, @Nullable String fileOwner, String peerName) {
        this.prefix = List.copyOf(prefix);
        this.fileOwner = fileOwner;
        this.peerName = peerName;
    }

    /** Chooses for a data folder, which exists. */
    static RunAs choose(String systemUser, Path folder) {
        var us = new UnixSystem();
        return us.getUid() == 0 ? another(systemUser, folder) : ourselves(us.getUsername());
    }

    private static RunAs ourselves(String name) {
        var prefix = List.of("setsid", "setpriv", "--pdeathsig", "INT", "--");
        return new RunAs(succeeds(prefix, "true") ? prefix : List.of(), null, name);
    }

    private static RunAs another(String systemUser, Path folder) {
        var name = nameOf(systemUser);
        var uid = id("-u", name);
        var gid = id("-g", name);
        var switched =
                List.of(
                        "setsid",
                        "setpriv",
                        "--reuid=" + uid,
                        "--regid=" + gid,
                        "--clear-groups",
                        "--pdeathsig",
                        "INT",
                        "--");
        if (succeeds(switched, "test", "-x", folder.toString())) {
            return new RunAs(switched, name, "root");
        }
        var mapped = new ArrayList<>(List.of("setsid", "unshare", "--user"));
        mapped.addAll(List.of("--map-user=" + uid, "--map-group=" + gid, "--"));
        mapped.addAll(List.of("setpriv", "--pdeathsig", "INT", "--"));
        if (succeeds(mapped, "test", "-x", folder.toString())) {
            LOG.info("user {} cannot enter {}: running Postgres in a user namespace", name, folder);
            return new RunAs(mapped, "root", name);
        }
        throw unreachable(name, switched, folder);
    }

    private static LakemillException unreachable(String name, List<String> switched, Path folder) {
        if (!succeeds(switched, "true")) {
            return new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "Postgres does not run as root, and setpriv cannot switch to user " + name,
                    "install util-linux, or run Lakemill as another user, or set postgres.url");
        }
        var closed = folder;
        for (var up = folder; up != null; up = up.getParent()) {
            closed = succeeds(switched, "test", "-x", up.toString()) ? closed : up;
        }
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "Postgres does not run as root, and user %s cannot reach %s: %s is closed to it"
                        .formatted(name, folder, closed),
                "move the data folder to where others may enter, or run chmod o+x " + closed);
    }

    /** The full command line of a program of Postgres. */
    List<String> command(List<String> program) {
        var command = new ArrayList<>(prefix);
        command.addAll(program);
        return command;
    }

    /** The name by which Postgres's peer authentication knows this process. */
    String peerName() {
        return peerName;
    }

    /** Gives a folder and all that is in it to the user, unless it is his already. */
    void own(Path folder) throws IOException {
        if (fileOwner == null || Files.getOwner(folder).getName().equals(fileOwner)) {
            return;
        }
        var users = folder.getFileSystem().getUserPrincipalLookupService();
        var user = users.lookupPrincipalByName(fileOwner);
        List<Path> paths;
        try (var walk = Files.walk(folder)) {
            paths = new ArrayList<>(walk.toList());
        }
        // The folder itself last: its owner says that the work is done.
        for (var path : paths.reversed()) {
            Files.getFileAttributeView(
                            path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .setOwner(user);
        }
    }

    /** The usual user may be missing where Postgres was never installed; nobody is everywhere. */
    private static String nameOf(String systemUser) {
        var usual = systemUser.isEmpty() || systemUser.equals("postgres");
        if (!usual) {
            return systemUser;
        }
        return succeeds(List.of(), "id", "-u", "postgres") ? "postgres" : "nobody";
    }

    private static String id(String flag, String name) {
        try {
            var process = new ProcessBuilder("id", flag, name).redirectErrorStream(true).start();
            var answer =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() == 0) {
                return answer.strip();
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot run id", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "there is no user '%s' to run Postgres as".formatted(name),
                "set postgres.user to an existing user other than root");
    }

    private static boolean succeeds(List<String> prefix, String... program) {
        var command = new ArrayList<>(prefix);
        command.addAll(List.of(program));
        try {
            return new ProcessBuilder(command)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
