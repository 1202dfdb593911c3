package dev.lakemill.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory of processes, from Linux's /proc; 0 where there is none. */
final class ProcessMemory {
    private ProcessMemory() {}

    /** VmRSS of one process. */
    static double residentMb(long pid) {
        return kilobytes(Path.of("/proc", String.valueOf(pid), "status"), "VmRSS:") / 1024.0;
    }

    /** VmHWM of one process: the most that VmRSS has been. */
    static double peakResidentMb(long pid) {
        return kilobytes(Path.of("/proc", String.valueOf(pid), "status"), "VmHWM:") / 1024.0;
    }

    /** The sum of Pss over a process and all its descendants. */
    static double proportionalTreeMb(long pid) {
        var own = kilobytes(Path.of("/proc", String.valueOf(pid), "smaps_rollup"), "Pss:");
        var children =
                ProcessHandle.of(pid).stream()
                        .flatMap(ProcessHandle::descendants)
                        .mapToLong(
                                child ->
                                        kilobytes(
                                                Path.of(
                                                        "/proc",
                                                        String.valueOf(child.pid()),
                                                        "smaps_rollup"),
                                                "Pss:"))
                        .sum();
        return (own + children) / 1024.0;
    }

    private static long kilobytes(Path file, String key) {
        try (var lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0;
        }
    }
}
