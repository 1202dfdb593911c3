package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/** Memory of a process and its children, from Linux's /proc. */
final class ResidentMemory {
    private static final Pattern PSS = Pattern.compile("(?m)^Pss:\\s+(\\d+) kB");
    private static final Pattern OWN = Pattern.compile("(?m)^RssAnon:\\s+(\\d+) kB");

    private ResidentMemory() {}

    /**
     * Bytes, each shared page counted once in all: the proportional set size, or, where the kernel
     * does not show that to us, the pages that are a process's alone.
     */
    static long ofTreeBytes(long pid) {
        var children =
                ProcessHandle.of(pid).stream()
                        .flatMap(ProcessHandle::descendants)
                        .mapToLong(ProcessHandle::pid);
        return LongStream.concat(LongStream.of(pid), children).map(ResidentMemory::bytes).sum();
    }

    private static long bytes(long pid) {
        var folder = Path.of("/proc", Long.toString(pid));
        var proportional = kilobytes(folder.resolve("smaps_rollup"), PSS);
        return 1024 * (proportional > 0 ? proportional : kilobytes(folder.resolve("status"), OWN));
    }

    private static long kilobytes(Path file, Pattern line) {
        try {
            var found = line.matcher(Files.readString(file));
            return found.find() ? Long.parseLong(found.group(1)) : 0;
        } catch (IOException e) {
            return 0; // The process ended meanwhile, or the kernel does not show it to us.
        }
    }
}
