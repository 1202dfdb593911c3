package dev.lakemill.compiler;

import dev.lakemill.plan.Expression;
import dev.lakemill.types.DataType;
import java.math.BigDecimal;
import java.util.HexFormat;
import java.util.Optional;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.LeafMathExpression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable;
import org.apache.spark.sql.catalyst.expressions.Unevaluable;
import org.apache.spark.sql.catalyst.trees.TreePattern;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.unsafe.types.UTF8String;
import org.jspecify.annotations.Nullable;

/** Constants: as written, and as Spark itself computes them from constant expressions. */
final class Literals {
    private Literals() {}

    /** A constant; empty if its type has parts. */
    static Optional<Expression> literal(
            @Nullable Object value, org.apache.spark.sql.types.DataType sparkType) {
        return SparkTypes.value(sparkType).flatMap(type -> literal(value, type));
    }

    private static Optional<Expression> literal(@Nullable Object value, DataType type) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ ->
                    Optional.of(new Expression.Literal(type, value == null ? null : text(value)));
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    value == null
                            ? Optional.of(new Expression.Literal(type, null))
                            : Optional.empty();
        };
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
     * The value of an expression that depends on nothing, computed by Spark; empty if it depends on
     * something, be it the time of the run, has parts, or fails, which then is for the run to tell.
     */
    static Optional<Expression> folded(org.apache.spark.sql.catalyst.expressions.Expression e) {
        if (e instanceof Literal || !e.foldable() || !e.deterministic() || !isComputable(e)) {
            return Optional.empty();
        }
        if (e.containsPattern(TreePattern.CURRENT_LIKE())) {
            return Optional.empty();
        }
        try {
            return literal(e.eval(InternalRow.empty()), e.dataType());
        } catch (RuntimeException _) {
            return Optional.empty();
        }
    }

    /** Made of constants alone; now() counts as foldable for Spark, but is none. */
    private static boolean isComputable(org.apache.spark.sql.catalyst.expressions.Expression e) {
        var children =
                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(e.children());
        return children.isEmpty()
                ? e instanceof Literal || e instanceof LeafMathExpression
                : !(e instanceof Unevaluable)
                        && !(e instanceof RuntimeReplaceable)
                        && children.stream().allMatch(Literals::isComputable);
    }

    /** The text that a constant expression gives; empty if it is none or NULL. */
    static Optional<String> constant(Expression expression) {
        return expression instanceof Expression.Literal literal
                ? Optional.ofNullable(literal.text())
                : Optional.empty();
    }
}
