package dev.lakemill.bench;

import dev.lakemill.pipeline.OnnxModel;
import dev.lakemill.pipeline.Predictor;
import dev.lakemill.plan.ModelUse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * predict() in the pipeline's engine on one thread: rows a second through a linear model of ten
 * features, beside the floor of adding the same columns up, and the runtime without the engine.
 */
final class PredictBench {
    private static final int ROWS = 1_000_000;
    private static final int FEATURES = 10;
    private static final int DIRECT_ROWS = 100_000;
    private static final double WANTED_ROWS_PER_SECOND = 2e6;
    private static final ModelUse USE = new ModelUse("bench.ml.linear", 1);

    private PredictBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException {
        var report = new Report.Builder();
        var folder = Folders.temporary("lakemill-predict");
        var properties = new Properties();
        properties.put("threads", "1");
        try (var model = OnnxModel.open(unpacked(folder));
                var connection = DriverManager.getConnection("jdbc:duckdb:", properties)) {
            Predictor.register(connection, USE, model);
            create(connection);
            measure(connection, model, options, report);
            report.check("scores_equal_the_runtime", differences(connection, model) == 0);
        } finally {
            Folders.delete(folder);
        }
        return report.build();
    }

    private static void measure(
            Connection connection, OnnxModel model, BenchOptions options, Report.Builder report)
            throws SQLException {
        var predict = "SELECT sum(%s) FROM t".formatted(call());
        var floor = "SELECT sum(%s) FROM t".formatted(columns(" + "));
        var predictSeconds = new ArrayList<Double>();
        var floorSeconds = new ArrayList<Double>();
        var directSeconds = new ArrayList<Double>();
        var rows = rows(connection);
        number(connection, predict);
        model.score(rows);
        for (int round = 0; round < options.rounds(); round++) {
            predictSeconds.add(seconds(() -> number(connection, predict)));
            floorSeconds.add(seconds(() -> number(connection, floor)));
            directSeconds.add(seconds(() -> model.score(rows)[0]));
        }
        var rate = ROWS / Report.median(predictSeconds);
        report.figure("rows_per_second_core", rate);
        report.figure("floor_sum_rows_per_second_core", ROWS / Report.median(floorSeconds));
        report.figure("runtime_rows_per_second_core", DIRECT_ROWS / Report.median(directSeconds));
        report.check("two_million_rows_a_second_on_one_core", rate >= WANTED_ROWS_PER_SECOND);
    }

    private static void create(Connection connection) throws SQLException {
        var columns =
                IntStream.rangeClosed(1, FEATURES)
                        .mapToObj(i -> "sin(i * 0.37 * %d) AS f%d".formatted(i, i))
                        .collect(Collectors.joining(", "));
        try (var statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE t AS SELECT i, %s FROM range(%d) r(i)".formatted(columns, ROWS));
        }
    }

    /** How many of the first rows have another score in SQL than from the runtime alone. */
    private static int differences(Connection connection, OnnxModel model) throws SQLException {
        var scores = model.score(rows(connection));
        var different = 0;
        try (var statement = connection.createStatement();
                var result =
                        statement.executeQuery(
                                "SELECT %s FROM t ORDER BY i LIMIT %d"
                                        .formatted(call(), DIRECT_ROWS))) {
            for (var score : scores) {
                result.next();
                different += result.getDouble(1) == score ? 0 : 1;
            }
        }
        return different;
    }

    private static List<double[]> rows(Connection connection) throws SQLException {
        var rows = new ArrayList<double[]>();
        try (var statement = connection.createStatement();
                var result =
                        statement.executeQuery(
                                "SELECT %s FROM t ORDER BY i LIMIT %d"
                                        .formatted(columns(", "), DIRECT_ROWS))) {
            while (result.next()) {
                var row = new double[FEATURES];
                for (int i = 0; i < FEATURES; i++) {
                    row[i] = result.getDouble(i + 1);
                }
                rows.add(row);
            }
        }
        return rows;
    }

    private static String call() {
        return "%s('bench', %s)".formatted(Predictor.function(USE), columns(", "));
    }

    private static String columns(String separator) {
        return IntStream.rangeClosed(1, FEATURES)
                .mapToObj(i -> "f" + i)
                .collect(Collectors.joining(separator));
    }

    private interface Measured {
        double run() throws SQLException;
    }

    private static double seconds(Measured work) throws SQLException {
        var started = System.nanoTime();
        var result = work.run();
        var seconds = (System.nanoTime() - started) / 1e9;
        if (Double.isNaN(result)) {
            throw new IllegalStateException("not a number");
        }
        return seconds;
    }

    private static double number(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return result.getDouble(1);
        }
    }

    /** The model of the jar as a folder. */
    private static Path unpacked(Path folder) throws IOException {
        for (var name : List.of("MLmodel", "model.onnx")) {
            try (var stream = PredictBench.class.getResourceAsStream("/linear-10/" + name)) {
                if (stream == null) {
                    throw new IllegalStateException(name + " is not in the jar");
                }
                Files.write(folder.resolve(name), stream.readAllBytes());
            }
        }
        return folder;
    }
}
