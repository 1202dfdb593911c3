package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.catalyst.expressions.*;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.StringType;

/**
 * Says Spark's analysed expressions in the plan's terms, or refuses them.
 *
 * <p>It is fail-closed: a class of Spark's is named here, in {@link PlainFunctions} or in {@link
 * TimeLowering} together with everything it holds, or it is refused. What the printer cannot print
 * although the plan can say it is the printer's to refuse.
 */
final class ExpressionLowering {
    /** Lowers the query of a subquery. */
    interface Queries {
        Relation lower(LogicalPlan plan);
    }

    private final Scope scope;
    private final Queries queries;
    private final TimeLowering times = new TimeLowering(this);
    private final NestedLowering nested = new NestedLowering(this);
    private final SubqueryLowering subqueries;

    /** How many conditional expressions are round the one at hand. */
    private int conditions;

    private final Map<CommonExpressionId, Expression> named = new HashMap<>();

    ExpressionLowering(Scope scope, Queries queries) {
        this.scope = scope;
        this.queries = queries;
        this.subqueries = new SubqueryLowering(this, queries);
    }

    List<Expression> lower(List<org.apache.spark.sql.catalyst.expressions.Expression> list) {
        return list.stream().map(this::lower).toList();
    }

    Expression lower(org.apache.spark.sql.catalyst.expressions.Expression e) {
        var folded = Literals.folded(e, scope.position(e));
        if (folded.isPresent()) {
            return checked(e, folded.get());
        }
        if (!(e instanceof ConditionalExpression)) {
            return structural(e);
        }
        conditions++;
        try {
            return structural(e);
        } finally {
            conditions--;
        }
    }

    /** A constant that always fails, Spark fails on before it reads a row. */
    private Expression checked(
            org.apache.spark.sql.catalyst.expressions.Expression e, Expression folded) {
        return conditions == 0
                        && e.foldable()
                        && scope.readsTables()
                        && folded instanceof Expression.Call call
                        && call.function() == Function.RAISE_ERROR
                ? refuse(
                        e,
                        "this constant cannot be computed: "
                                + Literals.constant(call.arguments().getFirst()).orElse(""),
                        "")
                : folded;
    }

    /** A condition that keeps rows where it is true, so that NULL is as good as false. */
    Expression lowerCondition(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return switch (e) {
            case And and ->
                    call(
                            Function.AND,
                            and,
                            Primitive.BOOLEAN,
                            List.of(lowerCondition(and.left()), lowerCondition(and.right())));
            case InSubquery in -> subqueries.exactly(in);
            case Not not when not.child() instanceof InSubquery in ->
                    call(Function.NOT, not, Primitive.BOOLEAN, List.of(subqueries.exactly(in)));
            default -> lower(e);
        };
    }

    private Expression structural(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return switch (e) {
            case Literal literal -> literal(literal);
            case TypedNullLiteral typed -> new Expression.Literal(scope.type(typed), null);
            case AttributeReference a -> new Expression.Reference(scope.attribute(a));
            case OuterReference outer -> lower(expression(outer.e()));
            case Alias alias -> lower(alias.child());
            case KnownNotNull known -> lower(known.child());
            case KnownNullable known -> lower(known.child());
            case UnaryPositive positive -> lower(positive.child());
            case Cast cast -> cast(cast);
            case If choice ->
                    cases(
                            choice,
                            List.of(branch(choice.predicate(), choice.trueValue())),
                            Optional.of(choice.falseValue()));
            case CaseWhen when ->
                    cases(
                            when,
                            Scala.list(when.branches()).stream()
                                    .map(b -> branch(b._1(), b._2()))
                                    .toList(),
                            Scala.optional(when.elseValue()));
            case GetStructField field ->
                    new Expression.Field(
                            lower(field.child()),
                            field.extractFieldName(),
                            scope.type(field),
                            field.nullable());
            case SubqueryExpression query when SubqueryLowering.isLimitedByRow(query) ->
                    subqueries.refuseLimit(query);
            case ScalarSubquery s ->
                    new Expression.ScalarSubquery(queries.lower(s.plan()), scope.position(s));
            case Exists exists ->
                    new Expression.Exists(queries.lower(exists.plan()), scope.position(exists));
            case InSubquery in -> subqueries.in(in);
            case Not not when SubqueryLowering.isOfMembership(not.child()) ->
                    subqueries.not(not.child());
            case With with -> with(with);
            case CommonExpressionRef reference -> reference(reference);
            default -> times.lower(e).or(() -> nested.lower(e)).orElseGet(() -> function(e));
        };
    }

    private Expression function(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return switch (e) {
            case Add add -> arithmetic(add, add.evalContext(), Function.ADD, Function.TRY_ADD);
            case Subtract subtract ->
                    arithmetic(
                            subtract,
                            subtract.evalContext(),
                            Function.SUBTRACT,
                            Function.TRY_SUBTRACT);
            case Multiply multiply ->
                    arithmetic(
                            multiply,
                            multiply.evalContext(),
                            Function.MULTIPLY,
                            Function.TRY_MULTIPLY);
            case Divide divide ->
                    arithmetic(divide, divide.evalContext(), Function.DIVIDE, Function.TRY_DIVIDE);
            case IntegralDivide divide ->
                    ansi(divide, divide.evalContext(), Function.INTEGRAL_DIVIDE);
            case Remainder remainder ->
                    ansi(remainder, remainder.evalContext(), Function.REMAINDER);
            case Pmod pmod -> ansi(pmod, pmod.evalContext(), Function.PMOD);
            case Round round -> call(Function.ROUND, round, round.child(), round.scale());
            case StringInstr in -> call(Function.LOCATE, in, in.substr(), in.str());
            case StringLocate in -> call(Function.LOCATE, in, in.substr(), in.str(), in.start());
            case Like like -> like(Function.LIKE, like, like.escapeChar());
            case ILike like -> like(Function.ILIKE, like, like.escapeChar());
            case Size size when !size.legacySizeOfNull() -> call(Function.SIZE, size, size.child());
            case RaiseError raise -> raiseError(raise);
            case Base64 base64 when !base64.chunkBase64() ->
                    call(Function.BASE64, base64, base64.child());
            case ApplyFunctionExpression member when Membership.is(member) ->
                    call(Function.IS_MEMBER, member, Scala.list(member.children()));
            case ApplyFunctionExpression scored
                    when scored.function() instanceof Predictions.Prediction prediction ->
                    predict(scored, prediction.model());
            case ApplyFunctionExpression asked
                    when asked.function() instanceof Questions.Asked question ->
                    ask(asked, question);
            case ApplyFunctionExpression called
                    when called.function() instanceof JavaCalls.JavaCall java ->
                    java(called, java.called());
            case SplitPart split -> plain(split);
            case RuntimeReplaceable replaceable -> lower(replaceable.replacement());
            default -> plain(e);
        };
    }

    private Expression plain(org.apache.spark.sql.catalyst.expressions.Expression e) {
        var function = PlainFunctions.of(e);
        if (function.isEmpty()) {
            return refuse(e, "%s is not supported".formatted(name(e)), hint(e));
        }
        return call(function.get(), e, Scala.list(e.children()));
    }

    private Expression java(ApplyFunctionExpression e, JavaFunction function) {
        var arguments = new ArrayList<Expression>();
        arguments.add(new Expression.Literal(Primitive.STRING, function.name()));
        arguments.addAll(
                lower(
                        Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                e.children())));
        return call(Function.JAVA, e, function.result(), arguments);
    }

    private Expression predict(ApplyFunctionExpression e, ModelReference.Resolved model) {
        var arguments = new ArrayList<Expression>();
        arguments.add(new Expression.Literal(Primitive.STRING, model.model()));
        arguments.add(new Expression.Literal(Primitive.INTEGER, String.valueOf(model.version())));
        arguments.addAll(
                lower(
                        Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                e.children())));
        return call(Function.PREDICT, e, model.output(), arguments);
    }

    private Expression ask(ApplyFunctionExpression e, Questions.Asked asked) {
        var prompt = lower(Scala.list(e.children()).getFirst());
        return call(Function.AI_QUERY, e, scope.type(e), asked.question(prompt).arguments());
    }

    /** A call whose arguments are Spark expressions. */
    Expression call(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            org.apache.spark.sql.catalyst.expressions.Expression... arguments) {
        return call(function, e, List.of(arguments));
    }

    private Expression call(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            List<org.apache.spark.sql.catalyst.expressions.Expression> arguments) {
        for (var argument : arguments) {
            if (argument.dataType() instanceof StringType string
                    && !string.isUTF8BinaryCollation()) {
                return refuse(e, "a collation is not supported", "leave COLLATE out");
            }
            if (SparkTypes.isInterval(argument.dataType())
                    && !PlainFunctions.takesIntervals(function)) {
                return refuse(
                        e,
                        "%s of an interval is not supported".formatted(name(e)),
                        "compare or add intervals, or use unix_micros of the times");
            }
        }
        return call(function, e, scope.type(e), lower(arguments));
    }

    /** A call whose arguments are lowered already. */
    Expression.Call call(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            DataType type,
            List<Expression> arguments) {
        return new Expression.Call(function, arguments, type, e.nullable(), scope.position(e));
    }

    /** Notes the error and gives something to go on with. */
    Expression refuse(
            org.apache.spark.sql.catalyst.expressions.Expression e, String message, String hint) {
        scope.refuse(e, message, hint);
        return new Expression.Literal(
                SparkTypes.value(e.dataType()).orElse(Primitive.STRING), null);
    }

    Scope scope() {
        return scope;
    }

    static String name(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return e.prettyName().equals(e.nodeName().toLowerCase(java.util.Locale.ROOT))
                ? e.prettyName()
                : e.prettyName() + "()";
    }

    private static String hint(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return FunctionHints.of(e.prettyName());
    }

    private static org.apache.spark.sql.catalyst.expressions.Expression expression(
            NamedExpression named) {
        return (org.apache.spark.sql.catalyst.expressions.Expression) named;
    }

    private Expression literal(Literal literal) {
        return Literals.literal(literal.value(), literal.dataType(), scope.position(literal))
                .orElseGet(
                        () ->
                                refuse(
                                        literal,
                                        "a constant of type %s is not supported"
                                                .formatted(literal.dataType().sql()),
                                        ""));
    }

    private Expression cast(Cast cast) {
        if (cast.child().dataType() instanceof NullType) {
            return new Expression.Literal(scope.type(cast), null);
        }
        if (SparkTypes.isInterval(cast.child().dataType())
                || SparkTypes.isInterval(cast.dataType())) {
            return cast.child().dataType().getClass() == cast.dataType().getClass()
                    ? lower(cast.child())
                    : refuse(
                            cast,
                            "a cast from or to an interval is not supported",
                            "use unix_micros of the times");
        }
        var mode = cast.evalMode();
        if (mode.equals(EvalMode.LEGACY())) {
            return refuse(cast, "a cast outside of ANSI mode is not supported", "");
        }
        return new Expression.Cast(
                lower(cast.child()),
                scope.type(cast),
                mode.equals(EvalMode.TRY()),
                cast.nullable(),
                scope.position(cast));
    }

    private Expression cases(
            org.apache.spark.sql.catalyst.expressions.Expression e,
            List<Expression.Branch> branches,
            Optional<org.apache.spark.sql.catalyst.expressions.Expression> otherwise) {
        var type = scope.type(e);
        return new Expression.Case(
                branches,
                otherwise.map(this::lower).orElseGet(() -> new Expression.Literal(type, null)),
                type,
                e.nullable());
    }

    private Expression.Branch branch(
            org.apache.spark.sql.catalyst.expressions.Expression condition,
            org.apache.spark.sql.catalyst.expressions.Expression value) {
        return new Expression.Branch(lower(condition), lower(value));
    }

    /** Parts that Spark computes once and names; they are repeated here, being without effects. */
    private Expression with(With with) {
        for (var definition : Scala.list(with.defs())) {
            named.put(definition.id(), lower(definition.child()));
        }
        return lower(with.child());
    }

    private Expression reference(CommonExpressionRef reference) {
        var expression = named.get(reference.id());
        return expression == null ? refuse(reference, "a lost reference", "") : expression;
    }

    private Expression arithmetic(
            BinaryArithmetic e, NumericEvalContext context, Function ansi, Function tried) {
        return call(
                context.evalMode().equals(EvalMode.TRY()) ? tried : ansi, e, e.left(), e.right());
    }

    private Expression ansi(BinaryArithmetic e, NumericEvalContext context, Function function) {
        return context.evalMode().equals(EvalMode.TRY())
                ? refuse(e, "try_%s is not supported".formatted(e.prettyName()), "use try_divide")
                : call(function, e, e.left(), e.right());
    }

    private Expression like(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            char escape) {
        var arguments =
                new ArrayList<>(
                        lower(
                                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(
                                                e.children())
                                        .subList(0, 2)));
        arguments.add(new Expression.Literal(Primitive.STRING, String.valueOf(escape)));
        return call(function, e, Primitive.BOOLEAN, arguments);
    }

    /** {@code raise_error(text)}, which Spark keeps as a map with one entry. */
    private Expression raiseError(RaiseError raise) {
        if (raise.errorParms() instanceof CreateMap map && map.children().size() == 2) {
            return call(
                    Function.RAISE_ERROR,
                    raise,
                    scope.type(raise),
                    List.of(lower(map.children().apply(1))));
        }
        return refuse(raise, "raise_error() of an error class is not supported", "give a text");
    }
}
