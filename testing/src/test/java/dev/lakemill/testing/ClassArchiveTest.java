package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive of classes that a node writes as it ends is what the next one loads them from. */
class ClassArchiveTest {
    @TempDir private Path project;

    @Test
    void aNodeLoadsItsClassesFromTheArchiveOfTheOneBefore() throws Exception {
        Files.setPosixFilePermissions(project, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(project.resolve("lakemill.yml"), "");
        var archive = project.resolve("node.jsa");
        startAndStop("-XX:+RecordDynamicDumpInfo -Dlakemill.class.archive=" + archive);
        assertThat(archive).isNotEmptyFile();
        var loaded = project.resolve("loaded");
        startAndStop("-XX:SharedArchiveFile=" + archive + " -Xlog:class+load:file=" + loaded);
        assertThat(Files.readAllLines(loaded))
                .anyMatch(
                        line ->
                                line.contains("dev.lakemill.server.Node ")
                                        && line.contains("shared objects file"));
    }

    private void startAndStop(String jvmOptions) throws Exception {
        var environment =
                Map.of(
                        "LAKEMILL_GRPC_PORT", "0",
                        "LAKEMILL_HTTP_PORT", "0",
                        "LAKEMILL_POSTGRES_PORT", "0",
                        "JAVA_TOOL_OPTIONS", jvmOptions);
        try (var node = Command.java(project, "server", List.of("up"), environment)) {
            while (node.alive() && !Files.exists(project.resolve(".lakemill/run.json"))) {
                Thread.sleep(50);
            }
            node.terminate();
            assertThat(node.await(300)).as(node.out() + node.err()).isZero();
        }
    }
}
