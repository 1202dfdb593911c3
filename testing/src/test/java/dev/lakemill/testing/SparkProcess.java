package dev.lakemill.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Spark with Delta in a process of its own, on the class path that the build resolved for it; see
 * testing/spark.
 */
final class SparkProcess {
    private static final int SECONDS_MAX = 1_800;

    private final Map<String, String> statements = new LinkedHashMap<>();

    /** Notes a statement to run, in this order. */
    SparkProcess statement(String name, String sql) {
        if (statements.put(name, sql) != null) {
            throw new IllegalArgumentException("statement " + name + " stands twice");
        }
        return this;
    }

    /** Runs all statements; the rows that each returned, by its name. */
    JsonNode run(Path folder) throws IOException, InterruptedException {
        var json = new ObjectMapper();
        var list = json.createArrayNode();
        statements.forEach((name, sql) -> list.addObject().put("name", name).put("sql", sql));
        var input = folder.resolve("statements.json");
        var output = folder.resolve("results.json");
        json.writeValue(input.toFile(), list);
        try (var spark = Command.start(folder, command(input, output), Map.of())) {
            int status = spark.await(SECONDS_MAX);
            if (status != 0) {
                throw new AssertionError("Spark ended with " + status + ": " + spark.err());
            }
        }
        return json.readTree(output.toFile());
    }

    private static List<String> command(Path input, Path output) throws IOException {
        var spark = Command.root().resolve("testing/spark");
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.add("-Xmx1g");
        command.add("@" + spark.resolve("jvm.flags"));
        command.add("-cp");
        command.add(Files.readString(spark.resolve("target/class-path.txt")).strip());
        command.add(spark.resolve("SparkStatements.java").toString());
        command.add(input.toString());
        command.add(output.toString());
        return command;
    }
}
