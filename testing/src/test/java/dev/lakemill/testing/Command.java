package dev.lakemill.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command of ours in a process of its own, as a user runs it, with all that it prints. */
final class Command implements AutoCloseable {
    private final Process process;
    private final Path out;
    private final Path err;

    private Command(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    static Path root() {
        return Path.of(System.getProperty("lakemill.root"));
    }

    /** A main class on the class path of a module, built beside this one. */
    static Command java(
            Path folder, String module, List<String> arguments, Map<String, String> environment)
            throws IOException {
        var target = root().resolve(module).resolve("target");
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.add("@" + root().resolve("jvm.flags"));
        command.add("-Xmx384m");
        command.add("-Dlakemill.root=" + root());
        command.addAll(List.of("-cp", target.resolve("lib") + "/*"));
        command.add("dev.lakemill." + module + ".Main");
        command.addAll(arguments);
        return start(folder, command, environment);
    }

    static Command start(Path folder, List<String> command, Map<String, String> environment)
            throws IOException {
        var out = Files.createTempFile("command", ".out");
        var err = Files.createTempFile("command", ".err");
        var builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().putAll(environment);
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        return new Command(builder.start(), out, err);
    }

    /** Waits for its end; fails the test with what it printed when it does not come. */
    int await(int seconds) throws InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end within " + seconds + " s\n" + err() + out());
        }
        return process.exitValue();
    }

    void terminate() {
        process.destroy();
    }

    boolean alive() {
        return process.isAlive();
    }

    String out() {
        return read(out);
    }

    String err() {
        return read(err);
    }

    @Override
    public void close() throws IOException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
