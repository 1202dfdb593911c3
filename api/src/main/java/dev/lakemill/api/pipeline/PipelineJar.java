package dev.lakemill.api.pipeline;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What a jar with annotated classes defines.
 *
 * @param name of the pipeline; empty where the jar says none
 * @param texts SQL, each of one method
 */
public record PipelineJar(String name, List<Text> texts, List<Function> functions) {
    private static final int TIMEOUT_SECONDS = 60;
    private static final int ERROR_LINES_MAX = 15;

    /**
     * SQL that a method gave.
     *
     * @param path the method, for messages: {@code name.jar:Class.method}
     */
    public record Text(String path, String sql) {}

    /**
     * A method that SQL calls.
     *
     * @param resultNullable false for a primitive type
     */
    public record Function(
            String name,
            String className,
            String method,
            List<Parameter> parameters,
            DataType result,
            boolean resultNullable) {}

    /**
     * @param nullable false for a primitive type
     */
    public record Parameter(String name, DataType type, boolean nullable) {}

    /**
     * Asks the jar's methods, in a JVM of its own that ends with it: whatever they do, this process
     * goes on.
     *
     * @throws LakemillException INVALID_ARGUMENT with what is wrong with the jar
     */
    public static PipelineJar read(Path jar) {
        if (!Files.isRegularFile(jar)) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND, "there is no jar " + jar, "build it first");
        }
        try {
            var answer = Files.createTempFile("lakemill-jar", ".answer");
            var printed = Files.createTempFile("lakemill-jar", ".out");
            try {
                run(jar, answer, printed);
                try (var in = new DataInputStream(Files.newInputStream(answer))) {
                    return read(in);
                }
            } finally {
                Files.deleteIfExists(answer);
                Files.deleteIfExists(printed);
            }
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the jar %s cannot be read (%s)".formatted(jar, e),
                    "check its permissions and the space for temporary files",
                    e);
        }
    }

    private static void run(Path jar, Path answer, Path printed) throws IOException {
        var process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                ours() + File.pathSeparator + jar.toAbsolutePath(),
                                JarMain.class.getName(),
                                jar.toAbsolutePath().toString(),
                                answer.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(printed.toFile())
                        .start();
        process.getOutputStream().close();
        try {
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                throw bad(jar, "its methods did not end within %d s".formatted(TIMEOUT_SECONDS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw bad(jar, "it was interrupted");
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0 || Files.size(answer) == 0) {
            var lines = Files.readAllLines(printed);
            throw bad(
                    jar,
                    "its process ended with exit code %d: %s"
                            .formatted(
                                    process.exitValue(),
                                    String.join(
                                            "\n",
                                            lines.subList(
                                                    Math.max(0, lines.size() - ERROR_LINES_MAX),
                                                    lines.size()))));
        }
    }

    private static LakemillException bad(Path jar, String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the jar %s defines no pipeline: %s".formatted(jar, problem),
                "methods that define tables only return SQL");
    }

    private static Path ours() {
        try {
            return Path.of(
                    PipelineJar.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PipelineJar read(DataInputStream in) throws IOException {
        if (!in.readBoolean()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, JarMain.readText(in), JarMain.readText(in));
        }
        var name = JarMain.readText(in);
        var texts = new ArrayList<Text>();
        for (int left = in.readInt(); left > 0; left--) {
            texts.add(new Text(JarMain.readText(in), JarMain.readText(in)));
        }
        var functions = new ArrayList<Function>();
        for (int left = in.readInt(); left > 0; left--) {
            functions.add(readFunction(in));
        }
        return new PipelineJar(name, List.copyOf(texts), List.copyOf(functions));
    }

    private static Function readFunction(DataInputStream in) throws IOException {
        var name = JarMain.readText(in);
        var className = JarMain.readText(in);
        var method = JarMain.readText(in);
        var result = readParameter(in);
        var parameters = new ArrayList<Parameter>();
        for (int left = in.readInt(); left > 0; left--) {
            parameters.add(readParameter(in));
        }
        return new Function(
                name, className, method, List.copyOf(parameters), result.type(), result.nullable());
    }

    private static Parameter readParameter(DataInputStream in) throws IOException {
        return new Parameter(
                JarMain.readText(in), DataType.parse(JarMain.readText(in)), in.readBoolean());
    }
}
