package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.Rule;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.types.BooleanType;

/**
 * Compiles the expectations of a dataset. A condition's columns are those of the dataset, numbered
 * by their place.
 */
final class ExpectationCompiler {
    private static final String ONE_ROW =
            "an expectation looks at one row: no aggregates, windows or subqueries";

    private final Catalyst catalyst;
    private final List<TextError> errors;

    ExpectationCompiler(Catalyst catalyst, List<TextError> errors) {
        this.catalyst = catalyst;
        this.errors = errors;
    }

    /** The expectations without error; the errors of the others are noted. */
    List<Expectation> compile(CreateDataset dataset, TableSchema schema) {
        var expectations = new ArrayList<Expectation>();
        var names = new HashSet<String>();
        for (var rule : dataset.rules()) {
            try {
                if (!names.add(rule.name().toLowerCase(Locale.ROOT))) {
                    throw new TextRefused(
                            rule.position(),
                            "constraint '%s' stands twice".formatted(rule.name()),
                            "give one of them another name");
                }
                checkAction(dataset, rule, schema);
                expectations.add(
                        rule.condition().isPresent()
                                ? condition(rule, rule.condition().get(), schema)
                                : unique(dataset, rule, schema));
            } catch (TextRefused e) {
                errors.add(e.error());
            }
        }
        return expectations;
    }

    /**
     * Checks a condition on one row of a table.
     *
     * @throws TextRefused with what is wrong
     */
    void check(Fragment condition, TableSchema schema) {
        var _ =
                condition(
                        new Rule(
                                "condition",
                                Optional.of(condition),
                                List.of(),
                                OnViolation.WARN,
                                condition.text(),
                                condition.position()),
                        condition,
                        schema);
    }

    private static void checkAction(CreateDataset dataset, Rule rule, TableSchema schema) {
        if (rule.onViolation() != OnViolation.QUARANTINE) {
            return;
        }
        if (!DatasetCompiler.appends(dataset)) {
            throw new TextRefused(
                    rule.position(),
                    dataset.streaming()
                            ? "a table that AUTO CDC writes has no quarantine"
                            : "a materialized view has no quarantine",
                    "use DROP ROW or FAIL UPDATE, or quarantine in the streaming table below");
        }
        for (var reserved : List.of("_failed_rules", "_batch")) {
            if (schema.indexOf(reserved).isPresent()) {
                throw new TextRefused(
                        rule.position(),
                        "column '%s' is one that a quarantine table adds".formatted(reserved),
                        "give the column another name");
            }
        }
    }

    private Expectation condition(Rule rule, Fragment text, TableSchema schema) {
        var parsed = catalyst.parseExpression(text);
        for (var function : catalyst.unknownFunctions(parsed)) {
            var name = String.join(".", Scala.<String>list(function.nameParts()));
            throw new TextRefused(
                    catalyst.position(function.origin(), text.position()),
                    "there is no function '%s'".formatted(name),
                    FunctionHints.of(name));
        }
        var named =
                new Alias(
                        parsed,
                        "expectation",
                        NamedExpression.newExprId(),
                        Scala.seq(List.of()),
                        Scala.none(),
                        Scala.seq(List.of()));
        var analyzed =
                catalyst.analyze(
                        new Project(Scala.seq(List.of(named)), SourceTables.rows(schema)), text);
        if (!(analyzed instanceof Project project)
                || !(project.child() instanceof LocalRelation rows)) {
            throw new TextRefused(text.position(), ONE_ROW, "test such things in a view");
        }
        return condition(rule, text, project, rows);
    }

    private Expectation condition(Rule rule, Fragment text, Project project, LocalRelation rows) {
        var scope = new Scope(catalyst, text.position());
        Scala.<Attribute>list(rows.output()).forEach(column -> scope.id(column.exprId()));
        var value = (Alias) project.projectList().head();
        var condition = new QueryLowering(scope).values().lower(value.child());
        for (var error : scope.errors()) {
            throw new TextRefused(error);
        }
        if (!(value.child().dataType() instanceof BooleanType)) {
            throw new TextRefused(
                    text.position(),
                    "an expectation is a condition, but this is a value of type %s"
                            .formatted(value.child().dataType().sql()),
                    "compare it with something");
        }
        if (Relations.subqueries(condition).findAny().isPresent()) {
            throw new TextRefused(text.position(), ONE_ROW, "test such things in a view");
        }
        if (Relations.models(condition).findAny().isPresent()) {
            throw new TextRefused(
                    text.position(),
                    "an expectation cannot score with a model",
                    "score in the query, and expect something of the column");
        }
        for (var error : Questions.refused(condition)) {
            throw new TextRefused(error);
        }
        if (Relations.calls(condition, Function.JAVA)) {
            throw new TextRefused(
                    text.position(),
                    "an expectation cannot call a function of a jar",
                    "call it in the query, and expect something of the column");
        }
        return new Expectation.Condition(
                rule.name(), condition, rule.onViolation(), rule.text(), rule.position());
    }

    private static Expectation unique(CreateDataset dataset, Rule rule, TableSchema schema) {
        if (!DatasetCompiler.appends(dataset)) {
            throw new TextRefused(
                    rule.position(),
                    "EXPECT UNIQUE is for streaming tables that rows are inserted into",
                    "a view is unique by its GROUP BY");
        }
        if (rule.onViolation() == OnViolation.FAIL_UPDATE) {
            throw new TextRefused(
                    rule.position(),
                    "EXPECT UNIQUE cannot fail the update",
                    "use DROP ROW or QUARANTINE");
        }
        var columns = new ArrayList<String>();
        for (var word : rule.unique()) {
            var place = schema.indexOf(word.text());
            if (place.isEmpty()) {
                throw new TextRefused(
                        word.position(),
                        "%s has no column '%s'".formatted(dataset.name(), word.text()),
                        NearestName.hint(
                                word.text(), schema.columns().stream().map(Column::name).toList()));
            }
            columns.add(schema.column(place.getAsInt()).name());
        }
        return new Expectation.Unique(
                rule.name(), columns, rule.onViolation(), rule.text(), rule.position());
    }
}
