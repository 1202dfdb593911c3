package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Holds a view against its query. The difference is EXCEPT ALL both ways; rows of it that pair up
 * but for the last digits of floating-point columns are told apart, since a sum of such numbers
 * depends on the order it is taken in.
 */
final class Audit {
    private static final String TOLERANCE = "1e-9";
    private static final String WEIGHT = ViewMaintenance.WEIGHT;

    private final DuckSession duck;
    private final Step.View view;
    private final String content;
    private final String query;

    /**
     * @param content SQL name of the view's content
     * @param query SQL of what it should be
     */
    Audit(DuckSession duck, Step.View view, String content, String query) {
        this.duck = duck;
        this.view = view;
        this.content = content;
        this.query = query;
    }

    ViewAudit run() {
        var difference = quoted(view.name() + " audit");
        duck.execute(
                "CREATE TEMP TABLE %s AS %s"
                        .formatted(
                                difference,
                                FullRecompute.difference(
                                        Checks.columns(view.schema()),
                                        content,
                                        "(" + query + ")")));
        var numbers =
                duck.numbers(
                        """
                        SELECT (SELECT count(*) FROM %2$s),
                          coalesce(sum(%1$s) FILTER (%1$s > 0), 0)::BIGINT,
                          coalesce(-sum(%1$s) FILTER (%1$s < 0), 0)::BIGINT FROM %3$s"""
                                .formatted(WEIGHT, content, difference));
        var rounded = numbers[1] > 0 && numbers[2] > 0 ? rounded(difference) : 0;
        var example =
                numbers[1] + numbers[2] > 2 * rounded
                        ? duck.text(
                                "SELECT CAST(d AS VARCHAR) FROM %s AS d LIMIT 1"
                                        .formatted(difference))
                        : "";
        return new ViewAudit(
                view.name(),
                numbers[0],
                numbers[1] - rounded,
                numbers[2] - rounded,
                rounded,
                String.valueOf(example));
    }

    /** Pairs of a missing and a surplus row that are the same but for rounding. */
    private long rounded(String difference) {
        var exact = new ArrayList<String>();
        var floating = new ArrayList<String>();
        for (Column column : view.schema().columns()) {
            var isFloating = column.type() == Primitive.DOUBLE || column.type() == Primitive.FLOAT;
            (isFloating ? floating : exact).add(quoted(column.name()));
        }
        if (floating.isEmpty()) {
            return 0;
        }
        var same = new ArrayList<String>();
        exact.forEach(c -> same.add("m.%1$s IS NOT DISTINCT FROM s.%1$s".formatted(c)));
        floating.forEach(c -> same.add(close(c)));
        same.add("m.place = s.place");
        return duck.numbers(
                        """
                SELECT count(*) FROM (%s) AS m JOIN (%s) AS s ON %s"""
                                .formatted(
                                        numbered(difference, exact, floating, 1),
                                        numbered(difference, exact, floating, -1),
                                        String.join(" AND ", same)))[0];
    }

    private static String close(String column) {
        return """
        (m.%1$s IS NOT DISTINCT FROM s.%1$s
          OR abs(m.%1$s - s.%1$s) <= %2$s * greatest(abs(m.%1$s), abs(s.%1$s)))"""
                .formatted(column, TOLERANCE);
    }

    /** The rows of one sign, each as often as it counts, numbered among those equal but floats. */
    private static String numbered(
            String difference, List<String> exact, List<String> floating, int sign) {
        var partition = exact.isEmpty() ? "" : "PARTITION BY " + String.join(", ", exact);
        return """
        SELECT *, row_number() OVER (%s ORDER BY %s) AS place
        FROM (SELECT *, unnest(range(%3$d * %4$s)) FROM %5$s WHERE %3$d * %4$s > 0)"""
                .formatted(
                        partition,
                        floating.stream().collect(Collectors.joining(", ")),
                        sign,
                        WEIGHT,
                        difference);
    }
}
