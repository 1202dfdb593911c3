package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.catalyst.expressions.*;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.DayTimeIntervalType;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.FractionalType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;

/** Says Spark's arithmetic on times in microseconds, days and months. */
final class TimeLowering {
    private static final long DAY_MICROS = 86_400_000_000L;
    private static final long HOUR_MICROS = 3_600_000_000L;
    private static final long MINUTE_MICROS = 60_000_000L;

    private static final Map<String, Long> UNIT_MICROS =
            Map.of(
                    "MICROSECOND",
                    1L,
                    "MILLISECOND",
                    1_000L,
                    "SECOND",
                    1_000_000L,
                    "MINUTE",
                    MINUTE_MICROS,
                    "HOUR",
                    HOUR_MICROS,
                    "DAY",
                    DAY_MICROS,
                    "DAYOFYEAR",
                    DAY_MICROS,
                    "WEEK",
                    7 * DAY_MICROS);

    private static final Map<String, Long> UNIT_MONTHS =
            Map.of("MONTH", 1L, "QUARTER", 3L, "YEAR", 12L);

    private final ExpressionLowering values;

    TimeLowering(ExpressionLowering values) {
        this.values = values;
    }

    /** Empty for what has nothing to do with times. */
    Optional<Expression> lower(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return Optional.ofNullable(
                switch (e) {
                    case TimestampAddInterval add -> addInterval(add);
                    case TimestampAdd add -> add(add);
                    case TimestampDiff difference -> difference(difference);
                    case SubtractTimestamps subtract ->
                            values.call(
                                    Function.TIMESTAMP_SUBTRACT,
                                    subtract,
                                    subtract.left(),
                                    subtract.right());
                    case SubtractDates subtract -> subtractDates(subtract);
                    case MultiplyDTInterval multiply ->
                            multiply(multiply, multiply.interval(), multiply.num());
                    case MultiplyYMInterval multiply ->
                            multiply(multiply, multiply.interval(), multiply.num());
                    case ExtractANSIIntervalDays part ->
                            cast(part, divided(part, values.lower(part.child()), DAY_MICROS));
                    case ExtractANSIIntervalHours part ->
                            part(part, part.child(), DAY_MICROS, HOUR_MICROS);
                    case ExtractANSIIntervalMinutes part ->
                            part(part, part.child(), HOUR_MICROS, MINUTE_MICROS);
                    case UnixTimestamp unix -> unixTimestamp(unix, unix.timeExp());
                    case ToUnixTimestamp unix -> unixTimestamp(unix, unix.timeExp());
                    case PreciseTimestampConversion conversion ->
                            values.call(
                                    conversion.toType().equals(DataTypes.LongType)
                                            ? Function.UNIX_MICROS
                                            : Function.TIMESTAMP_MICROS,
                                    conversion,
                                    conversion.child());
                    case LocalTimestamp local ->
                            cast(
                                    local,
                                    values.call(
                                            Function.NOW, local, Primitive.TIMESTAMP, List.of()));
                    default -> null;
                });
    }

    private Expression addInterval(TimestampAddInterval add) {
        return add.interval().dataType() instanceof DayTimeIntervalType
                ? values.call(Function.TIMESTAMP_ADD_MICROS, add, add.start(), add.interval())
                : values.refuse(
                        add,
                        "an interval of months and days together is not supported",
                        "add INTERVAL n MONTH and INTERVAL m DAY one after the other");
    }

    private Expression add(TimestampAdd add) {
        var unit = add.unit().toUpperCase(Locale.ROOT);
        var time = values.lower(add.timestamp());
        var count = widened(add, values.lower(add.quantity()));
        var type = values.scope().type(add);
        if (UNIT_MONTHS.containsKey(unit)) {
            var months = times(add, count, UNIT_MONTHS.getOrDefault(unit, 1L));
            var narrow =
                    new Expression.Cast(
                            months,
                            Primitive.INTEGER,
                            false,
                            months.nullable(),
                            values.scope().position(add));
            return values.call(Function.TIMESTAMP_ADD_MONTHS, add, type, List.of(time, narrow));
        }
        var micros = times(add, count, UNIT_MICROS.getOrDefault(unit, 1L));
        return UNIT_MICROS.containsKey(unit)
                ? values.call(Function.TIMESTAMP_ADD_MICROS, add, type, List.of(time, micros))
                : values.refuse(add, "unit %s is not supported".formatted(unit), "use HOUR or DAY");
    }

    private Expression difference(TimestampDiff difference) {
        var unit = difference.unit().toUpperCase(Locale.ROOT);
        if (!UNIT_MICROS.containsKey(unit) && !UNIT_MONTHS.containsKey(unit)) {
            return values.refuse(
                    difference, "unit %s is not supported".formatted(unit), "use HOUR or DAY");
        }
        return values.call(
                Function.TIMESTAMP_DIFF,
                difference,
                Primitive.LONG,
                List.of(
                        new Expression.Literal(Primitive.STRING, unit),
                        values.lower(difference.startTimestamp()),
                        values.lower(difference.endTimestamp())));
    }

    private Expression subtractDates(SubtractDates subtract) {
        var days =
                values.call(
                        Function.DATE_DIFF,
                        subtract,
                        Primitive.INTEGER,
                        List.of(values.lower(subtract.left()), values.lower(subtract.right())));
        return times(subtract, widened(subtract, days), DAY_MICROS);
    }

    private Expression multiply(
            org.apache.spark.sql.catalyst.expressions.Expression e,
            org.apache.spark.sql.catalyst.expressions.Expression interval,
            org.apache.spark.sql.catalyst.expressions.Expression number) {
        if (number.dataType() instanceof FractionalType
                || number.dataType() instanceof DecimalType) {
            return values.refuse(
                    e,
                    "an interval times a fraction is not supported",
                    "multiply a smaller unit by a whole number");
        }
        var type = values.scope().type(e);
        var count = values.lower(number);
        var sameType =
                count.type().equals(type)
                        ? count
                        : new Expression.Cast(
                                count, type, false, count.nullable(), values.scope().position(e));
        return values.call(Function.MULTIPLY, e, type, List.of(values.lower(interval), sameType));
    }

    /** Of an interval the whole parts left over from the larger unit. */
    private Expression part(
            org.apache.spark.sql.catalyst.expressions.Expression e,
            org.apache.spark.sql.catalyst.expressions.Expression interval,
            long largerMicros,
            long unitMicros) {
        var rest =
                values.call(
                        Function.REMAINDER,
                        e,
                        Primitive.LONG,
                        List.of(values.lower(interval), micros(largerMicros)));
        return cast(e, divided(e, rest, unitMicros));
    }

    /** Whole seconds towards 1970, where unix_seconds goes towards the past. */
    private Expression unixTimestamp(
            org.apache.spark.sql.catalyst.expressions.Expression e,
            org.apache.spark.sql.catalyst.expressions.Expression time) {
        var argument = values.lower(time);
        if (time.dataType() instanceof DateType) {
            argument =
                    new Expression.Cast(
                            argument,
                            Primitive.TIMESTAMP,
                            false,
                            argument.nullable(),
                            values.scope().position(e));
        } else if (!(time.dataType() instanceof TimestampType
                || time.dataType() instanceof TimestampNTZType)) {
            return values.refuse(
                    e,
                    "%s() of a text is not supported".formatted(e.prettyName()),
                    "use unix_seconds(CAST(text AS TIMESTAMP))");
        }
        var micros = values.call(Function.UNIX_MICROS, e, Primitive.LONG, List.of(argument));
        return divided(e, micros, 1_000_000L);
    }

    private Expression divided(
            org.apache.spark.sql.catalyst.expressions.Expression e, Expression value, long by) {
        return values.call(Function.INTEGRAL_DIVIDE, e, Primitive.LONG, List.of(value, micros(by)));
    }

    private Expression times(
            org.apache.spark.sql.catalyst.expressions.Expression e, Expression value, long by) {
        return by == 1
                ? value
                : values.call(Function.MULTIPLY, e, Primitive.LONG, List.of(value, micros(by)));
    }

    private Expression widened(
            org.apache.spark.sql.catalyst.expressions.Expression e, Expression value) {
        return value.type() == Primitive.LONG
                ? value
                : new Expression.Cast(
                        value, Primitive.LONG, false, value.nullable(), values.scope().position(e));
    }

    /** To the type that Spark gives. */
    private Expression cast(
            org.apache.spark.sql.catalyst.expressions.Expression e, Expression value) {
        return new Expression.Cast(
                value, values.scope().type(e), false, value.nullable(), values.scope().position(e));
    }

    private static Expression micros(long value) {
        return new Expression.Literal(Primitive.LONG, Long.toString(value));
    }
}
