package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The one command, in a project of stubs: what it builds, and what it leaves alone. */
@Timeout(60)
final class LauncherTest {
    private static final Instant LONG_AGO = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir Path folder;

    @BeforeEach
    void makeProject() throws IOException {
        Files.copy(Command.root().resolve("lakemill"), folder.resolve("lakemill"));
        stub("jdk/bin/javac", "");
        stub("jdk/bin/java", "echo '    java.specification.version = 25' >&2; echo ran");
        stub("bin/npm", "");
        stub("bin/mvn", "echo built >> " + folder.resolve("builds") + "; sleep 1");
        write("target/pages.stamp", "");
        write("server/target/lib/other.jar", "");
        write("server/target/lib/types-SNAPSHOT.jar", "");
        write("pom.xml", "");
        write("server/A.java", "");
        for (var old : new String[] {"pom.xml", "server/A.java"}) {
            touch(old, LONG_AGO);
        }
        write("target/java.stamp", "");
        touch("target/java.stamp", LONG_AGO.plusSeconds(1));
    }

    @Test
    void whatIsBuiltIsRunAndLibrariesOfANodeThatRunsStay() throws Exception {
        assertThat(run()).contains("ran");
        assertThat(folder.resolve("builds")).doesNotExist();

        write("server/A.java", "newer");
        var jar = folder.resolve("server/target/lib/types-SNAPSHOT.jar");
        var before = Files.getAttribute(jar, "unix:ino");
        assertThat(run()).contains("ran");
        assertThat(folder.resolve("builds")).hasContent("built");
        assertThat(folder.resolve("server/target/lib/other.jar")).exists();
        assertThat(Files.getAttribute(jar, "unix:ino")).as("its own file").isNotEqualTo(before);

        write("pom.xml", "newer");
        touch("target/java.stamp", LONG_AGO);
        assertThat(run()).contains("ran");
        assertThat(folder.resolve("server/target/lib/other.jar")).doesNotExist();
    }

    @Test
    void twoAtOnceBuildOnce() throws Exception {
        write("server/A.java", "newer");
        var first = start("x");
        var second = start("x");
        for (var each : new Process[] {first, second}) {
            assertThat(each.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(each.exitValue()).isZero();
        }
        assertThat(folder.resolve("builds")).hasContent("built");
    }

    @Test
    void withoutAJdkNothingIsBuiltOrRun() throws Exception {
        var script = folder.resolve("lakemill");
        var text = Files.readString(script);
        Files.writeString(script, text.replace("jdk_version_min=25", "jdk_version_min=999"));
        write("server/A.java", "newer");
        assertThat(run()).contains("no JDK 999 or newer").doesNotContain("ran");
        assertThat(folder.resolve("builds")).doesNotExist();
    }

    private String run() throws Exception {
        var process = start("x");
        try (var out = process.inputReader()) {
            return String.join("\n", out.lines().toList());
        }
    }

    private Process start(String argument) throws IOException {
        var builder =
                new ProcessBuilder("bash", folder.resolve("lakemill").toString(), argument)
                        .redirectErrorStream(true);
        builder.environment()
                .putAll(
                        Map.of(
                                "JAVA_HOME",
                                folder.resolve("jdk").toString(),
                                "PATH",
                                folder.resolve("bin") + ":" + System.getenv("PATH")));
        return builder.start();
    }

    private void stub(String name, String text) throws IOException {
        write(name, "#!/usr/bin/env bash\n" + text + "\n");
        Files.setPosixFilePermissions(
                folder.resolve(name), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void write(String name, String text) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        Files.writeString(folder.resolve(name), text);
    }

    private void touch(String name, Instant at) throws IOException {
        Files.setLastModifiedTime(folder.resolve(name), FileTime.from(at));
    }
}
