package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.pipeline.ModelSignature;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rows of a request in MLflow's form, each as wide as a model's signature.
 *
 * @param numbers NaN for a feature without a value
 * @param wholes of the same rows the whole numbers and booleans, exactly; 0 for other features
 */
record ScoredRows(List<double[]> numbers, List<long[]> wholes) {
    static final int ROWS_MAX = 10_000;

    private static final double LONG_END = 0x1p63;

    private interface Cell {
        JsonNode of(JsonNode row, int feature);
    }

    /**
     * @throws LakemillException INVALID_ARGUMENT for a value that is not one of its feature
     */
    static ScoredRows of(JsonNode request, ModelSignature signature) {
        var names = signature.features().stream().map(c -> c.name()).toList();
        var split = request.path("dataframe_split");
        var records = request.path("dataframe_records");
        if (split.path("data").isArray()) {
            var columns = new ArrayList<String>();
            split.path("columns").forEach(c -> columns.add(c.asText()));
            var order =
                    columns.isEmpty()
                            ? IntStream.range(0, names.size()).toArray()
                            : names.stream().mapToInt(columns::indexOf).toArray();
            return of(split.path("data"), signature, (row, i) -> row.path(order[i]));
        }
        if (records.isArray()) {
            return of(records, signature, (row, i) -> row.path(names.get(i)));
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the request has no rows",
                "send {\"dataframe_split\": {\"columns\": [...], \"data\": [[...]]}}, or"
                        + " {\"dataframe_records\": [{...}]}");
    }

    private static ScoredRows of(JsonNode given, ModelSignature signature, Cell cell) {
        if (given.size() > ROWS_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "the request has %d rows".formatted(given.size()),
                    "send at most %d".formatted(ROWS_MAX));
        }
        var rows = new ScoredRows(new ArrayList<>(), new ArrayList<>());
        for (var row : given) {
            var numbers = new double[signature.features().size()];
            var wholes = new long[numbers.length];
            for (int i = 0; i < numbers.length; i++) {
                var value = cell.of(row, i);
                if (!isOf(value, signature, i)) {
                    throw refused(value, signature, i, rows.numbers.size());
                }
                numbers[i] = number(value);
                wholes[i] =
                        signature.features().get(i).type() == Primitive.DOUBLE ? 0 : whole(value);
            }
            rows.numbers.add(numbers);
            rows.wholes.add(wholes);
        }
        return rows;
    }

    private static boolean isOf(JsonNode cell, ModelSignature signature, int index) {
        var feature = signature.features().get(index);
        if (cell.isNull() || cell.isMissingNode()) {
            return feature.nullable();
        }
        if (cell.isBoolean()) {
            return true;
        }
        return cell.isNumber()
                && switch (feature.type()) {
                    case Primitive.LONG -> isWhole(cell);
                    case Primitive.BOOLEAN -> cell.asDouble() == 0 || cell.asDouble() == 1;
                    default -> true;
                };
    }

    private static boolean isWhole(JsonNode cell) {
        var number = cell.asDouble();
        return cell.isIntegralNumber()
                ? cell.canConvertToLong()
                : number == Math.rint(number) && Math.abs(number) < LONG_END;
    }

    private static double number(JsonNode cell) {
        if (cell.isBoolean()) {
            return cell.asBoolean() ? 1 : 0;
        }
        return cell.isNumber() ? cell.asDouble() : Double.NaN;
    }

    private static long whole(JsonNode cell) {
        return cell.isIntegralNumber() ? cell.asLong() : (long) number(cell);
    }

    private static LakemillException refused(
            JsonNode cell, ModelSignature signature, int index, int row) {
        var feature = signature.features().get(index);
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "feature '%s' of row %d is %s, not a %s"
                        .formatted(
                                feature.name(),
                                row + 1,
                                cell.isMissingNode() ? "missing" : cell,
                                feature.type().sql()),
                "the signature is %s"
                        .formatted(
                                signature.features().stream()
                                        .map(c -> c.name() + " " + c.type().sql())
                                        .toList()));
    }
}
