package dev.lakemill.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.plan.Function;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBScalarFunctionBuilder;
import org.jspecify.annotations.Nullable;

/**
 * What Spark computes in Java and DuckDB has not, or has with another meaning: registered with a
 * connection before plans run there, under names of our own.
 */
public final class JavaFunctions {
    /** The left operand; then the operator, the scale of the result, a colon and the right one. */
    static final String DECIMAL = "lakemill_decimal";

    /** Of a text; then {@code ?} or {@code !} as it is tried or not, the type, and the place. */
    static final String TIMESTAMP = "lakemill_timestamp";

    private static final int QUOTIENT_SCALE = 38;
    private static final ObjectMapper JSON = new ObjectMapper();

    private JavaFunctions() {}

    static String name(Function function) {
        return "lakemill_" + function.name().toLowerCase(Locale.ROOT);
    }

    /** How many arguments the function takes at most. */
    static int arguments(Function function) {
        return switch (function) {
            case SOUNDEX -> 1;
            case SUBSTRING_INDEX, SPLIT -> 3;
            default -> 2;
        };
    }

    /**
     * Registers all with the database of the connection, and has it compute what is written: DuckDB
     * would make sum(a) + count(a) of sum(a + 1), which does not overflow, and give a column of one
     * table's the values of another's where branches of a union share outer joins.
     */
    public static void install(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(
                    "SET disabled_optimizers = 'aggregate_function_rewriter,common_subplan'");
        }
        numbers(connection);
        texts(connection);
    }

    private static void numbers(Connection duck) throws SQLException {
        unary(duck, Function.SINH, Math::sinh);
        unary(duck, Function.COSH, Math::cosh);
        unary(duck, Function.TANH, Math::tanh);
        unary(duck, Function.RINT, Math::rint);
        binary(duck, Function.HYPOT, Math::hypot);
        binary(duck, Function.ROUND, DuckRounding::rounded);
        register(
                duck,
                "lakemill_shiftleft",
                b ->
                        b.withParameters(Integer.class, Integer.class)
                                .withReturnType(Integer.class)
                                .withIntFunction((value, places) -> value << places));
        register(
                duck,
                "lakemill_shiftright",
                b ->
                        b.withParameters(Integer.class, Integer.class)
                                .withReturnType(Integer.class)
                                .withIntFunction((value, places) -> value >> places));
        register(
                duck,
                "lakemill_shiftleft_bigint",
                b ->
                        b.withParameters(Long.class, Long.class)
                                .withReturnType(Long.class)
                                .withLongFunction((value, places) -> value << places));
        register(
                duck,
                "lakemill_shiftright_bigint",
                b ->
                        b.withParameters(Long.class, Long.class)
                                .withReturnType(Long.class)
                                .withLongFunction((value, places) -> value >> places));
    }

    private static void texts(Connection duck) throws SQLException {
        register(
                duck,
                DECIMAL,
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(String.class)
                                .withFunction(JavaFunctions.<String>of(JavaFunctions::decimal)));
        register(
                duck,
                TIMESTAMP,
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(Long.class)
                                .withFunction(JavaFunctions.<Long>of(JavaFunctions::timestamp)));
        register(
                duck,
                name(Function.SOUNDEX),
                b ->
                        b.withParameter(String.class)
                                .withReturnType(String.class)
                                .withFunction(JavaFunctions::soundex));
        register(
                duck,
                name(Function.LEVENSHTEIN),
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(Integer.class)
                                .withFunction(JavaFunctions.<Integer>of(SparkTexts::levenshtein)));
        register(
                duck,
                name(Function.FIND_IN_SET),
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(Integer.class)
                                .withFunction(JavaFunctions.<Integer>of(SparkTexts::findInSet)));
        register(
                duck,
                name(Function.GET_JSON_OBJECT),
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(String.class)
                                .withFunction(JavaFunctions.<String>of(JsonPaths::get)));
        // Functions take two arguments at most: the number comes before the other text.
        register(
                duck,
                name(Function.SUBSTRING_INDEX),
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(String.class)
                                .withFunction(
                                        JavaFunctions.<String>of(JavaFunctions::substringIndex)));
        register(
                duck,
                name(Function.SPLIT),
                b ->
                        b.withParameters(String.class, String.class)
                                .withReturnType(String.class)
                                .withFunction(JavaFunctions.<String>of(JavaFunctions::split)));
    }

    /** The driver gives NULLs even to functions that say they take none. */
    private static <R> BiFunction<@Nullable String, @Nullable String, @Nullable R> of(
            BiFunction<String, String, ? extends @Nullable R> function) {
        return (left, right) -> left == null || right == null ? null : function.apply(left, right);
    }

    /** As Spark computes: exactly, a quotient to 38 digits behind the point, then rounded. */
    private static String decimal(String left, String operation) {
        var colon = operation.indexOf(':');
        var scale = Integer.parseInt(operation.substring(1, colon));
        var a = new BigDecimal(left);
        var b = new BigDecimal(operation.substring(colon + 1));
        var exact =
                switch (operation.charAt(0)) {
                    case '+' -> a.add(b);
                    case '-' -> a.subtract(b);
                    case '*' -> a.multiply(b);
                    case '/' -> a.divide(b, QUOTIENT_SCALE, RoundingMode.HALF_UP);
                    default -> throw new IllegalArgumentException(operation);
                };
        return exact.setScale(scale, RoundingMode.HALF_UP).toPlainString();
    }

    private static @Nullable Long timestamp(String text, String told) {
        var target = told.substring(1);
        try {
            var micros = SparkTimes.micros(text, !target.startsWith("TIMESTAMP_NTZ"));
            if (micros != null || told.startsWith("?")) {
                return micros;
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "'%s' cannot be cast to %s: %s".formatted(text, target, e.getMessage()), e);
        }
        throw new IllegalArgumentException("'%s' cannot be cast to %s".formatted(text, target));
    }

    private static @Nullable String soundex(@Nullable String text) {
        return text == null ? null : SparkTexts.soundex(text);
    }

    private static String substringIndex(String text, String numbered) {
        var colon = numbered.indexOf(':');
        return SparkTexts.substringIndex(
                text,
                numbered.substring(colon + 1),
                Integer.parseInt(numbered.substring(0, colon)));
    }

    private static String split(String text, String numbered) {
        var colon = numbered.indexOf(':');
        var parts =
                SparkTexts.split(
                        text,
                        numbered.substring(colon + 1),
                        Integer.parseInt(numbered.substring(0, colon)));
        return JSON.valueToTree(parts).toString();
    }

    private static void unary(Connection duck, Function function, DoubleUnaryOperator operator)
            throws SQLException {
        register(
                duck,
                name(function),
                b ->
                        b.withParameter(Double.class)
                                .withReturnType(Double.class)
                                .withDoubleFunction(operator));
    }

    private static void binary(Connection duck, Function function, DoubleBinaryOperator operator)
            throws SQLException {
        register(
                duck,
                name(function),
                b ->
                        b.withParameters(Double.class, Double.class)
                                .withReturnType(Double.class)
                                .withDoubleFunction(operator));
    }

    /** What gives a function its body. */
    private interface Body {
        DuckDBScalarFunctionBuilder of(DuckDBScalarFunctionBuilder builder) throws SQLException;
    }

    private static void register(Connection duck, String name, Body body) throws SQLException {
        try (var builder = DuckDBFunctions.scalarFunction()) {
            var _ = body.of(builder.withName(name)).withNullInNullOut().register(duck);
        }
    }
}
