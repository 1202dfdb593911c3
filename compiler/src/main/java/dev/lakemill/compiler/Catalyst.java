package dev.lakemill.compiler;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.QueryContext;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.QueryPlanningTracker;
import org.apache.spark.sql.catalyst.analysis.Analyzer;
import org.apache.spark.sql.catalyst.analysis.CTESubstitution;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry;
import org.apache.spark.sql.catalyst.analysis.TableFunctionRegistry;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.catalog.InMemoryCatalog;
import org.apache.spark.sql.catalyst.catalog.SessionCatalog;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.optimizer.InlineCTE;
import org.apache.spark.sql.catalyst.parser.CatalystSqlParser;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.trees.CurrentOrigin;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.DataType;

/**
 * Spark's parser and analyzer as a library, without a session: ANSI mode, UTC.
 *
 * <p>Every tree node remembers the fragment it was parsed from by the fragment's number in Spark's
 * {@code Origin.objectName}, so that a message finds its place in the user's file even when the
 * text of a view was inlined into a query. Not thread-safe: Spark's settings belong to the thread.
 */
final class Catalyst {
    private static final SourcePosition UNKNOWN = new SourcePosition("text", 1, 1);

    private final CatalystSqlParser parser = new CatalystSqlParser();
    private final FunctionRegistry functions;
    private final Predictions predictions;
    private final Analyzer analyzer;
    private final List<Fragment> fragments = new ArrayList<>();

    Catalyst() {
        this(List.of(), List.of());
    }

    /**
     * @param models that {@code predict} may name
     * @param called functions of jars
     */
    Catalyst(List<ModelReference> models, List<JavaFunction> called) {
        predictions = new Predictions(models, origin -> position(origin, UNKNOWN));
        functions =
                JavaCalls.registered(
                        Membership.registry(), called, origin -> position(origin, UNKNOWN));
        var settings = SQLConf.get();
        settings.setConfString("spark.sql.session.timeZone", "UTC");
        settings.setConfString("spark.sql.ansi.enabled", "true");
        var catalog = new InMemoryCatalog(new SparkConf(false), new Configuration(false));
        analyzer =
                new Analyzer(
                        new SessionCatalog(catalog, functions, TableFunctionRegistry.builtin()));
    }

    /** A query's tree, names unresolved, its common table expressions put aside. */
    LogicalPlan parseQuery(Fragment fragment) {
        var parsed = parse(fragment, () -> parser.parsePlan(fragment.text()));
        return CTESubstitution.apply(parsed);
    }

    Expression parseExpression(Fragment fragment) {
        return parse(fragment, () -> parser.parseExpression(fragment.text()));
    }

    DataType parseType(Fragment fragment) {
        return parse(fragment, () -> parser.parseDataType(fragment.text()));
    }

    private <T> T parse(Fragment fragment, Supplier<T> parsing) {
        fragments.add(fragment);
        var origin =
                new Origin(
                        Scala.none(),
                        Scala.none(),
                        Scala.none(),
                        Scala.none(),
                        Scala.some(fragment.text()),
                        Scala.some("pipeline"),
                        Scala.some(Integer.toString(fragments.size() - 1)),
                        Scala.none(),
                        Scala.none(),
                        Scala.none());
        return CurrentOrigin.withOrigin(origin, () -> guarded(fragment, parsing));
    }

    /**
     * Resolves names, types and casts, and inlines common table expressions.
     *
     * @param fragment where an error is shown that has no place of its own
     * @throws TextRefused with Spark's message
     */
    LogicalPlan analyze(LogicalPlan plan, Fragment fragment) {
        var analyzed =
                guarded(
                        fragment,
                        () ->
                                predictions.during(
                                        () ->
                                                analyzer.executeAndCheck(
                                                        plan,
                                                        new QueryPlanningTracker(Scala.none()))));
        return new InlineCTE(true, false).apply(analyzed);
    }

    /** The tables that a tree names, subqueries included, in the order of the text. */
    static List<UnresolvedRelation> relations(LogicalPlan plan) {
        var found = new ArrayList<UnresolvedRelation>();
        plan.foreachWithSubqueries(
                node -> {
                    if (node instanceof UnresolvedRelation relation) {
                        found.add(relation);
                    }
                    return scala.runtime.BoxedUnit.UNIT;
                });
        return found;
    }

    /** The function calls in a tree that Spark does not know. */
    List<UnresolvedFunction> unknownFunctions(LogicalPlan plan) {
        var found = new ArrayList<UnresolvedFunction>();
        plan.foreachWithSubqueries(
                node -> {
                    Scala.list(node.expressions()).forEach(e -> found.addAll(unknownFunctions(e)));
                    return scala.runtime.BoxedUnit.UNIT;
                });
        return found;
    }

    List<UnresolvedFunction> unknownFunctions(Expression expression) {
        return parts(expression)
                .filter(UnresolvedFunction.class::isInstance)
                .map(UnresolvedFunction.class::cast)
                .filter(f -> !isKnown(f))
                .toList();
    }

    private boolean isKnown(UnresolvedFunction function) {
        return function.nameParts().size() == 1
                && functions.functionExists(functionName(function.nameParts().head()));
    }

    /** Of a function that a registry is asked for, or given. */
    static FunctionIdentifier functionName(String name) {
        return new FunctionIdentifier(
                name.toLowerCase(Locale.ROOT), Scala.some("builtin"), Scala.some("system"));
    }

    /** The columns that an expression names, without their qualifiers. */
    static List<String> columns(Expression expression) {
        return parts(expression)
                .filter(UnresolvedAttribute.class::isInstance)
                .map(part -> ((UnresolvedAttribute) part).nameParts().last())
                .toList();
    }

    private static Stream<Expression> parts(Expression expression) {
        return Stream.concat(
                Stream.of(expression),
                Scala.<Expression>list(expression.children()).stream().flatMap(Catalyst::parts));
    }

    /** The place of a tree node in the user's file. */
    SourcePosition position(Origin origin, SourcePosition otherwise) {
        var fragment = Scala.optional(origin.objectName()).flatMap(this::fragment);
        var index = Scala.optional(origin.startIndex());
        return fragment.isEmpty() || index.isEmpty()
                ? otherwise
                : fragment.get().position((int) index.get());
    }

    private Optional<Fragment> fragment(String number) {
        return number.chars().allMatch(Character::isDigit) && !number.isEmpty()
                ? Optional.of(fragments.get(Integer.parseInt(number)))
                : Optional.empty();
    }

    /** Turns Spark's exceptions into errors of the text. */
    private <T> T guarded(Fragment fragment, Supplier<T> work) {
        try {
            return work.get();
        } catch (TextRefused e) {
            throw e;
        } catch (Exception e) { // Scala throws checked exceptions without saying so
            if (e instanceof SparkThrowable spark) {
                throw refused(fragment, e, spark);
            }
            return Guard.guarded(
                    fragment.position(),
                    () -> {
                        throw new IllegalStateException(e);
                    });
        }
    }

    private TextRefused refused(Fragment fragment, Exception e, SparkThrowable spark) {
        return new TextRefused(
                position(fragment, e), SparkMessage.text(e), SparkMessage.hint(spark));
    }

    private SourcePosition position(Fragment fragment, Exception e) {
        var contexts = ((SparkThrowable) e).getQueryContext();
        for (QueryContext context : contexts == null ? new QueryContext[0] : contexts) {
            var found = fragment(context.objectName());
            if (found.isPresent() && context.startIndex() >= 0) {
                return found.get().position(context.startIndex());
            }
        }
        if (e instanceof ParseException || e instanceof AnalysisException) {
            var analysis = (AnalysisException) e;
            var line = Scala.optional(analysis.line());
            var column = Scala.optional(analysis.startPosition());
            if (line.isPresent() && column.isPresent()) {
                return fragment.position((int) line.get(), (int) column.get());
            }
        }
        return fragment.position();
    }
}
