package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Branch;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Leaves out of a view's query the rows whose answers have not come: a SELECT list that asks is
 * computed of rows to which {@link Answers}'s function has given a letter for each question, NULL
 * being none yet.
 */
final class AnsweredRows {
    /** Of what no text says. */
    private static final SourcePosition ANSWER = new SourcePosition("answer", 1, 1);

    private int nextId;

    private AnsweredRows(int nextId) {
        this.nextId = nextId;
    }

    /** The query of a view; one that asks nothing stays as it is. */
    static Relation settled(Relation query) {
        if (!Question.isAskedIn(query)) {
            return query;
        }
        return new AnsweredRows(ids(query).max(Integer::compare).orElse(0) + 1).rows(query);
    }

    private static Stream<Integer> ids(Relation relation) {
        return Relations.deep(relation)
                .flatMap(
                        part ->
                                Stream.concat(
                                        part.output().stream().map(Attribute::id),
                                        Relations.expressions(part)
                                                .flatMap(Relations::subqueries)
                                                .flatMap(AnsweredRows::ids)));
    }

    private Relation rows(Relation relation) {
        if (!(relation instanceof Relation.Project project)) {
            return relation;
        }
        var input = rows(project.input());
        if (project.columns().stream().allMatch(c -> Question.in(c.value()).findAny().isEmpty())) {
            return new Relation.Project(input, project.columns());
        }
        var given = new ArrayList<Named>();
        input.output().forEach(column -> given.add(named(column)));
        var letters = new ArrayList<Attribute>();
        var columns = new ArrayList<Named>();
        for (var column : project.columns()) {
            columns.add(new Named(column.attribute(), value(column.value(), given, letters)));
        }
        Relation kept = new Relation.Project(input, given);
        for (var letter : letters) {
            kept =
                    new Relation.Filter(
                            kept,
                            call(
                                    Function.IS_NOT_NULL,
                                    Primitive.BOOLEAN,
                                    ANSWER,
                                    new Expression.Reference(letter)));
        }
        return new Relation.Project(kept, columns);
    }

    private static Named named(Attribute column) {
        return new Named(column, new Expression.Reference(column));
    }

    /** The expression with the values of its questions' letters in the questions' place. */
    private Expression value(Expression expression, List<Named> given, List<Attribute> letters) {
        return switch (expression) {
            case Call call when call.function() == Function.AI_QUERY -> {
                var letter = new Attribute(nextId++, "answer", Primitive.STRING, true);
                given.add(new Named(letter, letter(call)));
                letters.add(letter);
                yield read(call, new Expression.Reference(letter));
            }
            case Call call ->
                    new Call(
                            call.function(),
                            call.arguments().stream().map(a -> value(a, given, letters)).toList(),
                            call.type(),
                            call.nullable(),
                            call.position());
            case Expression.Cast cast ->
                    new Expression.Cast(
                            value(cast.value(), given, letters),
                            cast.type(),
                            cast.tried(),
                            cast.nullable(),
                            cast.position());
            case Expression.Case cases ->
                    new Expression.Case(
                            cases.branches().stream()
                                    .map(
                                            b ->
                                                    new Branch(
                                                            value(b.condition(), given, letters),
                                                            value(b.value(), given, letters)))
                                    .toList(),
                            value(cases.otherwise(), given, letters),
                            cases.type(),
                            cases.nullable());
            case Expression.Field field ->
                    new Expression.Field(
                            value(field.struct(), given, letters),
                            field.name(),
                            field.type(),
                            field.nullable());
            case Expression.InSubquery in ->
                    new Expression.InSubquery(
                            value(in.value(), given, letters), in.query(), in.position());
            case Expression.Reference _,
                    Expression.Literal _,
                    Expression.ScalarSubquery _,
                    Expression.Exists _ ->
                    expression;
        };
    }

    /** A row without a prompt asks nothing. */
    private static Expression letter(Call call) {
        var prompt = Question.of(call).prompt();
        var asked =
                new Call(
                        Function.AI_QUERY,
                        call.arguments(),
                        Primitive.STRING,
                        true,
                        call.position());
        return new Expression.Case(
                List.of(
                        new Branch(
                                call(Function.IS_NULL, Primitive.BOOLEAN, call.position(), prompt),
                                text(Answers.NOTHING))),
                asked,
                Primitive.STRING,
                true);
    }

    /** What stands in a letter, as the type of the call. */
    private static Expression read(Call call, Expression letter) {
        var place = call.position();
        var answer = content(letter, Answers.ANSWER, place);
        return Question.of(call).failOnError()
                ? answer
                : new Call(
                        Function.STRUCT,
                        List.of(answer, content(letter, Answers.ERROR, place)),
                        Question.RESULT_OR_ERROR,
                        false,
                        place);
    }

    private static Expression content(Expression letter, String kind, SourcePosition place) {
        var is = call(Function.STARTS_WITH, Primitive.BOOLEAN, place, letter, text(kind));
        var content =
                call(
                        Function.SUBSTRING,
                        Primitive.STRING,
                        place,
                        letter,
                        new Expression.Literal(Primitive.INTEGER, "2"),
                        new Expression.Literal(
                                Primitive.INTEGER, String.valueOf(Integer.MAX_VALUE)));
        return new Expression.Case(
                List.of(new Branch(is, content)),
                new Expression.Literal(Primitive.STRING, null),
                Primitive.STRING,
                true);
    }

    private static Expression text(String text) {
        return new Expression.Literal(Primitive.STRING, text);
    }

    private static Call call(
            Function function, DataType type, SourcePosition place, Expression... arguments) {
        return new Call(function, List.of(arguments), type, true, place);
    }
}
