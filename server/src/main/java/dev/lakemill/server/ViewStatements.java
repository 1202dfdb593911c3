package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Does the statements about views of the lake.
 *
 * <p>A text is checked with the rights of whoever writes it; later it is read with the rights of
 * the view's owner, who is who made it. {@link LakePlanner} reads it.
 */
final class ViewStatements {
    private final Catalog catalog;
    private final LakePlanner planner;

    ViewStatements(Catalog catalog, LakePlanner planner) {
        this.catalog = catalog;
        this.planner = planner;
    }

    /**
     * @param defaults where names of fewer parts lie, in this statement and in the view for good
     */
    SqlAnswer run(Caller caller, ViewStatement statement, NameDefaults defaults) {
        switch (statement) {
            case ViewStatement.Create create -> create(caller, create, defaults);
            case ViewStatement.Alter(var name, var text) -> {
                var before = require(caller, name);
                var checked = check(caller, before.name(), text, defaults);
                var columns = columns(checked, List.of(), text.position());
                var view =
                        catalog.updateView(
                                caller,
                                before.name(),
                                columns,
                                before.comment(),
                                checked.definition());
                recordLineage(caller, view, checked.query());
            }
            case ViewStatement.Drop drop -> drop(caller, drop);
            case ViewStatement.Show show -> {
                return show(caller, show);
            }
        }
        return SqlAnswer.DONE;
    }

    /** A text that was found right. */
    private record Checked(ViewDefinition definition, Relation query, SourceText statement) {
        LakemillException refused(SourcePosition at, String problem, String hint) {
            return new TextError(at, problem, hint).toException(statement);
        }
    }

    private void create(Caller caller, ViewStatement.Create create, NameDefaults defaults) {
        var there = catalog.find(create.name());
        if (there.isPresent() && create.existing() == Existing.STAYS) {
            return;
        }
        if (there.isPresent() && create.existing() == Existing.REPLACED) {
            require(caller, create.name());
        }
        var name = there.map(CatalogTable::name).orElse(create.name());
        var checked = check(caller, name, create.text(), defaults);
        var columns = columns(checked, create.columns(), create.columnsAt());
        var definition = checked.definition();
        var view =
                there.isPresent() && create.existing() == Existing.REPLACED
                        ? catalog.updateView(caller, name, columns, create.comment(), definition)
                        : catalog.createView(caller, name, columns, create.comment(), definition);
        recordLineage(caller, view, checked.query());
    }

    private Checked check(Caller caller, TableName name, Fragment text, NameDefaults defaults) {
        var query = planner.plan(caller, text, defaults, name).relation();
        return new Checked(
                new ViewDefinition(
                        text.text(),
                        defaults,
                        query.output().stream().map(Attribute::name).toList(),
                        List.copyOf(Relations.sources(query))),
                query,
                text.source());
    }

    /** Each may be NULL, whatever it is now in the tables that the view reads. */
    private static TableSchema columns(
            Checked checked, List<ViewStatement.Column> list, SourcePosition at) {
        var given = checked.query().output();
        if (!list.isEmpty() && list.size() != given.size()) {
            throw checked.refused(
                    at,
                    "%d columns are listed, and the query gives %d"
                            .formatted(list.size(), given.size()),
                    "list as many, or none");
        }
        var names = new HashSet<String>();
        var columns = new ArrayList<Column>();
        for (int i = 0; i < given.size(); i++) {
            var name = list.isEmpty() ? given.get(i).name() : list.get(i).name();
            if (!names.add(name.toLowerCase(Locale.ROOT))) {
                throw checked.refused(
                        at,
                        "the view would have two columns '%s'".formatted(name),
                        "name one otherwise, by AS or in a list behind the view's name");
            }
            var comment = list.isEmpty() ? "" : list.get(i).comment();
            columns.add(new Column(name, given.get(i).type(), true, comment));
        }
        return new TableSchema(columns);
    }

    private CatalogTable require(Caller caller, TableName name) {
        var visible = new Visible(catalog, caller);
        var found =
                catalog.find(name)
                        .filter(t -> visible.sees(Securable.table(t.name())))
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "there is no view %s, or you may not see it"
                                                        .formatted(name),
                                                "SHOW VIEWS lists those that you see"));
        if (catalog.view(found.name()).isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s is a %s and no view of the lake".formatted(found.name(), found.kind()),
                    "take another name");
        }
        return found;
    }

    private void drop(Caller caller, ViewStatement.Drop drop) {
        if (drop.ifExists() && catalog.find(drop.name()).isEmpty()) {
            return;
        }
        var view = require(caller, drop.name());
        catalog.securables().drop(caller, Securable.table(view.name()), false);
    }

    private SqlAnswer show(Caller caller, ViewStatement.Show show) {
        var like = Patterns.like(show.like());
        var rows = new ArrayList<List<@Nullable String>>();
        new Visible(catalog, caller)
                .tables()
                .map(CatalogTable::name)
                .filter(name -> catalog.view(name).isPresent())
                .filter(name -> isIn(show.catalog(), name.catalog()))
                .filter(name -> isIn(show.schema(), name.schema()))
                .filter(name -> like.test(name.table()))
                .sorted()
                .forEach(
                        name ->
                                rows.add(
                                        List.of(
                                                name.catalog() + "." + name.schema(),
                                                name.table(),
                                                "false")));
        return SqlAnswer.of(List.of("namespace", "viewName", "isTemporary"), rows);
    }

    private static boolean isIn(Optional<String> wanted, String name) {
        return wanted.map(name::equalsIgnoreCase).orElse(true);
    }

    private void recordLineage(Caller caller, CatalogTable view, Relation query) {
        var now = Clock.systemUTC().instant();
        catalog.lineage()
                .record(
                        List.of(
                                new LineageFlow(
                                        new LineageEntity(
                                                LineageEntity.Type.DBSQL_QUERY,
                                                view.name().toString(),
                                                view.id().toString()),
                                        caller.principal().name(),
                                        now.truncatedTo(ChronoUnit.DAYS),
                                        now,
                                        PlanLineage.ofView(catalog, view, query))));
    }
}
