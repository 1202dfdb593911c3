package dev.lakemill.postgres;

import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints functions of dates and times; the session's zone, which is anyone's to set, has no say.
 */
final class PolicyTimes {
    /** Spark's units and Postgres's. */
    private static final Map<String, String> UNITS =
            Map.ofEntries(
                    Map.entry("SECOND", "second"),
                    Map.entry("MINUTE", "minute"),
                    Map.entry("HOUR", "hour"),
                    Map.entry("DAY", "day"),
                    Map.entry("DD", "day"),
                    Map.entry("WEEK", "week"),
                    Map.entry("MONTH", "month"),
                    Map.entry("MON", "month"),
                    Map.entry("MM", "month"),
                    Map.entry("QUARTER", "quarter"),
                    Map.entry("YEAR", "year"),
                    Map.entry("YYYY", "year"),
                    Map.entry("YY", "year"));

    private final Call call;
    private final List<String> a;

    PolicyTimes(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        return switch (call.function()) {
            case YEAR -> year();
            case MONTH -> part("month", a.getFirst());
            case DAY -> part("day", a.getFirst());
            case HOUR -> part("hour", wall(0));
            case MINUTE -> part("minute", wall(0));
            case DATE_TRUNC -> dateTrunc();
            case TRUNC ->
                    "CAST(date_trunc('%s', CAST(%s AS timestamp)) AS date)"
                            .formatted(unit(1), a.get(0));
            case DATE_ADD -> "(" + a.get(0) + " + CAST(" + a.get(1) + " AS integer))";
            case DATE_SUB -> "(" + a.get(0) + " - CAST(" + a.get(1) + " AS integer))";
            case DATE_DIFF -> "(" + a.get(0) + " - " + a.get(1) + ")";
            default -> throw new IllegalArgumentException("not of times: " + call.function());
        };
    }

    /** The year before 1 is 0 for Spark and -1 for Postgres. */
    private String year() {
        return "(%1$s + CASE WHEN %1$s < 0 THEN 1 ELSE 0 END)".formatted(part("year", a.get(0)));
    }

    private static String part(String part, String time) {
        return "CAST(extract(%s FROM %s) AS integer)".formatted(part, time);
    }

    /** The time on a clock in UTC. */
    private String wall(int index) {
        return call.arguments().get(index).type() == Primitive.TIMESTAMP
                ? "(" + a.get(index) + " AT TIME ZONE 'UTC')"
                : a.get(index);
    }

    private String dateTrunc() {
        var truncated = "date_trunc('%s', %s)".formatted(unit(0), wall(1));
        return call.type() == Primitive.TIMESTAMP
                ? "(" + truncated + " AT TIME ZONE 'UTC')"
                : truncated;
    }

    private String unit(int index) {
        var unit = PolicyTexts.constant(call, index, "a unit").toUpperCase(Locale.ROOT);
        var known = UNITS.get(unit);
        if (known == null) {
            throw PolicyPrinter.refused(call.position(), "the unit " + unit, "use SECOND to YEAR");
        }
        return known;
    }
}
