package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Processes of a cluster whose Lakemill is gone.
 *
 * <p>Every process of a cluster has its data folder as working directory; that tells them from a
 * stranger who was given the process id of the dead, which happens all the time in containers and
 * would otherwise keep Postgres from starting. All must be gone before a new server starts: two
 * servers on one folder damage it.
 */
final class Orphans {
    private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);
    private static final Path PROC = Path.of("/proc");
    private static final Duration FAST_MAX = Duration.ofSeconds(10);
    private static final Duration IMMEDIATE_MAX = Duration.ofSeconds(5);

    private Orphans() {}

    /** Ends them, the server first. The caller holds the folder's lock. */
    static void end(ClusterFiles files) throws IOException {
        if (!Files.exists(files.postmasterPid())) {
            return;
        }
        var server = server(files);
        if (server.isPresent()) {
            LOG.warn("stopping the Postgres {} that a killed Lakemill left", server.get().pid());
            Signal.end(server.get(), FAST_MAX, IMMEDIATE_MAX);
        }
        for (var process : inFolder(files.data())) {
            if (!Signal.awaitExit(process, IMMEDIATE_MAX)) {
                Signal.end(process, IMMEDIATE_MAX, IMMEDIATE_MAX);
            }
        }
        Files.deleteIfExists(files.postmasterPid());
    }

    private static Optional<ProcessHandle> server(ClusterFiles files) throws IOException {
        var lines = Files.readAllLines(files.postmasterPid());
        if (lines.isEmpty() || !lines.getFirst().strip().matches("\\d{1,10}")) {
            return Optional.empty();
        }
        return ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                .filter(process -> isIn(process, files.data()));
    }

    private static List<ProcessHandle> inFolder(Path data) {
        return ProcessHandle.allProcesses().filter(process -> isIn(process, data)).toList();
    }

    private static boolean isIn(ProcessHandle process, Path data) {
        if (!Files.isDirectory(PROC.resolve("self"))) {
            return process.info().command().orElse("").endsWith("postgres");
        }
        try {
            var folder = PROC.resolve(Long.toString(process.pid())).resolve("cwd");
            return Files.readSymbolicLink(folder).equals(data.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }
}
