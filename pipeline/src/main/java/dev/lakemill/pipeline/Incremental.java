package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;
import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.consolidated;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Relation;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Computes a view's changes from its inputs' changes. */
final class Incremental {
    private final Step.View view;
    private final ViewContent content;
    private final MaintenanceSql sql;
    private final Maintained root;

    private Incremental(Step.View view, ViewContent content, MaintenanceSql sql, Maintained root) {
        this.view = view;
        this.content = content;
        this.sql = sql;
        this.root = root;
    }

    /**
     * @throws MaintenancePlan.NotIncremental when the query's form does not allow it
     */
    static Incremental of(Step.View view, ViewContent content)
            throws MaintenancePlan.NotIncremental {
        if (!view.rules().isEmpty()) {
            throw new MaintenancePlan.NotIncremental("its expectations are counted over all rows");
        }
        if (view.schema().indexOf("rowid").isPresent()) {
            throw new MaintenancePlan.NotIncremental("it has a column named rowid");
        }
        if (!(view.query() instanceof PlannedQuery query)) {
            throw new MaintenancePlan.NotIncremental("its query has no plan");
        }
        var sql = new MaintenanceSql(view.name());
        return new Incremental(view, content, sql, MaintenancePlan.of(query.relation(), sql));
    }

    /** Why a view cannot be kept by its changes; empty when it can. */
    static Optional<String> refusal(Step.View view) {
        try {
            var _ = of(view, new ViewContent(view));
            return Optional.empty();
        } catch (MaintenancePlan.NotIncremental e) {
            return Optional.of(e.reason());
        }
    }

    /**
     * Makes what it keeps anew, of the inputs as they are with the batch; returns a refresh whose
     * query is the view's, over what is kept.
     */
    ViewMaintenance.Refresh build(ViewMaintenance.Refresh refresh) {
        sql.begin(refresh);
        Maintained.buildAll(root, sql);
        return refresh.by("SELECT %s FROM (%s)".formatted(names(), sql.print(root.now())));
    }

    /** As {@link ViewMaintenance#refresh}; the batch before left what it keeps as it should be. */
    Optional<ViewChange> refresh(ViewMaintenance.Refresh refresh) {
        sql.begin(refresh);
        var changes = root.changes(sql);
        if (changes.isEmpty()) {
            return Optional.empty();
        }
        var changed = content.keep(refresh.duck(), named(changes.get()));
        if (changed == 0) {
            return Optional.empty();
        }
        content.apply(refresh.duck(), changed);
        return Optional.of(new ViewChange.InTable(content.changes()));
    }

    /** SQL of the changes under the view's column names. */
    private String named(Relation changes) {
        return "SELECT %s, %s AS %s FROM (%s)"
                .formatted(
                        names(),
                        column(WEIGHT),
                        ViewMaintenance.WEIGHT,
                        consolidated(output(), sql.print(weighted(changes, output()))));
    }

    private String names() {
        var names = new ArrayList<String>();
        for (int i = 0; i < output().size(); i++) {
            names.add(column(output().get(i)) + " AS " + quoted(view.schema().column(i).name()));
        }
        return String.join(", ", names);
    }

    private List<Attribute> output() {
        return root.now().output();
    }

    Set<MaintenanceKind> kinds() {
        var kinds = EnumSet.noneOf(MaintenanceKind.class);
        collect(root, kinds);
        return kinds;
    }

    private static void collect(Maintained part, Set<MaintenanceKind> kinds) {
        kinds.add(part.kind());
        part.inputs().forEach(input -> collect(input, kinds));
    }
}
