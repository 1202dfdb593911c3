package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

/**
 * Runs the whole query and compares with the content before.
 *
 * <p>The comparison is EXCEPT ALL both ways in one pass: every new row weighs 1, every old one -1,
 * and what does not cancel out has changed. As in EXCEPT, NULLs are equal, NaNs are equal, and 0.0
 * equals -0.0.
 */
final class FullRecompute implements ViewMaintenance {
    @Override
    public Refreshed refresh(Refresh refresh) {
        var view = refresh.view();
        var after = quoted(view.name() + " next");
        refresh.duck()
                .repeat("CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(after, refresh.query()));
        return new Refreshed(
                after, difference(Checks.columns(view.schema()), refresh.content(), after));
    }

    /** SQL of the rows that make {@code after} of {@code before}. */
    static String difference(String columns, String before, String after) {
        return """
        SELECT %1$s, %2$s FROM (
          SELECT %1$s, sign(w)::BIGINT AS %2$s, unnest(range(abs(w)::BIGINT)) FROM (
            SELECT %1$s, sum(w) AS w FROM (
              SELECT %1$s, 1 AS w FROM %4$s UNION ALL SELECT %1$s, -1 FROM %3$s)
            GROUP BY %1$s HAVING sum(w) <> 0))"""
                .formatted(columns, WEIGHT, before, after);
    }
}
