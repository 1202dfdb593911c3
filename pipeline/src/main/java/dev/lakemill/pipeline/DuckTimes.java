package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints functions of dates and times. Both engines count microseconds in UTC; differences and sums
 * run over whole numbers, since DuckDB's intervals compare and normalise in their own way.
 */
final class DuckTimes {
    private static final Map<String, String> UNITS =
            Map.ofEntries(
                    Map.entry("YEAR", "year"),
                    Map.entry("YYYY", "year"),
                    Map.entry("YY", "year"),
                    Map.entry("QUARTER", "quarter"),
                    Map.entry("MONTH", "month"),
                    Map.entry("MM", "month"),
                    Map.entry("MON", "month"),
                    Map.entry("WEEK", "week"),
                    Map.entry("DAY", "day"),
                    Map.entry("DD", "day"),
                    Map.entry("HOUR", "hour"),
                    Map.entry("MINUTE", "minute"),
                    Map.entry("SECOND", "second"),
                    Map.entry("MILLISECOND", "millisecond"),
                    Map.entry("MICROSECOND", "microsecond"));

    private static final Map<String, Long> UNIT_MICROS =
            Map.of(
                    "MICROSECOND", 1L,
                    "MILLISECOND", 1_000L,
                    "SECOND", 1_000_000L,
                    "MINUTE", 60_000_000L,
                    "HOUR", 3_600_000_000L,
                    "DAY", 86_400_000_000L,
                    "DAYOFYEAR", 86_400_000_000L,
                    "WEEK", 604_800_000_000L);

    private static final Map<String, Integer> UNIT_MONTHS =
            Map.of("MONTH", 1, "QUARTER", 3, "YEAR", 12);

    private final Call call;
    private final List<String> a;

    DuckTimes(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        return switch (call.function()) {
            case YEAR -> part("year(%s)");
            case QUARTER -> part("quarter(%s)");
            case MONTH -> part("month(%s)");
            case DAY -> part("day(%s)");
            case DAY_OF_WEEK -> part("dayofweek(%s) + 1");
            case WEEKDAY -> part("isodow(%s) - 1");
            case DAY_OF_YEAR -> part("dayofyear(%s)");
            case WEEK_OF_YEAR -> part("weekofyear(%s)");
            case HOUR -> part("hour(%s)");
            case MINUTE -> part("minute(%s)");
            case SECOND -> part("second(%s)");
            case SECOND_WITH_FRACTION ->
                    "CAST(CAST(microsecond(%s) AS DECIMAL(19,0)) * 0.000001 AS DECIMAL(8,6))"
                            .formatted(a.get(0));
            case DATE_TRUNC -> "date_trunc('%s', %s)".formatted(unit(0), a.get(1));
            case TRUNC -> date("date_trunc('%s', %s)".formatted(unit(1), a.get(0)));
            case DATE_ADD -> "(%s + %s)".formatted(a.get(0), integer(a.get(1)));
            case DATE_SUB -> "(%s - %s)".formatted(a.get(0), integer(a.get(1)));
            case DATE_DIFF -> part("%s - %s");
            case ADD_MONTHS -> date(plusMonths());
            case LAST_DAY -> "last_day(" + a.get(0) + ")";
            case MAKE_DATE -> DuckFunctions.function("make_date", a);
            case UNIX_DATE -> part("%s - DATE '1970-01-01'");
            case DATE_FROM_UNIX_DATE -> "(DATE '1970-01-01' + %s)".formatted(integer(a.get(0)));
            case UNIX_SECONDS -> seconds(a.get(0));
            case UNIX_MILLIS ->
                    "(epoch_us(date_trunc('millisecond', %s)) // 1000)".formatted(a.get(0));
            case UNIX_MICROS -> micros(a.get(0));
            case TIMESTAMP_SECONDS -> fromSeconds();
            case TIMESTAMP_MILLIS -> "make_timestamp(%s * 1000)".formatted(bigint(a.get(0)));
            case TIMESTAMP_MICROS -> "make_timestamp(%s)".formatted(bigint(a.get(0)));
            case TIMESTAMP_ADD_MICROS ->
                    "make_timestamp(%s + %s)".formatted(micros(a.get(0)), a.get(1));
            case TIMESTAMP_ADD_MONTHS -> plusMonths();
            case TIMESTAMP_SUBTRACT -> "(%s - %s)".formatted(micros(a.get(0)), micros(a.get(1)));
            case TIMESTAMP_DIFF -> difference();
            case NEXT_DAY -> nextDay();
            case MONTHS_BETWEEN -> monthsBetween();
            case DATE_FORMAT ->
                    "strftime(%s, %s)"
                            .formatted(
                                    a.get(0),
                                    DuckExpressions.text(
                                            DuckDatePattern.of(
                                                    call,
                                                    DuckFunctions.constant(
                                                            call,
                                                            1,
                                                            "date_format() by a pattern"))));
            default -> throw new IllegalArgumentException("not of times: " + call.function());
        };
    }

    private static final List<String> DAYS = List.of("MO", "TU", "WE", "TH", "FR", "SA", "SU");

    private String nextDay() {
        var name = DuckFunctions.constant(call, 1, "next_day() of a day").toUpperCase(Locale.ROOT);
        var isDay =
                name.matches("MO(N(DAY)?)?|TU(E(SDAY)?)?|WE(D(NESDAY)?)?|TH(U(RSDAY)?)?")
                        || name.matches("FR(I(DAY)?)?|SA(T(URDAY)?)?|SU(N(DAY)?)?");
        if (!isDay) {
            throw DuckRefusal.of(call.position(), "day '%s'".formatted(name), "for example 'MON'");
        }
        return "(%1$s + CAST(1 + (%2$d - isodow(%1$s) + 13) %% 7 AS INTEGER))"
                .formatted(a.get(0), 1 + DAYS.indexOf(name.substring(0, 2)));
    }

    /** A month has 31 days here, and whole months count where both are the same or last days. */
    private String monthsBetween() {
        var months = "((year(%1$s) - year(%2$s)) * 12 + month(%1$s) - month(%2$s))";
        var seconds = "(epoch_us(%1$s) - epoch_us(date_trunc('day', %1$s))) // 1000000";
        var rest =
                "((day(%1$s) - day(%2$s)) * 86400 + %3$s - %4$s)"
                        .formatted(
                                a.get(0),
                                a.get(1),
                                seconds.formatted(a.get(0)),
                                seconds.formatted(a.get(1)));
        var exact =
                "(%s + CAST(%s AS DOUBLE) / 2678400)"
                        .formatted(months.formatted(a.toArray()), rest);
        var isRounded = DuckFunctions.constant(call, 2, "months_between() rounded").equals("true");
        return "(CASE WHEN day(%1$s) = day(%2$s) OR CAST(%1$s AS DATE) = last_day(%1$s) AND CAST(%2$s AS DATE) = last_day(%2$s) THEN CAST(%3$s AS DOUBLE) ELSE %4$s END)"
                .formatted(
                        a.get(0),
                        a.get(1),
                        months.formatted(a.toArray()),
                        isRounded
                                ? "floor(%s * 100000000 + 0.5e0) / 100000000".formatted(exact)
                                : exact);
    }

    private String part(String form) {
        return integer(form.formatted(a.toArray()));
    }

    private static String integer(String value) {
        return DuckTypes.cast(value, Primitive.INTEGER);
    }

    private static String bigint(String value) {
        return DuckTypes.cast(value, Primitive.LONG);
    }

    private static String date(String value) {
        return DuckTypes.cast(value, Primitive.DATE);
    }

    private static String micros(String time) {
        return "epoch_us(" + time + ")";
    }

    /** Whole seconds since 1970, towards the past. */
    static String seconds(String time) {
        return "(epoch_us(date_trunc('second', %s)) // 1000000)".formatted(time);
    }

    private String unit(int index) {
        var unit = DuckFunctions.constant(call, index, "truncation to a unit");
        var found = UNITS.get(unit.toUpperCase(Locale.ROOT));
        if (found == null) {
            throw DuckRefusal.of(
                    call.position(), "unit '%s'".formatted(unit), "for example 'HOUR'");
        }
        return found;
    }

    private String plusMonths() {
        return "(%s + to_months(%s))".formatted(a.get(0), integer(a.get(1)));
    }

    private String fromSeconds() {
        DataType type = DuckFunctions.argumentType(call, 0);
        if (DuckTypes.isIntegral(type)) {
            return "make_timestamp(%s * 1000000)".formatted(bigint(a.get(0)));
        }
        if (type instanceof Decimal decimal && decimal.scale() <= 6 && decimal.precision() <= 31) {
            return "make_timestamp(CAST(CAST(%s AS DECIMAL(38,%d)) * 1000000 AS BIGINT))"
                    .formatted(a.get(0), decimal.scale());
        }
        throw DuckRefusal.of(
                call.position(),
                "timestamp_seconds() of %s".formatted(type.sql()),
                "use timestamp_micros(CAST(floor(x * 1000000) AS BIGINT))");
    }

    private String difference() {
        var unit = DuckFunctions.constant(call, 0, "timestampdiff() in a unit");
        var micros = UNIT_MICROS.get(unit);
        if (micros != null) {
            var between = "(%s - %s)".formatted(micros(a.get(2)), micros(a.get(1)));
            return micros == 1 ? between : "(%s // %d)".formatted(between, micros);
        }
        var months = UNIT_MONTHS.get(unit);
        if (months == null) {
            throw DuckRefusal.of(call.position(), "unit " + unit, "for example HOUR");
        }
        return monthsBetween(months);
    }

    /**
     * As java.time counts: the end's date is moved a day towards the start where its time of day
     * lies on the near side of the start's; then months of 32 days each are compared.
     */
    private String monthsBetween(int months) {
        var start = a.get(1);
        var end = a.get(2);
        var startDay = date(start);
        var endDay = date(end);
        var moved =
                "(%2$s - CASE WHEN %2$s > %1$s AND %4$s < %3$s THEN 1 WHEN %2$s < %1$s AND %4$s > %3$s THEN -1 ELSE 0 END)"
                        .formatted(startDay, endDay, timeOfDay(start), timeOfDay(end));
        var packed = "((year(%1$s) * 12 + month(%1$s)) * 32 + day(%1$s))";
        var between =
                "((%s - %s) // 32)".formatted(packed.formatted(moved), packed.formatted(startDay));
        return bigint(months == 1 ? between : between + " // " + months);
    }

    private static String timeOfDay(String time) {
        return "(epoch_us(%1$s) - epoch_us(date_trunc('day', %1$s)))".formatted(time);
    }
}
