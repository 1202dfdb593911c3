package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What libraries end with the JVM is there until the node has drained. */
@Timeout(300)
final class StopSignalTest {
    @TempDir Path folder;

    /** A node beside a hook of the JVM's end, as ONNX Runtime has one. */
    static final class Hooked {
        private Hooked() {}

        public static void main(String[] arguments) {
            var hook = new Thread(() -> System.out.println("the JVM ends"), "hook");
            Runtime.getRuntime().addShutdownHook(hook);
            Main.main(arguments);
        }
    }

    @Test
    void theJvmEndsBehindTheNode() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.writeString(folder.resolve("lakemill.yml"), "");
        var out = folder.resolve("out");
        var process = start(out);
        try {
            TestNode.await(
                    () -> !process.isAlive() || RunFile.isThere(folder.resolve(".lakemill")));
            process.destroy();
            assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(process.exitValue()).as(Files.readString(out)).isZero();
        assertThat(Files.readString(out))
                .containsSubsequence(
                        "draining", "everything acknowledged is in Delta", "the JVM ends");
    }

    private Process start(Path out) throws IOException {
        var root = System.getProperty("lakemill.root");
        var java = Path.of(System.getProperty("java.home"), "bin/java").toString();
        var builder =
                new ProcessBuilder(
                                java,
                                "@" + Path.of(root, "jvm.flags"),
                                "-Xmx384m",
                                "-Dlakemill.root=" + root,
                                "-cp",
                                System.getProperty("java.class.path"),
                                Hooked.class.getName(),
                                "up")
                        .directory(folder.toFile());
        for (var port : List.of("GRPC", "HTTP", "POSTGRES")) {
            builder.environment().put("LAKEMILL_" + port + "_PORT", "0");
        }
        return builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    }
}
