package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CatalogTable;
import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateFlow;
import dev.lakemill.compiler.Statement.CreateSynced;
import dev.lakemill.compiler.Statement.CreateTable;
import dev.lakemill.compiler.Statement.CreateView;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.TableName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What a pipeline's text declares, by name without regard to case. */
final class Declarations {
    private final Map<String, Statement> statements = new LinkedHashMap<>();
    private final Map<String, SourcePosition> taken = new LinkedHashMap<>();
    private final Set<String> names = new TreeSet<>();

    /** Tables that the text reads though it does not declare them. */
    private final Map<String, Statement> others = new LinkedHashMap<>();

    /**
     * Takes the statements in; the second of two of one name is an error and left out.
     *
     * @param known tables that others write
     */
    Declarations(List<Statement> statements, List<KnownTable> known, List<TextError> errors) {
        for (var table : known) {
            var name = table.name().toString();
            others.put(key(name), new CatalogTable(table, new SourcePosition(name, 1, 1)));
            names.add(name);
        }
        for (var statement : statements) {
            switch (statement) {
                case CreateTable table -> declare(table.name().toString(), table, errors);
                case CreateDataset dataset -> {
                    declare(dataset.name().toString(), dataset, errors);
                    if (hasQuarantine(dataset)) {
                        take(quarantine(dataset.name()).toString(), dataset, errors);
                    }
                }
                case CreateView view -> declare(view.name(), view, errors);
                case CreateFlow _, CatalogTable _ -> {}
                case CreateSynced synced -> {
                    take(synced.name().toString(), synced, errors);
                    var shown = synced.name().schema() + "." + synced.name().table();
                    take("postgres " + shown, synced, errors);
                }
            }
        }
    }

    static boolean hasQuarantine(CreateDataset dataset) {
        return dataset.rules().stream()
                .anyMatch(rule -> rule.onViolation() == OnViolation.QUARANTINE);
    }

    static TableName quarantine(TableName name) {
        return new TableName(name.catalog(), name.schema(), name.table() + "_quarantine");
    }

    /** Tables, views and datasets, in the order of the text. */
    List<Statement> statements() {
        return List.copyOf(statements.values());
    }

    Optional<Statement> find(String name) {
        var declared = statements.get(key(name));
        return Optional.ofNullable(declared == null ? others.get(key(name)) : declared);
    }

    /** Whether the text makes a table of that name, of whatever kind. */
    boolean isTaken(TableName name) {
        return taken.containsKey(key(name.toString()));
    }

    /** Why a name that a query reads is not known, or how it is to be written. */
    TextError unknown(String name, SourcePosition position) {
        var sameEnd = names.stream().filter(n -> key(n).endsWith("." + key(name))).findFirst();
        if (sameEnd.isPresent()) {
            return new TextError(
                    position,
                    "'%s' is not a full table name".formatted(name),
                    "write " + sameEnd.get());
        }
        return new TextError(
                position,
                "this pipeline has no table or view '%s'".formatted(name),
                taken.containsKey(key(name))
                        ? "a synced or a quarantine table is for reading by others"
                        : NearestName.of(name, names)
                                .map("did you mean %s?"::formatted)
                                .orElse(
                                        "declare it with CREATE TABLE if its rows are ingested; a"
                                                + " table of the catalog is known to the node"));
    }

    private void declare(String name, Statement statement, List<TextError> errors) {
        if (take(name, statement, errors)) {
            statements.put(key(name), statement);
            names.add(name);
        }
    }

    private boolean take(String name, Statement statement, List<TextError> errors) {
        var before = taken.putIfAbsent(key(name), statement.position());
        if (before != null) {
            errors.add(
                    new TextError(
                            statement.position(),
                            "'%s' is declared twice, first at %s"
                                    .formatted(name.replace("postgres ", ""), before),
                            "give one of them another name"));
        }
        return before == null;
    }

    static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
