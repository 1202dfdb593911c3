package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.DataType;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;

/** Constants: as written, and as Spark itself computes them from constant expressions. */
final class Literals {
    private Literals() {}

    /**
     * A constant; one with parts as the call that makes it. Empty if no plan holds the type.
     *
     * @param position of the parts' calls
     */
    static Optional<Expression> literal(
            @Nullable Object value,
            org.apache.spark.sql.types.DataType sparkType,
            SourcePosition position) {
        return SparkTypes.value(sparkType).map(type -> literal(value, sparkType, type, position));
    }

    private static Expression literal(
            @Nullable Object value,
            org.apache.spark.sql.types.DataType spark,
            DataType type,
            SourcePosition position) {
        if (value == null) {
            return new Expression.Literal(type, null);
        }
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ ->
                    new Expression.Literal(type, text(value));
            case DataType.Array array ->
                    call(
                            Function.ARRAY,
                            array((ArrayData) value, spark, array, position),
                            type,
                            position);
            case DataType.Map map -> map((MapData) value, (MapType) spark, map, position);
            case DataType.Struct struct ->
                    call(
                            Function.STRUCT,
                            struct((InternalRow) value, (StructType) spark, struct, position),
                            type,
                            position);
        };
    }

    private static Expression call(
            Function function, List<Expression> arguments, DataType type, SourcePosition position) {
        return new Expression.Call(function, arguments, type, false, position);
    }

    private static List<Expression> array(
            ArrayData values,
            org.apache.spark.sql.types.DataType spark,
            DataType.Array type,
            SourcePosition position) {
        var element = ((ArrayType) spark).elementType();
        return Arrays.stream(values.toObjectArray(element))
                .map(v -> literal(v, element, type.element(), position))
                .toList();
    }

    private static Expression map(
            MapData map, MapType spark, DataType.Map type, SourcePosition position) {
        var keys = new DataType.Array(type.key(), false);
        var values = new DataType.Array(type.value(), type.valueContainsNull());
        var sides =
                List.of(
                        literal(
                                map.keyArray(),
                                new ArrayType(spark.keyType(), false),
                                keys,
                                position),
                        literal(
                                map.valueArray(),
                                new ArrayType(spark.valueType(), true),
                                values,
                                position));
        return call(Function.MAP_FROM_ARRAYS, sides, type, position);
    }

    private static List<Expression> struct(
            InternalRow row, StructType spark, DataType.Struct type, SourcePosition position) {
        return IntStream.range(0, type.fields().size())
                .mapToObj(
                        i -> {
                            var field = spark.fields()[i].dataType();
                            return literal(
                                    row.get(i, field),
                                    field,
                                    type.fields().get(i).type(),
                                    position);
                        })
                .toList();
    }

    /** The text of a value in Spark's internal form. */
    private static String text(Object value) {
        return switch (value) {
            case byte[] bytes -> HexFormat.of().formatHex(bytes);
            case Decimal decimal -> decimal.toJavaBigDecimal().toPlainString();
            case BigDecimal decimal -> decimal.toPlainString();
            case UTF8String string -> string.toString();
            default -> value.toString();
        };
    }

    /**
     * The value of an expression that depends on nothing, computed by Spark; a value that Spark
     * fails to compute is an error that the run raises. Empty if it depends on something, be it the
     * time of the run.
     */
    static Optional<Expression> folded(
            org.apache.spark.sql.catalyst.expressions.Expression e, SourcePosition position) {
        if (e instanceof Literal
                || e.containsPattern(TreePattern.CURRENT_LIKE())
                || SparkTypes.value(e.dataType()).isEmpty()) {
            return Optional.empty();
        }
        var plain = Constants.computable(e);
        if (plain.isEmpty()) {
            return Optional.empty();
        }
        try {
            return literal(plain.get().eval(InternalRow.empty()), e.dataType(), position);
        } catch (AssertionError _) { // of types that Spark itself would not compute with
            return Optional.empty();
        } catch (RuntimeException failure) {
            return failure instanceof SparkThrowable spark && spark.getCondition() != null
                    ? SparkTypes.value(e.dataType())
                            .map(type -> failing(SparkMessage.text(failure), type, position))
                    : Optional.empty();
        }
    }

    private static Expression failing(String message, DataType type, SourcePosition position) {
        return new Expression.Call(
                Function.RAISE_ERROR,
                List.of(new Expression.Literal(DataType.Primitive.STRING, message)),
                type,
                true,
                position);
    }

    /** The text that a constant expression gives; empty if it is none or NULL. */
    static Optional<String> constant(Expression expression) {
        return expression instanceof Expression.Literal literal
                ? Optional.ofNullable(literal.text())
                : Optional.empty();
    }
}
