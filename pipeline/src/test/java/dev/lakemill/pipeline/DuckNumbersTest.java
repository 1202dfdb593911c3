package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Compares printed arithmetic over many random values with Java's, by the formulas that Spark
 * itself uses. The seed stands in each failure.
 */
final class DuckNumbersTest {
    private static final SourcePosition POSITION = new SourcePosition("a.sql", 1, 1);
    private static final int VALUES = 4_000;

    private final long seed = Long.getLong("lakemill.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private Connection duck;

    @BeforeEach
    void open() throws SQLException {
        duck = DriverManager.getConnection("jdbc:duckdb:");
        JavaFunctions.install(duck);
    }

    @AfterEach
    void close() throws SQLException {
        duck.close();
    }

    @Test
    void doublesRoundByTheirShortestText() throws SQLException {
        var doubles = Stream.generate(this::aDouble).limit(VALUES).toList();
        for (var digits : List.of(0, 1, 2, 4, 9)) {
            check(
                    call(Function.ROUND, Primitive.DOUBLE, a(Primitive.DOUBLE), digits(digits)),
                    doubles,
                    doubles,
                    (x, _) -> rounded(x, digits));
        }
    }

    @Test
    void doublesBecomeDecimalsByTheirShortestText() throws SQLException {
        var doubles = Stream.generate(this::aDouble).limit(VALUES).toList();
        for (var type : List.of(new Decimal(38, 4), new Decimal(38, 0), new Decimal(38, 10))) {
            check(
                    cast(a(Primitive.DOUBLE), type),
                    doubles,
                    doubles,
                    (x, _) ->
                            new BigDecimal(Double.toString(x))
                                    .setScale(type.scale(), RoundingMode.HALF_UP)
                                    .toPlainString());
        }
    }

    @Test
    void doublesAndFloatsAreWrittenAsJavaWritesThem() throws SQLException {
        var doubles =
                values(
                        Stream.generate(this::aDouble),
                        Stream.generate(() -> Double.longBitsToDouble(random.nextLong()))
                                .filter(Double::isFinite),
                        Stream.iterate(Double.MIN_VALUE, Double::isFinite, x -> x * 2));
        check(
                cast(a(Primitive.DOUBLE), Primitive.STRING),
                doubles,
                doubles,
                (x, _) -> Double.toString(x));
        var floats =
                values(
                        Stream.generate(() -> aDouble().floatValue()),
                        Stream.generate(() -> Float.intBitsToFloat(random.nextInt()))
                                .filter(Float::isFinite),
                        Stream.iterate(Float.MIN_VALUE, Float::isFinite, x -> x * 2));
        check(
                cast(a(Primitive.FLOAT), Primitive.STRING),
                floats,
                floats,
                (x, _) -> Float.toString(x));
    }

    private static <T> List<T> values(Stream<T> some, Stream<T> any, Stream<T> powers) {
        return Stream.of(some.limit(VALUES / 2), any.limit(VALUES / 2), powers)
                .flatMap(part -> part)
                .toList();
    }

    @Test
    void decimalsBecomeTheNearestDouble() throws SQLException {
        for (var type : List.of(new Decimal(38, 6), new Decimal(22, 4), new Decimal(18, 10))) {
            var decimals = Stream.generate(() -> aDecimal(type)).limit(VALUES).toList();
            check(
                    cast(a(type), Primitive.DOUBLE),
                    decimals,
                    decimals,
                    (x, _) -> Double.toString(x.doubleValue()));
        }
    }

    @Test
    void decimalsDivideAsInSpark() throws SQLException {
        for (var types :
                List.of(
                        List.of(new Decimal(10, 4), new Decimal(10, 4), new Decimal(25, 15)),
                        List.of(new Decimal(20, 4), new Decimal(20, 0), new Decimal(38, 22)),
                        List.of(new Decimal(38, 6), new Decimal(1, 0), new Decimal(38, 6)),
                        List.of(new Decimal(10, 4), new Decimal(20, 2), new Decimal(33, 25)),
                        List.of(new Decimal(5, 0), new Decimal(18, 18), new Decimal(38, 14)))) {
            var dividends = Stream.generate(() -> aDecimal(types.get(0))).limit(VALUES).toList();
            var divisors = Stream.generate(() -> aDivisor(types.get(1))).limit(VALUES).toList();
            check(
                    call(
                            Function.DIVIDE,
                            types.get(2),
                            a(types.get(0)),
                            reference(1, "b", types.get(1))),
                    dividends,
                    divisors,
                    (x, y) -> quotient(x, y, types.get(2)));
        }
    }

    @Test
    void monthsBetweenTimesAreCountedAsJavaCounts() throws SQLException {
        var starts = Stream.generate(this::aTime).limit(VALUES).toList();
        var ends = Stream.generate(this::aTime).limit(VALUES).toList();
        check(
                call(
                        Function.TIMESTAMP_DIFF,
                        Primitive.LONG,
                        new Expression.Literal(Primitive.STRING, "MONTH"),
                        a(Primitive.TIMESTAMP),
                        reference(1, "b", Primitive.TIMESTAMP)),
                starts,
                ends,
                (x, y) -> Long.toString(ChronoUnit.MONTHS.between(time(x), time(y))));
    }

    /** With the result as text: nothing if Spark fails, which DuckDB then has to do too. */
    private <T> void check(
            Expression expression,
            List<? extends T> first,
            List<? extends T> second,
            BiFunction<T, T, @Nullable String> java)
            throws SQLException {
        var printer = new DuckPrinter(_ -> "t", "now()");
        var typeA = type(first.getFirst());
        var typeB = type(second.getFirst());
        try (var statement = duck.createStatement()) {
            for (int from = 0; from < first.size(); from += 500) {
                var rows = new ArrayList<String>();
                for (int i = from; i < Math.min(from + 500, first.size()); i++) {
                    rows.add(
                            "(%d, CAST('%s' AS %s), CAST('%s' AS %s))"
                                    .formatted(
                                            i,
                                            text(first.get(i)),
                                            typeA,
                                            text(second.get(i)),
                                            typeB));
                }
                statement.execute("DROP TABLE IF EXISTS r");
                statement.execute(
                        "CREATE TABLE r AS SELECT i, %s AS a, %s AS b FROM (VALUES %s) AS t(i, x, y)"
                                .formatted(
                                        column("x", first.getFirst()),
                                        column("y", second.getFirst()),
                                        String.join(", ", rows)));
                var sql = "SELECT i, %s FROM r ORDER BY i".formatted(printer.condition(expression));
                try (var result = statement.executeQuery(sql)) {
                    while (result.next()) {
                        var i = result.getInt(1);
                        assertThat(told(result.getObject(2)))
                                .as("%s, %s; seed %d", first.get(i), second.get(i), seed)
                                .isEqualTo(java.apply(first.get(i), second.get(i)));
                    }
                }
            }
        }
    }

    private static String type(Object value) {
        return switch (value) {
            case Double _ -> "DOUBLE";
            case Float _ -> "FLOAT";
            case Long _ -> "BIGINT";
            case BigDecimal decimal -> "DECIMAL(38,%d)".formatted(decimal.scale());
            default -> throw new IllegalArgumentException();
        };
    }

    /** Times are handed over as microseconds. */
    private static String column(String name, Object value) {
        return value instanceof Long ? "make_timestamp(" + name + ")" : name;
    }

    private static String text(Object value) {
        return value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
    }

    private static String told(Object value) {
        return value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
    }

    private static String rounded(double value, int digits) {
        return Double.toString(
                new BigDecimal(Double.toString(value))
                        .setScale(digits, RoundingMode.HALF_UP)
                        .doubleValue());
    }

    private static String quotient(BigDecimal a, BigDecimal b, Decimal type) {
        return a.divide(b, 38, RoundingMode.HALF_UP)
                .setScale(type.scale(), RoundingMode.HALF_UP)
                .toPlainString();
    }

    private static LocalDateTime time(long micros) {
        return LocalDateTime.ofEpochSecond(
                Math.floorDiv(micros, 1_000_000L),
                (int) Math.floorMod(micros, 1_000_000L) * 1000,
                ZoneOffset.UTC);
    }

    /** Of every size, and often close to the half of a digit. */
    private Double aDouble() {
        var sign = random.nextBoolean() ? 1 : -1;
        return switch (random.nextInt(6)) {
            case 0 -> sign * random.nextDouble() * Math.pow(10, random.nextInt(24) - 8);
            case 1 -> sign * random.nextInt(2_000_000) / 1000.0;
            case 2 -> sign * (random.nextInt(100_000) + 0.5) / Math.pow(10, random.nextInt(6));
            case 3 -> sign * Math.nextUp((random.nextInt(100_000) + 0.5) / 100.0);
            case 4 -> sign * Math.nextDown((random.nextInt(100_000) + 0.5) / 100.0);
            default -> (double) (sign * random.nextLong(1L << 60));
        };
    }

    private BigDecimal aDecimal(Decimal type) {
        var digits = 1 + random.nextInt(type.precision());
        var unscaled = new BigInteger(digits * 10 / 3, random).mod(BigInteger.TEN.pow(digits));
        return new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), type.scale());
    }

    /** Large enough for the quotient to fit. */
    private BigDecimal aDivisor(Decimal type) {
        var divisor = aDecimal(type);
        var tooSmall = divisor.abs().compareTo(new BigDecimal("0.001")) < 0;
        return tooSmall
                ? BigDecimal.ONE
                        .setScale(type.scale())
                        .movePointLeft(type.scale() == 18 ? 1 : 0)
                        .setScale(type.scale())
                : divisor;
    }

    /** Often at a month's end and at the same time of day. */
    private Long aTime() {
        var day = LocalDateTime.of(1950 + random.nextInt(120), 1 + random.nextInt(12), 1, 0, 0);
        var moved = random.nextBoolean() ? day.minusDays(1) : day.plusDays(random.nextInt(28));
        var micros = ChronoUnit.MICROS.between(LocalDateTime.of(1970, 1, 1, 0, 0), moved);
        return micros + (random.nextBoolean() ? 43_200_000_000L : random.nextLong(86_400_000_000L));
    }

    private static Expression a(DataType type) {
        return reference(0, "a", type);
    }

    private static Expression reference(int id, String name, DataType type) {
        return new Expression.Reference(new Attribute(id, name, type, true));
    }

    private static Expression digits(int digits) {
        return new Expression.Literal(Primitive.INTEGER, Integer.toString(digits));
    }

    private static Expression call(Function function, DataType type, Expression... arguments) {
        return new Call(function, List.of(arguments), type, true, POSITION);
    }

    private static Expression cast(Expression value, DataType type) {
        return new Expression.Cast(value, type, false, true, POSITION);
    }
}
