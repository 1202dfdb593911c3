package dev.lakemill.pipeline;

import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBDataChunkReader;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBReadableVector;
import org.duckdb.DuckDBWritableVector;

/**
 * Models as functions of an engine: {@code "predict main.ml.rank/3"(place, f1, ...)}, vectorised.
 * The place in the pipeline's text is for the message of a feature that cannot be scored.
 */
public final class Predictor implements AutoCloseable {
    private final List<OnnxModel> open = new ArrayList<>();

    /** SQL name of the function of a version. */
    public static String function(ModelUse use) {
        return DuckPrinter.quoted("predict " + use);
    }

    /** Opens the models and makes a function of each. */
    static Predictor register(
            Connection connection, Iterable<ModelUse> uses, Function<ModelUse, Path> folders) {
        var predictor = new Predictor();
        try {
            for (var use : uses) {
                var model = OnnxModel.open(folders.apply(use));
                predictor.open.add(model);
                register(connection, use, model);
            }
            return predictor;
        } catch (SQLException e) {
            predictor.close();
            throw new DuckException(e);
        } catch (RuntimeException | Error e) {
            predictor.close();
            throw e;
        }
    }

    /**
     * Makes the function of a version; the model stays the caller's, until after the connection.
     */
    public static void register(Connection connection, ModelUse use, OnnxModel model)
            throws SQLException {
        try (var builder = DuckDBFunctions.scalarFunction()) {
            builder.withName("predict " + use).withParameter(DuckDBColumnType.VARCHAR);
            for (var feature : model.signature().features()) {
                builder.withParameter(type(feature));
            }
            builder.withReturnType(
                            model.signature().output() == Primitive.LONG
                                    ? DuckDBColumnType.BIGINT
                                    : DuckDBColumnType.DOUBLE)
                    .withVectorizedFunction((in, out) -> score(use, model, in, out))
                    .register(connection);
        }
    }

    @Override
    public void close() {
        open.forEach(OnnxModel::close);
        open.clear();
    }

    private static DuckDBColumnType type(Column feature) {
        return switch (feature.type()) {
            case Primitive.DOUBLE -> DuckDBColumnType.DOUBLE;
            case Primitive.LONG -> DuckDBColumnType.BIGINT;
            case Primitive.BOOLEAN -> DuckDBColumnType.BOOLEAN;
            default -> throw new IllegalStateException("a signature has three types");
        };
    }

    private static void score(
            ModelUse use, OnnxModel model, DuckDBDataChunkReader in, DuckDBWritableVector out) {
        for (long from = 0; from < in.rowCount(); from += OnnxModel.ROWS_MAX) {
            try {
                model.score(
                        (int) Math.min(OnnxModel.ROWS_MAX, in.rowCount() - from),
                        features(model, in, from),
                        new Given(out, from));
            } catch (OnnxModel.RefusedFeature e) {
                throw new IllegalArgumentException(
                        "%s: feature '%s' of %s is %s; %s"
                                .formatted(
                                        in.vector(0).getString(0), e.feature, use, e.is, e.hint));
            }
        }
    }

    private record Given(DuckDBWritableVector out, long first) implements OnnxModel.Scores {
        @Override
        public void set(int row, double score) {
            out.setDouble(first + row, score);
        }

        @Override
        public void setWhole(int row, long score) {
            out.setLong(first + row, score);
        }
    }

    private static List<OnnxModel.Feature> features(
            OnnxModel model, DuckDBDataChunkReader in, long first) {
        var features = new ArrayList<OnnxModel.Feature>();
        for (int i = 0; i < model.signature().features().size(); i++) {
            var vector = in.vector(i + 1L);
            features.add(
                    switch (model.signature().features().get(i).type()) {
                        case Primitive.DOUBLE -> new Doubles(vector, first);
                        case Primitive.LONG -> new Longs(vector, first);
                        default -> new Booleans(vector, first);
                    });
        }
        return features;
    }

    private record Doubles(DuckDBReadableVector vector, long first) implements OnnxModel.Feature {
        @Override
        public boolean isNull(int row) {
            return vector.isNull(first + row);
        }

        @Override
        public double value(int row) {
            return vector.getDouble(first + row);
        }

        @Override
        public long whole(int row) {
            throw new IllegalStateException("a graph of whole numbers takes no DOUBLE");
        }
    }

    private record Longs(DuckDBReadableVector vector, long first) implements OnnxModel.Feature {
        @Override
        public boolean isNull(int row) {
            return vector.isNull(first + row);
        }

        @Override
        public double value(int row) {
            return whole(row);
        }

        @Override
        public long whole(int row) {
            return vector.getLong(first + row);
        }
    }

    private record Booleans(DuckDBReadableVector vector, long first) implements OnnxModel.Feature {
        @Override
        public boolean isNull(int row) {
            return vector.isNull(first + row);
        }

        @Override
        public double value(int row) {
            return whole(row);
        }

        @Override
        public long whole(int row) {
            return vector.getBoolean(first + row) ? 1 : 0;
        }
    }
}
