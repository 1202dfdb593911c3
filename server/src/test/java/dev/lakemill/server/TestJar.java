package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;

/** A jar of one class, compiled here. */
final class TestJar {
    private TestJar() {}

    /**
     * @param source of the public class {@code Sales}
     */
    static Path write(Path jar, String source) throws IOException {
        var classes = Files.createTempDirectory("lakemill-test");
        var file = Files.writeString(classes.resolve("Sales.java"), source);
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var files = compiler.getStandardFileManager(null, null, null)) {
            var options =
                    List.of(
                            "-parameters",
                            "-proc:none",
                            "-cp",
                            System.getProperty("java.class.path"),
                            "-d",
                            classes.toString());
            var compiled =
                    compiler.getTask(
                            null, files, null, options, null, files.getJavaFileObjects(file));
            assertThat(compiled.call()).isTrue();
        }
        var temporary = Files.createTempFile(classes, "sales", ".jar");
        try (var out = new JarOutputStream(Files.newOutputStream(temporary));
                var made = Files.list(classes)) {
            for (var c : made.filter(f -> f.toString().endsWith(".class")).sorted().toList()) {
                out.putNextEntry(new JarEntry(c.getFileName().toString()));
                out.write(Files.readAllBytes(c));
                out.closeEntry();
            }
        }
        Files.createDirectories(jar.getParent());
        return Files.move(temporary, jar, StandardCopyOption.REPLACE_EXISTING);
    }
}
