package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.Rows;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs the whole query and compares with the content before.
 *
 * <p>A small result is compared here with the rows that it had, since planning SQL for that takes
 * longer than doing it. A large one is compared in DuckDB, by EXCEPT ALL both ways in one pass:
 * every new row weighs 1, every old one -1, and what does not cancel out has changed. Either way
 * NULLs are equal, and zeros of both signs are different, since a view over this one may tell them
 * apart.
 */
final class FullRecompute {
    /** Values of a result that is small. */
    private static final long SMALL_VALUES = 32_768;

    private final Step.View view;
    private final ViewContent content;
    private final String select;

    /** Rows of the last result; -1 when the content may be another one. */
    private long lastRows = -1;

    /** The content, when it is small and was read. */
    private @Nullable Rows shown;

    FullRecompute(Step.View view, ViewContent content) {
        this.view = view;
        this.content = content;
        this.select = Engine.content(view);
    }

    /** As {@link ViewMaintenance#refresh}. */
    Optional<ViewChange> refresh(ViewMaintenance.Refresh refresh) {
        var isSmall = lastRows >= 0 && lastRows * view.schema().size() <= SMALL_VALUES;
        return isSmall ? compareHere(refresh) : compareInDuck(refresh);
    }

    /** The content has changed by other means, or was taken back. */
    void forget() {
        lastRows = -1;
        if (shown != null) {
            shown.close();
            shown = null;
        }
    }

    private Optional<ViewChange> compareHere(ViewMaintenance.Refresh refresh) {
        var duck = refresh.duck();
        try (var before = shown == null ? read(duck) : shown) {
            shown = null;
            lastRows = content.replace(duck, refresh.query());
            shown = read(duck);
            var changes = RowDifference.between(before, shown);
            if (changes.inserted().count() + changes.deleted().count() == 0) {
                changes.close();
                return Optional.empty();
            }
            return Optional.of(new ViewChange.InRows(changes));
        }
    }

    private Rows read(DuckSession duck) {
        return duck.rows(select, view.schema(), lastRows);
    }

    private Optional<ViewChange> compareInDuck(ViewMaintenance.Refresh refresh) {
        var duck = refresh.duck();
        forget();
        var after = quoted(view.name() + " next");
        lastRows =
                duck.written(
                        "CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(after, refresh.query()));
        var exactly =
                view.schema().columns().stream()
                        .flatMap(c -> MaintenanceSql.exactly(quoted(c.name()), c.type()).stream())
                        .collect(Collectors.joining(", "));
        var changes = difference(Checks.columns(view.schema()), exactly, content.table(), after);
        var changed = content.keep(duck, changes);
        if (changed == 0) {
            return Optional.empty();
        }
        content.become(duck, changed, after, lastRows);
        return Optional.of(new ViewChange.InTable(content.changes()));
    }

    /**
     * SQL of the rows that make {@code after} of {@code before}.
     *
     * @param same SQL of what equal rows share
     */
    static String difference(String columns, String same, String before, String after) {
        return """
        SELECT %1$s, %2$s FROM (
          SELECT %1$s, sign(_lakemill_w)::BIGINT AS %2$s,
            unnest(range(abs(_lakemill_w)::BIGINT)) FROM (
            SELECT %1$s, %5$s AS _lakemill_w FROM (
              SELECT %1$s, 1 AS _lakemill_w FROM %4$s UNION ALL SELECT %1$s, -1 FROM %3$s)
            GROUP BY %6$s HAVING %5$s <> 0))"""
                .formatted(
                        columns,
                        ViewMaintenance.WEIGHT,
                        before,
                        after,
                        DuckAggregates.unbounded("sum(_lakemill_w)"),
                        same);
    }
}
