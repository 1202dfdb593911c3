package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.SortKey;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.plan.WindowCall.Bound;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;

/** Prints the calls of one window. */
final class DuckWindows {
    private final DuckExpressions values;
    private final DuckAggregates aggregates;
    private final List<SortKey> order;
    private final String over;

    /**
     * @param over the window's partition and order
     */
    DuckWindows(
            DuckExpressions values, DuckAggregates aggregates, List<SortKey> order, String over) {
        this.values = values;
        this.aggregates = aggregates;
        this.order = order;
        this.over = over;
    }

    String print(WindowCall call) {
        return switch (call) {
            case WindowCall.Framed framed ->
                    aggregates.print(framed.call(), window(framed.frame(), framed));
            case WindowCall.Positional positional -> positional(positional);
        };
    }

    private String positional(WindowCall.Positional call) {
        var name = call.function().name().toLowerCase(Locale.ROOT);
        var a = values.print(call.arguments());
        return switch (call.function()) {
            case ROW_NUMBER, RANK, DENSE_RANK, NTILE ->
                    DuckTypes.cast(
                            "%s(%s) OVER (%s)".formatted(name, String.join("", a), over),
                            Primitive.INTEGER);
            case PERCENT_RANK, CUME_DIST -> "%s() OVER (%s)".formatted(name, over);
            case LAG, LEAD ->
                    "%s(%s%s) OVER (%s)".formatted(name, String.join(", ", a), nulls(call), over);
            case FIRST_VALUE, LAST_VALUE, NTH_VALUE ->
                    "%s(%s%s)%s".formatted(name, String.join(", ", a), nulls(call), frame(call));
        };
    }

    private static String nulls(WindowCall.Positional call) {
        return call.ignoreNulls() ? " IGNORE NULLS" : "";
    }

    private String frame(WindowCall.Positional call) {
        var frame = call.frame();
        return frame == null ? " OVER (" + over + ")" : window(frame, call);
    }

    private String window(WindowCall.Frame frame, WindowCall call) {
        return " OVER (%s %s BETWEEN %s AND %s)"
                .formatted(
                        over,
                        frame.rows() ? "ROWS" : "RANGE",
                        bound(frame, frame.lower(), "PRECEDING", call),
                        bound(frame, frame.upper(), "FOLLOWING", call));
    }

    private String bound(WindowCall.Frame frame, Bound bound, String side, WindowCall call) {
        return switch (bound) {
            case Bound.Unbounded _ -> "UNBOUNDED " + side;
            case Bound.CurrentRow _ -> "CURRENT ROW";
            case Bound.Offset offset ->
                    distance(frame, Math.abs(offset.distance()), call)
                            + (offset.distance() < 0 ? " PRECEDING" : " FOLLOWING");
        };
    }

    private String distance(WindowCall.Frame frame, long distance, WindowCall call) {
        if (frame.rows()) {
            return Long.toString(distance);
        }
        var key = order.size() == 1 ? order.getFirst().value() : null;
        if (key != null && DuckTypes.isTimestamp(key.type())) {
            return "INTERVAL (%d) MICROSECOND".formatted(distance);
        }
        if (key != null && DuckTypes.isIntegral(key.type())) {
            return DuckExpressions.literal(key.type(), Long.toString(distance));
        }
        throw DuckRefusal.of(
                call.position(),
                "a RANGE frame over " + (key == null ? "several keys" : type(key)),
                "order by one time or whole number");
    }

    private static String type(Expression key) {
        return key.type().sql();
    }
}
