package dev.lakemill.server.apps;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Processes of apps, as the kernel tells of them. */
final class AppProcesses {
    /** Stands in the environment of each process of an app, with its home. */
    static final String MARK = "LAKEMILL_APP_HOME";

    /** Stands there as well, with what one start of a version alone has. */
    static final String RUN_MARK = "LAKEMILL_APP_RUN";

    private static final Path PROC = Path.of("/proc");
    private static final long PAGE_BYTES = 4_096;
    private static final int SESSION_FIELD = 3;

    private AppProcesses() {}

    /** Sends a signal to a process group; one that is gone is no error. */
    static void signal(long group, String name) {
        try {
            new ProcessBuilder("sh", "-c", "kill -s %s -- -%d".formatted(name, group))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException _) {
            // Without a shell there was no app either.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Kills whatever has the mark and still lives, such as what left its session. */
    static int killAll(String mark, String value) {
        var text = mark + "=" + value;
        var own = ProcessHandle.current().pid();
        var killed = 0;
        for (var process : ProcessHandle.allProcesses().toList()) {
            if (process.pid() != own && bears(process, text)) {
                killed += process.destroyForcibly() ? 1 : 0;
            }
        }
        return killed;
    }

    private static boolean bears(ProcessHandle process, String mark) {
        try {
            var file = PROC.resolve(Long.toString(process.pid())).resolve("environ");
            var text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            return Stream.of(text.split("\0")).anyMatch(mark::equals);
        } catch (IOException e) {
            // It has ended, or is another user's and so none of ours.
            return false;
        }
    }

    /** The memory of all processes of a session; 0 where the kernel does not tell. */
    static long residentBytes(long session) {
        return ProcessHandle.allProcesses()
                .filter(process -> session(process.pid()) == session)
                .mapToLong(process -> residentPages(process.pid()) * PAGE_BYTES)
                .sum();
    }

    private static long session(long pid) {
        try {
            var stat = Files.readString(PROC.resolve(Long.toString(pid)).resolve("stat"));
            // The name, in parentheses, may have any character in it.
            var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[SESSION_FIELD]);
        } catch (IOException | RuntimeException e) {
            return -1;
        }
    }

    private static long residentPages(long pid) {
        try {
            var pages = Files.readString(PROC.resolve(Long.toString(pid)).resolve("statm"));
            return Long.parseLong(pages.split(" ")[1]);
        } catch (IOException | RuntimeException e) {
            return 0;
        }
    }

    /** Whether a process of this user, and of no other, listens on the port of this machine. */
    static boolean listens(int port, long uid) {
        return Stream.of("tcp", "tcp6")
                .anyMatch(table -> listens(PROC.resolve("net").resolve(table), port, uid));
    }

    private static boolean listens(Path table, int port, long uid) {
        var end = ":%04X".formatted(port);
        try (var lines = Files.lines(table)) {
            return lines.map(line -> line.strip().split("\\s+"))
                    .anyMatch(
                            f ->
                                    f.length > 7
                                            && f[1].endsWith(end)
                                            && f[3].equals("0A")
                                            && f[7].equals(Long.toString(uid)));
        } catch (IOException e) {
            return false;
        }
    }
}
