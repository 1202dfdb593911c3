package dev.lakemill.pipeline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of native libraries that jars unpack for temporary use, tens of megabytes for each
 * process: deleted as soon as they are loaded, for what is mapped needs no name.
 *
 * <p>The jars would have it done when the JVM ends, which never comes to it after a kill, nor when
 * a node halts. Only Linux tells what is mapped; elsewhere the files stay.
 */
final class UnpackedLibraries {
    private static final Logger log = LoggerFactory.getLogger(UnpackedLibraries.class);
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final Set<String> done = ConcurrentHashMap.newKeySet();

    private UnpackedLibraries() {}

    /**
     * Once in a process.
     *
     * @param prefix of the name of the loaded file, or of a folder of its own
     */
    static void delete(String prefix) {
        if (!Files.exists(MAPS) || !done.add(prefix)) {
            return;
        }
        try {
            var temporary = Path.of(System.getProperty("java.io.tmpdir")).toRealPath();
            var start = temporary.resolve(prefix).toString();
            for (var line : Files.readAllLines(MAPS)) {
                var path = line.substring(Math.max(0, line.indexOf('/')));
                if (path.startsWith(start)) {
                    delete(temporary, Path.of(path));
                }
            }
        } catch (IOException e) {
            log.info("The files of {} stay until this process ends", prefix, e);
        }
    }

    private static void delete(Path temporary, Path file) throws IOException {
        Files.deleteIfExists(file);
        var folder = file.getParent();
        if (folder == null || folder.equals(temporary) || !Files.exists(folder)) {
            return;
        }
        try (var beside = Files.newDirectoryStream(folder)) {
            for (var other : beside) {
                Files.deleteIfExists(other);
            }
        }
        Files.deleteIfExists(folder);
    }
}
