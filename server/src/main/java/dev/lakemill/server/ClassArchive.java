package dev.lakemill.server;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The classes that a node has loaded, parsed and verified, in a file that the next node's JVM maps:
 * it is ready in two thirds of the time. The launcher knows whether there is such a file of the
 * same libraries and JDK; where there is none, it names the one to write.
 */
final class ClassArchive {
    private static final Logger LOG = LoggerFactory.getLogger(ClassArchive.class);

    /** The file to write, a system property; the JVM needs -XX:+RecordDynamicDumpInfo with it. */
    private static final String FILE = "lakemill.class.archive";

    private static final long BYTES_MAX = 500L << 20;

    private ClassArchive() {}

    /**
     * Writes the file where one is wanted, in seconds, for a node that did its work and has ended.
     */
    static void keep() {
        var wanted = System.getProperty(FILE);
        if (wanted == null) {
            return;
        }
        var file = Path.of(wanted);
        var part = Path.of(wanted + ".part");
        try {
            Files.write(part, new byte[0]);
            if (part.toFile().getUsableSpace() < BYTES_MAX) {
                Files.delete(part);
                return; // The JVM would end at once, as failed, where the disk is full.
            }
            var arguments = new String[] {"dynamic_dump", part.toString()};
            ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "vmCds",
                            new Object[] {arguments},
                            new String[] {String[].class.getName()});
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | JMException e) {
            LOG.warn(
                    "the next start takes as long as this one: {} is not written: {}",
                    file,
                    e.toString());
        }
    }
}
