package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PredictTest {
    private static final String TEXT =
            """
            CREATE TABLE a.b.t (k INT NOT NULL, x DOUBLE);
            CREATE STREAMING TABLE a.b.scored AS SELECT k,
              predict('a.ml.m@champion', x, k) AS score,
              model_version('a.ml.m@champion') AS version
            FROM STREAM a.b.t;
            CREATE MATERIALIZED VIEW a.b.best AS SELECT k,
              max(predict('a.ml.m@champion', x, 1)) AS score,
              max(model_version('a.ml.m@champion')) AS version
            FROM a.b.t GROUP BY k;
            """;

    @TempDir Path folder;

    private Path first;
    private Path second;

    @BeforeEach
    void writeModels() throws IOException {
        first = LinearModel.write(folder.resolve("1"), 0.5f, 2, 10);
        second = LinearModel.write(folder.resolve("2"), 0.5f, -2, 10);
    }

    @Test
    void scoresEqualTheRuntimesOwnWhateverRowsStandTogether() throws Exception {
        var weights = new float[] {0.3f, -1.7f, 2.5f, 0.01f, 99, -3, 0.7f, 0.11f, -0.2f, 5};
        var model = LinearModel.write(folder.resolve("10"), 0.25f, weights);
        var random = new SplittableRandom(7);
        var rows = new ArrayList<double[]>();
        for (int i = 0; i < 5_000; i++) {
            rows.add(random.doubles(weights.length, -1e3, 1e3).toArray());
        }
        try (var opened = OnnxModel.open(model)) {
            var together = opened.score(rows);
            for (var size : List.of(1, 2, 3, 7, 17, 100, 1_999)) {
                var apart = new ArrayList<Double>();
                for (int from = 0; from < 2_000; from += size) {
                    for (var score : opened.score(rows.subList(from, from + size))) {
                        apart.add(score);
                    }
                }
                for (int i = 0; i < apart.size(); i++) {
                    assertThat(apart.get(i)).as("row %d by %d", i, size).isEqualTo(together[i]);
                }
            }
            assertThat(together).isEqualTo(direct(model, rows));
        }
    }

    private static double[] direct(Path model, List<double[]> rows) throws Exception {
        var environment = OrtEnvironment.getEnvironment();
        var matrix = new float[rows.size()][];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = new float[rows.get(i).length];
            for (int j = 0; j < matrix[i].length; j++) {
                matrix[i][j] = (float) rows.get(i)[j];
            }
        }
        try (var session =
                        environment.createSession(
                                model.resolve("model.onnx").toString(),
                                new OrtSession.SessionOptions());
                var tensor = OnnxTensor.createTensor(environment, matrix);
                var result = session.run(java.util.Map.of("x", tensor))) {
            var scores = (float[][]) result.get(0).getValue();
            var flat = new double[scores.length];
            for (int i = 0; i < flat.length; i++) {
                flat[i] = scores[i][0];
            }
            return flat;
        }
    }

    @Test
    void aSignatureThatIsNotTheGraphsIsRefused() throws Exception {
        var file = first.resolve("MLmodel");
        var text = Files.readString(file);
        Files.writeString(file, text.replace("float32", "int64"));
        assertThatThrownBy(() -> OnnxModel.open(first))
                .hasMessageContaining("its graph gives DOUBLE, and its signature says BIGINT");
        Files.writeString(file, text.replace("\"f2\"", "\"f2\"}, {\"type\": \"long\""));
        assertThatThrownBy(() -> OnnxModel.open(first))
                .hasMessageContaining("its graph takes 2 features, and its signature names 3");
    }

    @Test
    void sqlGivesTheSameScoresAndNamesTheFeatureThatIsNull() throws Exception {
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var model = OnnxModel.open(first)) {
            Predictor.register(connection, new ModelUse("a.ml.m", 1), model);
            var function = Predictor.function(new ModelUse("a.ml.m", 1));
            try (var statement = connection.createStatement();
                    var result =
                            statement.executeQuery(
                                    "SELECT i, %s('p', i / 7.0::DOUBLE, i) FROM range(5000) r(i)"
                                            .formatted(function))) {
                while (result.next()) {
                    var i = result.getLong(1);
                    var expected = model.score(List.of(new double[] {i / 7.0, i}))[0];
                    assertThat(result.getDouble(2)).isEqualTo(expected);
                }
            }
            try (var statement = connection.createStatement()) {
                var sql = "SELECT %s('p.sql:3:1', NULL::DOUBLE, 1)".formatted(function);
                assertThatThrownBy(() -> statement.executeQuery(sql))
                        .hasMessageContaining("p.sql:3:1: feature 'f1' of a.ml.m/1 is NULL");
            }
        }
    }

    @Test
    void wholeNumbersAreScoredToTheLastDigit() throws Exception {
        var large = (1L << 53) + 1;
        var model = LinearModel.whole(folder.resolve("whole"), LinearModel.INT64);
        assertThat(scored(model, String.valueOf(large))).isEqualTo(large);
        assertThat(scored(model, String.valueOf(Long.MIN_VALUE))).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void aWholeNumberThatTheGraphCannotTakeIsRefused() throws Exception {
        var model = LinearModel.whole(folder.resolve("whole"), LinearModel.INT32);
        assertThat(scored(model, "2147483647")).isEqualTo(Integer.MAX_VALUE);
        assertThatThrownBy(() -> scored(model, "2147483648"))
                .hasMessageContaining("p.sql:3:1: feature 'f1' of a.ml.m/1 is 2147483648")
                .hasMessageContaining("32 bits");
        try (var opened = OnnxModel.open(model)) {
            var rows = List.of(new double[] {1}, new double[] {-1L << 40});
            var wholes = List.of(new long[] {1}, new long[] {-1L << 40});
            assertThatThrownBy(() -> opened.score(rows, wholes))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("feature 'f1' of row 2 is -1099511627776");
        }
    }

    private static long scored(Path folder, String feature) throws SQLException {
        var use = new ModelUse("a.ml.m", 1);
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var model = OnnxModel.open(folder)) {
            Predictor.register(connection, use, model);
            try (var statement = connection.createStatement();
                    var result =
                            statement.executeQuery(
                                    "SELECT %s('p.sql:3:1', (%s)::BIGINT)"
                                            .formatted(Predictor.function(use), feature))) {
                result.next();
                return result.getLong(1);
            }
        }
    }

    @Test
    void aChangedAliasIsAnotherPlanThatRollsForward() {
        var world = new TestWorld(folder, program(1, first));
        world.models = _ -> first;
        world.start();
        world.send("a.b.t", row(1, 2.0), row(2, 3.0));
        world.settle();
        assertThat(world.inDelta("a.b.scored")).containsExactlyInAnyOrder("1|14.5|1", "2|26.5|1");
        assertThat(world.inDelta("a.b.best")).containsExactlyInAnyOrder("1|14.5|1", "2|16.5|1");
        world.land();
        world.close();

        var rolled = new TestWorld(folder, program(2, second));
        rolled.models = _ -> second;
        rolled.resume(world);
        rolled.start();
        rolled.send("a.b.t", row(3, 1.0));
        rolled.settle();
        assertThat(rolled.inDelta("a.b.scored"))
                .containsExactlyInAnyOrder("1|14.5|1", "2|26.5|1", "3|28.5|2");
        assertThat(rolled.inDelta("a.b.best"))
                .containsExactlyInAnyOrder("1|6.5|2", "2|4.5|2", "3|8.5|2");
        assertThat(rolled.run().audit()).allMatch(a -> a.missing() + a.surplus() == 0);
        rolled.close();
    }

    @Test
    void aNullFeatureStopsThePipelineAndNamesItsPlace() {
        var world = new TestWorld(folder, program(1, first));
        world.models = _ -> first;
        world.start();
        world.send("a.b.t", row(1, null));
        assertThat(world.run().advance(false))
                .isInstanceOfSatisfying(
                        PipelineRun.Advance.Failed.class,
                        failed ->
                                assertThat(failed.reason())
                                        .contains("p.sql:3:3: feature 'f1' of a.ml.m/1 is NULL"));
        world.close();
    }

    @Test
    void aFolderThatIsNoModelIsRefusedWithWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> OnnxModel.open(folder.resolve("none")))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("has no file MLmodel");
        Files.write(first.resolve("model.onnx"), new byte[] {1, 2, 3});
        assertThatThrownBy(() -> OnnxModel.open(first))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("cannot be scored");
        Files.copy(
                LinearModel.write(folder.resolve("3"), 0, 1, 2, 3).resolve("model.onnx"),
                second.resolve("model.onnx"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> OnnxModel.open(second))
                .hasMessageContaining("its graph takes 3 features, and its signature names 2");
        Files.writeString(first.resolve("MLmodel"), "flavors:\n  sklearn: {}\n");
        assertThatThrownBy(() -> OnnxModel.open(first)).hasMessageContaining("and not onnx");
    }

    private Program program(int version, Path model) {
        ModelReference.Resolver resolver =
                written -> {
                    try (var opened = OnnxModel.open(model)) {
                        return new ModelReference.Resolved(
                                written,
                                "a.ml.m",
                                version,
                                opened.signature().features(),
                                opened.signature().output());
                    }
                };
        return Program.of(
                CompilerProcess.compile(
                                "p",
                                List.of(new SourceText("p.sql", TEXT)),
                                Map.of(),
                                resolver,
                                folder.resolve("plans"))
                        .orThrow());
    }
}
