package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds a view against its query. The difference is EXCEPT ALL both ways; rows of it that pair up
 * but for the last digits of floating-point columns are told apart, since a sum of such numbers
 * depends on the order it is taken in. NULLs are equal, NaNs are equal, and 0.0 equals -0.0.
 */
final class Audit {
    private static final String TOLERANCE = "1e-9";

    /** What is nearer to zero is held for what cancelling leaves of larger numbers. */
    private static final String SIZE_MIN = "1e-3";

    private final DuckSession duck;
    private final Step.View view;
    private final String content;
    private final String query;
    private final List<String> exact = new ArrayList<>();
    private final List<String> floating = new ArrayList<>();

    /**
     * @param content SQL name of the view's content
     * @param query SQL of what it should be
     */
    Audit(DuckSession duck, Step.View view, String content, String query) {
        this.duck = duck;
        this.view = view;
        this.content = content;
        this.query = query;
        for (var column : view.schema().columns()) {
            var isFloating = column.type() == Primitive.DOUBLE || column.type() == Primitive.FLOAT;
            (isFloating ? floating : exact).add(quoted(column.name()));
        }
    }

    ViewAudit run() {
        var difference = quoted(view.name() + " audit");
        var columns = Checks.columns(view.schema());
        duck.execute(
                "CREATE TEMP TABLE %s AS %s"
                        .formatted(
                                difference,
                                FullRecompute.difference(
                                        columns, columns, content, "(" + query + ")")));
        var missing = numbered(difference, 1);
        var surplus = numbered(difference, -1);
        var numbers =
                duck.numbers(
                        """
                        SELECT (SELECT count(*) FROM %1$s),
                          (SELECT count(*) FROM (%2$s)), (SELECT count(*) FROM (%3$s)),
                          (SELECT count(*) FROM (%2$s) AS m JOIN (%3$s) AS s ON %4$s)"""
                                .formatted(content, missing, surplus, close()));
        var example =
                duck.text(
                        """
                        SELECT CAST(m AS VARCHAR) FROM (%1$s) AS m ANTI JOIN (%2$s) AS s ON %3$s
                        UNION ALL
                        SELECT CAST(s AS VARCHAR) FROM (%2$s) AS s ANTI JOIN (%1$s) AS m ON %3$s
                        LIMIT 1"""
                                .formatted(missing, surplus, close()));
        return new ViewAudit(
                view.name(),
                numbers[0],
                numbers[1] - numbers[3],
                numbers[2] - numbers[3],
                numbers[3],
                example == null ? "" : example);
    }

    /** The rows of one sign, numbered among those that are equal but for floats. */
    private String numbered(String difference, int sign) {
        var order = floating.isEmpty() ? "" : "ORDER BY " + String.join(", ", floating);
        var partition = exact.isEmpty() ? "" : "PARTITION BY " + String.join(", ", exact);
        return """
        SELECT %1$s, row_number() OVER (%2$s %3$s) AS %4$s
        FROM %7$s WHERE %6$s = %5$d"""
                .formatted(
                        Checks.columns(view.schema()),
                        partition,
                        order,
                        Checks.ROW,
                        sign,
                        ViewMaintenance.WEIGHT,
                        difference);
    }

    /** SQL of: the missing row m and the surplus row s are the same but for rounding. */
    private String close() {
        var same = new ArrayList<String>();
        exact.forEach(c -> same.add("m.%1$s IS NOT DISTINCT FROM s.%1$s".formatted(c)));
        floating.forEach(
                c ->
                        same.add(
                                """
                                (m.%1$s IS NOT DISTINCT FROM s.%1$s OR abs(m.%1$s - s.%1$s)
                                  <= %2$s * greatest(abs(m.%1$s), abs(s.%1$s), %3$s))"""
                                        .formatted(c, TOLERANCE, SIZE_MIN)));
        same.add("m.%1$s = s.%1$s".formatted(Checks.ROW));
        same.add(floating.isEmpty() ? "false" : "true");
        return String.join(" AND ", same);
    }
}
