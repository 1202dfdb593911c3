package dev.lakemill.plan;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What {@code ai_query} asks a model's endpoint for each row: a call of {@link Function#AI_QUERY},
 * whose arguments are these, constants but for the prompt.
 *
 * <p>It may stand in the SELECT list of a materialized view alone: rows wait there for their
 * answers, and nothing else of the query may depend on which have come.
 *
 * @param endpoint as the gateway names it
 * @param parameters of the request beside its messages, as a JSON object; equal text, equal answer
 * @param failOnError whether an answer that is refused for good ends the pipeline; else the value
 *     is {@link #RESULT_OR_ERROR}
 */
public record Question(String endpoint, String parameters, boolean failOnError, Expression prompt) {
    /** STRUCT of result and errorMessage, of which one is NULL. */
    public static final DataType.Struct RESULT_OR_ERROR =
            new DataType.Struct(
                    List.of(
                            Column.nullable("result", Primitive.STRING),
                            Column.nullable("errorMessage", Primitive.STRING)));

    /** Of a call of {@link Function#AI_QUERY}. */
    public static Question of(Expression.Call call) {
        return new Question(
                text(call, 0),
                text(call, 1),
                text(call, 2).equals("true"),
                call.arguments().get(3));
    }

    /** The arguments of a call. */
    public List<Expression> arguments() {
        return List.of(
                new Expression.Literal(Primitive.STRING, endpoint),
                new Expression.Literal(Primitive.STRING, parameters),
                new Expression.Literal(Primitive.BOOLEAN, String.valueOf(failOnError)),
                prompt);
    }

    private static String text(Expression.Call call, int index) {
        if (call.arguments().get(index) instanceof Expression.Literal literal
                && literal.text() != null) {
            return literal.text();
        }
        throw new IllegalArgumentException("all but the prompt are constants");
    }

    /** Whether the query asks, in a subquery too. */
    public static boolean isAskedIn(Relation query) {
        return inAll(query).findAny().isPresent();
    }

    /** The calls in an expression; subqueries are not entered. */
    public static Stream<Expression.Call> in(Expression expression) {
        return Relations.deep(expression)
                .filter(Expression.Call.class::isInstance)
                .map(Expression.Call.class::cast)
                .filter(call -> call.function() == Function.AI_QUERY);
    }

    /** The endpoints that a pipeline asks. */
    public static Set<String> endpoints(PipelinePlan plan) {
        var found = new LinkedHashSet<String>();
        for (var dataset : plan.datasets()) {
            if (dataset instanceof Dataset.MaterializedView view) {
                inAll(view.query()).map(call -> of(call).endpoint()).forEach(found::add);
            }
        }
        return found;
    }

    /** The calls that do not stand in the SELECT list of the view whose query it is. */
    public static List<Expression.Call> misplaced(Relation query) {
        if (!(query instanceof Relation.Project project)) {
            return inAll(query).toList();
        }
        return Stream.concat(
                        project.columns().stream().flatMap(c -> misplaced(c.value())),
                        misplaced(project.input()).stream())
                .toList();
    }

    /** Those whose asking depends on another value of the row, or on another answer. */
    private static Stream<Expression.Call> misplaced(Expression expression) {
        return Stream.concat(
                Relations.subqueries(expression).flatMap(Question::inAll),
                Relations.deep(expression).flatMap(Question::onlySometimes).flatMap(Question::in));
    }

    /** A CASE always computes its first condition, which is its first part. */
    private static Stream<Expression> onlySometimes(Expression expression) {
        return switch (expression) {
            case Expression.Case cases -> Relations.children(cases).stream().skip(1);
            case Expression.Call call when call.function() == Function.AI_QUERY ->
                    call.arguments().stream();
            default -> Stream.of();
        };
    }

    private static Stream<Expression.Call> inAll(Relation query) {
        return Relations.deep(query)
                .flatMap(Relations::expressions)
                .flatMap(
                        e ->
                                Stream.concat(
                                        in(e), Relations.subqueries(e).flatMap(Question::inAll)));
    }
}
