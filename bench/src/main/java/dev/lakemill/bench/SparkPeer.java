package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;

/**
 * Spark local in a process of its own, which answers queries; see testing/spark/SparkQueries.java.
 * One thread uses it.
 */
final class SparkPeer implements AutoCloseable {
    private static final int BUILD_SECONDS_MAX = 300;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BufferedWriter in;
    private final BufferedReader out;
    private final Path errors;

    private SparkPeer(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.in = process.outputWriter(StandardCharsets.UTF_8);
        this.out = process.inputReader(StandardCharsets.UTF_8);
    }

    /**
     * @param folder for Spark's warehouse
     */
    static SparkPeer start(Path folder) throws IOException, InterruptedException {
        var errors = folder.resolve("spark.err");
        var process =
                new ProcessBuilder(command(folder))
                        .directory(folder.toFile())
                        .redirectError(errors.toFile())
                        .start();
        return new SparkPeer(process, errors);
    }

    private static List<String> command(Path folder) throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx1500m");
        command.add("-XX:+UseSerialGC");
        command.add("@" + sparkFolder().resolve("jvm.flags"));
        command.add("-cp");
        command.add(classPath());
        command.add(sparkFolder().resolve("SparkQueries.java").toString());
        command.add(folder.resolve("warehouse").toString());
        return command;
    }

    private static Path sparkFolder() {
        return Root.folder().resolve("testing/spark");
    }

    /** As the build resolved it; Maven is asked when it has not. */
    private static String classPath() throws IOException, InterruptedException {
        var file = sparkFolder().resolve("target/class-path.txt");
        if (!Files.exists(file)) {
            var pom = sparkFolder().resolve("pom.xml").toString();
            var maven =
                    new ProcessBuilder("mvn", "-B", "-q", "-f", pom, "generate-resources")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            if (!maven.waitFor(BUILD_SECONDS_MAX, TimeUnit.SECONDS) || maven.exitValue() != 0) {
                throw new IllegalStateException("Maven cannot resolve Spark: see " + pom);
            }
        }
        return Files.readString(file).strip();
    }

    /** {@code columns} and {@code rows}, or {@code error} and {@code phase}. */
    JsonNode query(String sql) throws IOException {
        return ask(JSON.createObjectNode().put("sql", sql));
    }

    /** The files below a folder of Spark's own tests. */
    List<String> files(String prefix) throws IOException {
        var files = ask(JSON.createObjectNode().put("list", prefix)).get("files");
        return StreamSupport.stream(files.spliterator(), false).map(JsonNode::asText).toList();
    }

    String read(String file) throws IOException {
        return ask(JSON.createObjectNode().put("read", file)).get("text").asText();
    }

    /**
     * Forgets all views and tables.
     *
     * @param withTestTables makes those of Spark's own tests
     */
    void fresh(boolean withTestTables) throws IOException {
        ask(JSON.createObjectNode().put("fresh", withTestTables));
    }

    void view(String name, Path parquet) throws IOException {
        ask(JSON.createObjectNode().put("parquet", parquet.toString()).put("view", name));
    }

    private JsonNode ask(ObjectNode request) throws IOException {
        in.write(JSON.writeValueAsString(request) + "\n");
        in.flush();
        var answer = out.readLine();
        if (answer == null) {
            throw new IllegalStateException("Spark ended: " + Files.readString(errors));
        }
        return JSON.readTree(answer);
    }

    @Override
    public void close() throws IOException {
        in.close();
        process.destroyForcibly();
        out.close();
    }
}
