package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.types.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.catalyst.expressions.*;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.MapType;

/** Says Spark's expressions on arrays, maps and structs in the plan's terms. */
final class NestedLowering {
    private final ExpressionLowering values;

    NestedLowering(ExpressionLowering values) {
        this.values = values;
    }

    /** Empty for what has nothing to do with values that have parts. */
    Optional<Expression> lower(org.apache.spark.sql.catalyst.expressions.Expression e) {
        return Optional.ofNullable(
                switch (e) {
                    case CreateNamedStruct struct ->
                            values.call(
                                    Function.STRUCT,
                                    e,
                                    values.scope().type(e),
                                    values.lower(
                                            Scala
                                                    .<org.apache.spark.sql.catalyst.expressions
                                                                    .Expression>
                                                            list(struct.valExprs())));
                    case CreateMap map -> call(Function.MAP, e, Scala.list(map.children()));
                    case GetArrayItem item ->
                            call(
                                    item.failOnError() ? Function.ELEMENT : Function.TRY_ELEMENT,
                                    e,
                                    List.of(item.child(), item.ordinal()));
                    case GetMapValue value ->
                            call(Function.MAP_VALUE, e, List.of(value.child(), value.key()));
                    case ElementAt element -> elementAt(element);
                    case GetArrayStructFields fields -> fields(fields);
                    case ArrayTransform transform ->
                            lambda(
                                    Function.TRANSFORM,
                                    e,
                                    transform.argument(),
                                    transform.function());
                    case ArrayFilter filter ->
                            lambda(Function.FILTER, e, filter.argument(), filter.function());
                    case ArrayExists exists when exists.followThreeValuedLogic() ->
                            lambda(Function.EXISTS, e, exists.argument(), exists.function());
                    case ArrayForAll forAll ->
                            lambda(Function.FORALL, e, forAll.argument(), forAll.function());
                    case NamedLambdaVariable variable ->
                            new Expression.Reference(
                                    values.scope().attribute(variable.toAttribute()));
                    case Sequence sequence -> sequence(sequence);
                    default -> null;
                });
    }

    private Expression call(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            List<org.apache.spark.sql.catalyst.expressions.Expression> arguments) {
        return values.call(function, e, values.scope().type(e), values.lower(arguments));
    }

    private Expression elementAt(ElementAt element) {
        if (element.left().dataType() instanceof MapType) {
            return call(Function.MAP_VALUE, element, List.of(element.left(), element.right()));
        }
        return element.defaultValueOutOfBound().isDefined()
                ? values.refuse(element, "element_at with a default is not supported", "")
                : call(
                        element.failOnError() ? Function.ELEMENT_AT : Function.TRY_ELEMENT_AT,
                        element,
                        List.of(element.left(), element.right()));
    }

    /** The field of every struct of an array. */
    private Expression fields(GetArrayStructFields fields) {
        var array = values.lower(fields.child());
        if (!(array.type() instanceof DataType.Array type)) {
            throw new IllegalStateException("an array of structs has them");
        }
        var element =
                new Attribute(
                        values.scope().nextId(), "element", type.element(), type.containsNull());
        var reference = new Expression.Reference(element);
        var field = fields.field();
        var part =
                new Expression.Field(
                        reference,
                        field.name(),
                        values.scope().elementType(fields),
                        field.nullable());
        return values.call(
                Function.TRANSFORM,
                fields,
                values.scope().type(fields),
                List.of(array, reference, part));
    }

    /** The array, the names of the element and of its place, and what is computed of them. */
    private Expression lambda(
            Function function,
            org.apache.spark.sql.catalyst.expressions.Expression e,
            org.apache.spark.sql.catalyst.expressions.Expression array,
            org.apache.spark.sql.catalyst.expressions.Expression body) {
        if (!(body instanceof LambdaFunction lambda)
                || !(array.dataType() instanceof ArrayType)
                || lambda.arguments().size() > 1) {
            return values.refuse(
                    e,
                    "%s() of an element and its place is not supported".formatted(e.prettyName()),
                    "use a function of the element alone");
        }
        var arguments = new ArrayList<Expression>();
        arguments.add(values.lower(array));
        for (var parameter : Scala.list(lambda.arguments())) {
            arguments.add(
                    new Expression.Reference(values.scope().attribute(parameter.toAttribute())));
        }
        arguments.add(values.lower(lambda.function()));
        return values.call(function, e, values.scope().type(e), arguments);
    }

    private Expression sequence(Sequence sequence) {
        var isWhole = sequence.start().dataType() instanceof IntegralType;
        if (!isWhole) {
            return values.refuse(
                    sequence,
                    "sequence() of times is not supported",
                    "use sequence of whole numbers and add them to the first");
        }
        var bounds = new ArrayList<>(values.lower(List.of(sequence.start(), sequence.stop())));
        Scala.optional(sequence.stepOpt()).ifPresent(step -> bounds.add(values.lower(step)));
        return values.call(Function.SEQUENCE, sequence, values.scope().type(sequence), bounds);
    }
}
