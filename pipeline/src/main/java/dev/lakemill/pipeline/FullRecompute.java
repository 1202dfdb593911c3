package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import java.util.Optional;

/**
 * Runs the whole query and compares with the content before.
 *
 * <p>The comparison is EXCEPT ALL both ways in one pass: every new row weighs 1, every old one -1,
 * and what does not cancel out has changed. As in EXCEPT, NULLs are equal, NaNs are equal, and 0.0
 * equals -0.0.
 */
final class FullRecompute {
    private final Step.View view;
    private final ViewContent content;

    FullRecompute(Step.View view, ViewContent content) {
        this.view = view;
        this.content = content;
    }

    /** As {@link ViewMaintenance#refresh}. */
    Optional<String> refresh(ViewMaintenance.Refresh refresh) {
        var duck = refresh.duck();
        var after = quoted(view.name() + " next");
        var rows =
                duck.written(
                        "CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(after, refresh.query()));
        var changes = difference(Checks.columns(view.schema()), content.table(), after);
        var changed = content.keep(duck, changes);
        if (changed == 0) {
            return Optional.empty();
        }
        content.become(duck, changed, after, rows);
        return Optional.of(content.changes());
    }

    /** SQL of the rows that make {@code after} of {@code before}. */
    static String difference(String columns, String before, String after) {
        return """
        SELECT %1$s, %2$s FROM (
          SELECT %1$s, sign(_lakemill_w)::BIGINT AS %2$s,
            unnest(range(abs(_lakemill_w)::BIGINT)) FROM (
            SELECT %1$s, %5$s AS _lakemill_w FROM (
              SELECT %1$s, 1 AS _lakemill_w FROM %4$s UNION ALL SELECT %1$s, -1 FROM %3$s)
            GROUP BY %1$s HAVING %5$s <> 0))"""
                .formatted(
                        columns,
                        ViewMaintenance.WEIGHT,
                        before,
                        after,
                        DuckAggregates.unbounded("sum(_lakemill_w)"));
    }
}
