package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.plan.Dataset.MaterializedView;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.duckdb.DuckDBResultSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares DuckDB's answers to printed plans with Spark's, which stand in the compiler module's
 * goldens: every value, every type, and every error.
 */
final class DifferentialTest {
    static final Path FOLDER =
            Path.of(
                    System.getProperty("lakemill.root"),
                    "compiler/src/test/resources/differential");
    private static final int ROWS = 16;

    @TempDir Path folder;

    @Test
    void expressionsGiveWhatSparkGives() throws Exception {
        var differences = new ArrayList<String>();
        var approximate = new HashSet<String>();
        var expressions = expressions(approximate);
        var plan = compile(expressions, "SELECT id, %s AS r FROM test.t.v");
        try (var duck = duck()) {
            for (int i = 0; i < expressions.size(); i++) {
                var expression = expressions.get(i);
                var view = view(plan, i);
                var golden = goldens().get("expressions").get(expression);
                try {
                    compare(
                            expression,
                            view,
                            golden,
                            answers(duck, view),
                            approximate.contains(expression),
                            differences);
                } catch (LakemillException e) {
                    differences.add(expression + "  refused: " + e.getMessage());
                }
            }
        }
        assertThat(differences).isEmpty();
        assertThat(expressions).hasSizeGreaterThan(500);
    }

    @Test
    void queriesGiveWhatSparkGives() throws Exception {
        var differences = new ArrayList<String>();
        var approximate = new HashSet<String>();
        var queries = queries(approximate);
        var plan = compile(queries, "%s");
        try (var duck = duck()) {
            for (int i = 0; i < queries.size(); i++) {
                var query = queries.get(i);
                var golden = goldens().get("queries").get(query);
                try {
                    var sql = printer().query(view(plan, i).query());
                    var rows = rows(duck, sql, approximate.contains(query));
                    if (!rows.equals(golden(golden, approximate.contains(query)))) {
                        differences.add(
                                query
                                        + "\n   duck  "
                                        + rows
                                        + "\n   spark "
                                        + golden(golden, approximate.contains(query))
                                        + "\n   "
                                        + sql);
                    }
                } catch (LakemillException e) {
                    differences.add(query + "  refused: " + e.getMessage());
                }
            }
        }
        assertThat(differences).isEmpty();
        assertThat(queries).hasSizeGreaterThan(60);
    }

    private static DuckPrinter printer() {
        return new DuckPrinter(
                scan -> DuckPrinter.quoted(scan.table().table()),
                "TIMESTAMP '2026-11-22 12:00:00'");
    }

    private static MaterializedView view(PipelinePlan plan, int number) {
        return plan.datasets().stream()
                .filter(d -> d.name().table().equals("r" + number))
                .map(MaterializedView.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static void compare(
            String expression,
            MaterializedView view,
            JsonNode golden,
            List<@Nullable String> answers,
            boolean approximate,
            List<String> differences) {
        var type = view.schema().column(1).type().sql();
        if (!type.equals(golden.get("type").asText())) {
            differences.add(expression + "  type " + type + " for " + golden.get("type").asText());
        }
        for (int row = 0; row < ROWS; row++) {
            var node = golden.get("values").get(row);
            var expected = text(node);
            var actual = answers.get(row);
            if (!same(expected, actual, approximate)) {
                differences.add(
                        "%s  row %d: spark %s, duck %s"
                                .formatted(expression, row + 1, expected, actual));
            }
        }
    }

    private static boolean same(
            @Nullable String expected, @Nullable String actual, boolean approximate) {
        if (expected == null || actual == null) {
            return expected == null && actual == null;
        }
        if (expected.startsWith("!") || actual.startsWith("!")) {
            return expected.startsWith("!") && actual.startsWith("!");
        }
        if (approximate) {
            var a = Double.parseDouble(expected);
            var b = Double.parseDouble(actual);
            return a == b || Double.compare(a, b) == 0 || Math.abs(a - b) <= 1e-12 * Math.abs(a);
        }
        return expected.equals(actual);
    }

    /** One value per row; errors are marked. */
    private static List<@Nullable String> answers(Connection duck, MaterializedView view) {
        var sql = printer().query(view.query());
        var type = DuckPrinter.type(view.schema().column(1).type());
        try {
            return values(duck, "SELECT r FROM (%s) ORDER BY id".formatted(sql), type);
        } catch (SQLException e) {
            var answers = new ArrayList<@Nullable String>();
            for (int id = 1; id <= ROWS; id++) {
                answers.add(
                        one(duck, sql.replace("\"v\"", "(FROM v WHERE id = " + id + ")"), type));
            }
            return answers;
        }
    }

    private static @Nullable String one(Connection duck, String sql, String type) {
        try {
            return values(duck, "SELECT r FROM (%s)".formatted(sql), type).getFirst();
        } catch (SQLException e) {
            return "!" + String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }
    }

    private static List<@Nullable String> values(Connection duck, String sql, String type)
            throws SQLException {
        try (var statement = duck.createStatement();
                var result = statement.executeQuery(sql)) {
            var actual = result.getMetaData().getColumnTypeName(1);
            var values = new ArrayList<@Nullable String>();
            while (result.next()) {
                values.add(
                        actual.equals(type) ? text(result, 1) : "type " + actual + " for " + type);
            }
            return values;
        }
    }

    private static List<String> rows(Connection duck, String sql, boolean approximate) {
        try (var statement = duck.createStatement();
                var result = statement.executeQuery(sql)) {
            var rows = new ArrayList<String>();
            var columns = result.getMetaData().getColumnCount();
            while (result.next()) {
                var row = new ArrayList<@Nullable String>();
                for (int i = 1; i <= columns; i++) {
                    row.add(text(result, i));
                }
                rows.add(told(row, approximate));
            }
            rows.sort(null);
            return rows;
        } catch (SQLException e) {
            return List.of("error");
        }
    }

    private static List<String> golden(JsonNode golden, boolean approximate) {
        if (golden.has("error")) {
            return List.of("error");
        }
        return StreamSupport.stream(golden.get("rows").spliterator(), false)
                .map(
                        row ->
                                told(
                                        StreamSupport.stream(row.spliterator(), false)
                                                .map(v -> text(v))
                                                .collect(
                                                        Collectors.toCollection(
                                                                ArrayList<@Nullable String>::new)),
                                        approximate))
                .sorted()
                .toList();
    }

    private static String told(List<@Nullable String> row, boolean approximate) {
        return row.stream()
                .map(v -> approximate && v != null ? rounded(v) : String.valueOf(v))
                .collect(Collectors.joining("|"));
    }

    private static String rounded(String value) {
        return value.matches("-?[0-9]+\\.[0-9E-]+")
                ? new BigDecimal(value)
                        .round(new java.math.MathContext(12))
                        .stripTrailingZeros()
                        .toPlainString()
                : value;
    }

    private static @Nullable String text(JsonNode node) {
        return node.isNull()
                ? null
                : node.isArray() ? node.toString().replace("\"", "") : node.asText();
    }

    private static @Nullable String text(ResultSet result, int column) throws SQLException {
        var value = result.getObject(column);
        return switch (value) {
            case null -> null;
            case LocalDate date -> Long.toString(date.toEpochDay());
            case java.sql.Timestamp _ ->
                    Long.toString(
                            ChronoUnit.MICROS.between(
                                    LocalDateTime.of(1970, 1, 1, 0, 0),
                                    result.getObject(column, LocalDateTime.class)));
            case BigDecimal decimal -> decimal.toPlainString();
            case DuckDBResultSet.DuckDBBlobResult _ ->
                    HexFormat.of().formatHex(result.getBytes(column));
            case java.sql.Array array ->
                    new ObjectMapper().valueToTree(array.getArray()).toString().replace("\"", "");
            default -> value.toString();
        };
    }

    private PipelinePlan compile(List<String> texts, String form) throws IOException {
        var tables =
                Files.readString(FOLDER.resolve("tables.sql"))
                        .replaceAll("(?s)-- rows\nSELECT.*?;\n", "");
        var views =
                IntStream.range(0, texts.size())
                        .mapToObj(
                                i ->
                                        "CREATE MATERIALIZED VIEW test.out.r%d AS %s;\n"
                                                .formatted(i, form.formatted(texts.get(i))))
                        .collect(Collectors.joining());
        return CompilerProcess.compile(
                        "differential", List.of(new SourceText("all.sql", tables + views)), folder)
                .orThrow();
    }

    private static List<String> expressions(Set<String> approximate) throws IOException {
        var expressions = new ArrayList<String>();
        for (var line : Files.readAllLines(FOLDER.resolve("expressions.txt"))) {
            if (!line.isBlank() && !line.startsWith("--")) {
                var text = line.startsWith("~ ") ? line.substring(2) : line;
                expressions.add(text);
                if (line.startsWith("~ ")) {
                    approximate.add(text);
                }
            }
        }
        return expressions;
    }

    private static List<String> queries(Set<String> approximate) throws IOException {
        var queries = new ArrayList<String>();
        for (var part : Files.readString(FOLDER.resolve("queries.sql")).split(";\n")) {
            var query = part.replaceAll("(?m)^--.*\n", "").strip();
            if (!query.isEmpty()) {
                queries.add(query);
                if (part.contains("-- ~\n")) {
                    approximate.add(query);
                }
            }
        }
        return queries;
    }

    private static JsonNode goldens() throws IOException {
        return new ObjectMapper().readTree(FOLDER.resolve("goldens.json").toFile());
    }

    /** A DuckDB with the test tables, holding what Spark read from their texts. */
    private static Connection duck() throws Exception {
        var duck = DriverManager.getConnection("jdbc:duckdb:");
        JavaFunctions.install(duck);
        try (var statement = duck.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            var tables = goldens().get("tables");
            for (var name : (Iterable<String>) tables::fieldNames) {
                statement.execute(table(name, tables.get(name)));
            }
        }
        return duck;
    }

    private static String table(String name, JsonNode table) {
        var rows =
                StreamSupport.stream(table.get("rows").spliterator(), false)
                        .map(row -> "SELECT " + row(table, row))
                        .collect(Collectors.joining(" UNION ALL "));
        var empty = "SELECT " + row(table, new ObjectMapper().createArrayNode()) + " LIMIT 0";
        return "CREATE TABLE %s AS %s".formatted(name, rows.isEmpty() ? empty : rows);
    }

    private static String row(JsonNode table, JsonNode row) {
        return IntStream.range(0, table.get("columns").size())
                .mapToObj(
                        i ->
                                value(table.get("types").get(i).asText(), row.path(i))
                                        + " AS "
                                        + DuckPrinter.quoted(table.get("columns").get(i).asText()))
                .collect(Collectors.joining(", "));
    }

    private static String value(String sql, JsonNode node) {
        var type = dev.lakemill.types.DataType.parse(sql);
        if (node.isArray()) {
            var items =
                    StreamSupport.stream(node.spliterator(), false)
                            .map(v -> v.isNull() ? "NULL" : DuckExpressions.text(v.asText()))
                            .collect(Collectors.joining(", "));
            return "CAST([%s] AS %s)".formatted(items, DuckPrinter.type(type));
        }
        return DuckExpressions.literal(
                type, node.isNull() || node.isMissingNode() ? null : node.asText());
    }
}
