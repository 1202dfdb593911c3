package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The queries of the farm's pipeline, as Spark runs them on a cluster: every table's query over the
 * tables before it, which are filled from a seed.
 *
 * <p>STREAM is left out, since a whole table is asked; now() is one instant for both engines.
 * Models are scored by the engine's own tests: here {@code predict} and {@code model_version} are
 * functions that Spark is given, and what they compute stands in our query.
 */
final class FarmSuite {
    private static final Pattern STATEMENT =
            Pattern.compile(
                    "CREATE (?:OR REFRESH STREAMING TABLE|OR REFRESH MATERIALIZED VIEW|TABLE IF NOT"
                            + " EXISTS) ([\\w.]+)(.*?);\\s*$",
                    Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern QUERY =
            Pattern.compile("\\bAS\\s+((?:SELECT|WITH|VALUES)\\b.*)", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("\\bfarm\\.(\\w+)\\.(\\w+)");
    private static final Pattern COLUMN =
            Pattern.compile("^\\s+(\\w+) ([A-Z]+(?:\\([0-9, ]+\\))?)", Pattern.MULTILINE);
    private static final int ROWS = 200;
    private static final Pattern PREDICT =
            Pattern.compile(
                    "\\bpredict\\(\\s*'[^']*',\\s*"
                            + String.join(",\\s*", Collections.nCopies(5, "(\\w+)"))
                            + "\\s*\\)");
    private static final Pattern MODEL_VERSION =
            Pattern.compile("\\bmodel_version\\(\\s*'[^']*'\\s*\\)");
    private static final String SCORE = "(0.5D + %s - %s - %s * %s + %s)";
    private static final String VERSION = "7";
    private static final List<String> FUNCTIONS =
            List.of(
                    "predict(model STRING, a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE, e DOUBLE)"
                            + " RETURNS DOUBLE RETURN "
                            + SCORE.formatted("a", "b", "c", "d", "e"),
                    "model_version(model STRING) RETURNS INT RETURN " + VERSION);

    private final Conformance conformance;
    private final EngineQueries engine;
    private final SparkPeer spark;

    FarmSuite(Conformance conformance, EngineQueries engine, SparkPeer spark) {
        this.conformance = conformance;
        this.engine = engine;
        this.spark = spark;
    }

    Conformance.Counts run() throws IOException, SQLException {
        engine.clear();
        spark.fresh(false);
        for (var function : FUNCTIONS) {
            told(function, spark.query("CREATE OR REPLACE TEMPORARY FUNCTION " + function));
        }
        var counts = new Conformance.Counts("farm");
        var folder = Root.folder().resolve("examples/vertical-farm/pipelines");
        try (var files = Files.list(folder)) {
            for (var file : files.filter(f -> f.toString().endsWith(".sql")).sorted().toList()) {
                file(counts, file);
            }
        }
        return counts;
    }

    private void file(Conformance.Counts counts, Path file) throws IOException, SQLException {
        var text = Files.readString(file).replaceAll("(?m)--.*$", "");
        var statements = STATEMENT.matcher(text);
        while (statements.find()) {
            var name = plain(statements.group(1));
            var query = QUERY.matcher(statements.group(2));
            var sql = query.find() ? plain(query.group(1)) : rows(name, statements.group(2));
            if (query.reset().find()) {
                conformance.ask(counts, name, withoutModels(sql), spark.query(sql));
            }
            var view = "CREATE OR REPLACE TEMPORARY VIEW %s AS %s".formatted(name, sql);
            told(name, spark.query(view));
        }
    }

    private static void told(String what, JsonNode answer) {
        if (answer.has("error")) {
            throw new IllegalStateException(what + ": " + answer.get("error").asText());
        }
    }

    private static String withoutModels(String sql) {
        var scored = PREDICT.matcher(sql).replaceAll(SCORE.formatted("$1", "$2", "$3", "$4", "$5"));
        return MODEL_VERSION.matcher(scored).replaceAll(VERSION);
    }

    private static String plain(String text) {
        return NAME.matcher(text)
                .replaceAll("farm_$1_$2")
                .replaceAll("\\bSTREAM\\s*\\((\\w+)\\)", "$1")
                .replaceAll("(?i)\\bnow\\(\\)", "TIMESTAMP '2026-01-01 02:00:00'");
    }

    /** The same word for a currency as the pipeline asks for, else the column's own. */
    private static String word(String column) {
        return column.equals("currency") ? "EUR" : column;
    }

    /** Few different texts, so that tables have partners, and times within two hours. */
    private static String rows(String name, String declaration) {
        var columns = new ArrayList<String>();
        var found = COLUMN.matcher(declaration);
        while (found.find()) {
            columns.add(value(name, found.group(1), found.group(2)) + " AS " + found.group(1));
        }
        return "SELECT %s FROM range(%d)".formatted(String.join(", ", columns), ROWS);
    }

    private static String value(String table, String column, String type) {
        var random = "pmod(hash(id, '%s', '%s'), 1000)".formatted(table, column);
        return switch (type) {
            case "STRING" -> "concat('%s ', %s %% 7)".formatted(word(column), random);
            case "TIMESTAMP" ->
                    "timestamp_seconds(unix_seconds(TIMESTAMP '2026-01-01 00:00:00') + %s * 7)"
                            .formatted(random);
            case "BOOLEAN" -> "%s < 500".formatted(random);
            default -> "CAST(%s / 8 AS %s)".formatted(random, type);
        };
    }
}
