package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.plan.Function;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Locale;

/**
 * Prints arithmetic.
 *
 * <p>Whole numbers: both engines fail on overflow. Doubles: Spark fails on a division by zero.
 * Decimals: DuckDB computes sums and products exactly as long as one operand is wider than 18
 * digits or the result is not; the scale of the result is Spark's, or the operation is refused.
 * Quotients are computed by {@link DuckDivision} in whole numbers.
 */
final class DuckNumbers {
    private final Call call;
    private final String left;
    private final String right;

    DuckNumbers(Call call, List<String> arguments) {
        this.call = call;
        this.left = arguments.getFirst();
        this.right = arguments.getLast();
    }

    /** NULL where the operation itself fails; a failure of an operand stays one. */
    String printTried() {
        if (!call.arguments().stream().allMatch(DuckNumbers::isSure)) {
            throw DuckRefusal.of(
                    call.position(),
                    "%s() of what may fail itself".formatted(call.function().forms().getFirst()),
                    "compute the operands in a query below, and use columns here");
        }
        return call.function() == Function.TRY_DIVIDE && !(call.type() instanceof Decimal)
                ? "(CASE WHEN %2$s = 0 THEN NULL ELSE %1$s / %2$s END)".formatted(left, right)
                : "TRY(" + print() + ")";
    }

    /** Whether computing it cannot fail. */
    private static boolean isSure(Expression expression) {
        return switch (expression) {
            case Expression.Reference _, Expression.Literal _ -> true;
            case Expression.Cast cast ->
                    isSure(cast.value())
                            && DuckTypes.isIntegral(cast.value().type())
                            && (cast.type() == Primitive.LONG
                                    || DuckTypes.isFloating(cast.type())
                                    || cast.type() instanceof Decimal);
            case Expression.Call _,
                    Expression.Case _,
                    Expression.Field _,
                    Expression.ScalarSubquery _,
                    Expression.Exists _,
                    Expression.InSubquery _ ->
                    false;
        };
    }

    String print() {
        return switch (call.function()) {
            case ADD, TRY_ADD -> sum("+");
            case SUBTRACT, TRY_SUBTRACT -> sum("-");
            case MULTIPLY, TRY_MULTIPLY -> product();
            case DIVIDE, TRY_DIVIDE -> quotient();
            case INTEGRAL_DIVIDE -> integralQuotient();
            case REMAINDER -> remainder();
            case PMOD -> positiveRemainder();
            case NEGATE -> negation();
            case ABS -> "abs(" + left + ")";
            default -> throw new IllegalArgumentException("not arithmetic: " + call.function());
        };
    }

    /** Spark negates a decimal within 34 digits, and rounds what is longer. */
    private String negation() {
        if (call.type() instanceof Decimal decimal && decimal.precision() > 34) {
            throw DuckRefusal.of(
                    call.position(), "-x of " + decimal.sql(), "write 0 - x, which is exact");
        }
        return DuckTypes.cast("-" + left, call.type());
    }

    private String sum(String operator) {
        if (!(call.type() instanceof Decimal result)) {
            return "(" + left + " " + operator + " " + right + ")";
        }
        if (result.scale() != Math.max(decimal(0).scale(), decimal(1).scale())) {
            return inJava(operator, result);
        }
        return DuckTypes.cast(wide(result) + " " + operator + " " + right, result);
    }

    private String product() {
        if (!(call.type() instanceof Decimal result)) {
            return "(" + left + " * " + right + ")";
        }
        if (result.scale() != decimal(0).scale() + decimal(1).scale()) {
            return inJava("*", result);
        }
        return DuckTypes.cast(wide(result) + " * " + right, result);
    }

    private String inJava(String operator, Decimal result) {
        return DuckDivision.inJava(operator, left, right, result);
    }

    /** DuckDB keeps a result of two operands of up to 18 digits within 18 digits. */
    private String wide(Decimal result) {
        var operand = decimal(0);
        return result.precision() <= 18 || operand.precision() > 18 || decimal(1).precision() > 18
                ? left
                : DuckTypes.cast(left, new Decimal(19, operand.scale()));
    }

    private Decimal decimal(int index) {
        if (DuckFunctions.argumentType(call, index) instanceof Decimal decimal) {
            return decimal;
        }
        throw new IllegalArgumentException("a decimal operation has decimal operands");
    }

    private DuckRefusal loss() {
        return DuckRefusal.of(
                call.position(),
                "a %s whose result %s loses digits after the point"
                        .formatted(name(), call.type().sql()),
                "cast the operands to decimals of fewer digits");
    }

    private String name() {
        return call.function().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private String quotient() {
        if (call.type() instanceof Decimal result) {
            return new DuckDivision(decimal(0), decimal(1), result).print(left, right);
        }
        return notByZero("/");
    }

    /** Of doubles; NULL divided by zero is NULL, everything else an error. */
    private String notByZero(String operator) {
        var divisor = DuckFunctions.constant(call.arguments().getLast());
        var isZero = divisor.isEmpty() || Double.parseDouble(divisor.get()) == 0;
        var plain = left + " " + operator + " " + right;
        var counts =
                call.arguments().getFirst().nullable() ? " AND %s IS NOT NULL".formatted(left) : "";
        return isZero
                ? "(CASE WHEN %1$s = 0%2$s THEN error('division by zero at %3$s') ELSE %4$s END)"
                        .formatted(
                                right, counts, call.position().toString().replace("'", ""), plain)
                : "(" + plain + ")";
    }

    private String integralQuotient() {
        if (DuckFunctions.argumentType(call, 0) instanceof Decimal) {
            throw DuckRefusal.of(
                    call.position(),
                    "div of decimals",
                    "use CAST(a / b AS BIGINT), or whole numbers");
        }
        return "(%s // %s)"
                .formatted(
                        DuckTypes.cast(left, Primitive.LONG),
                        DuckTypes.cast(right, Primitive.LONG));
    }

    private String remainder() {
        return remainder(call.type(), left);
    }

    private String remainder(DataType type, String dividend) {
        if (DuckTypes.isFloating(type)) {
            return notByZero("%");
        }
        if (type instanceof Decimal result) {
            var integers =
                    Math.max(
                            decimal(0).precision() - decimal(0).scale(),
                            decimal(1).precision() - decimal(1).scale());
            if (integers + Math.max(decimal(0).scale(), decimal(1).scale()) > 38) {
                throw loss();
            }
            return DuckTypes.cast(dividend + " % " + right, result);
        }
        // The least number divided by -1 overflows on the way to a remainder of zero.
        var safe =
                DuckFunctions.constant(call.arguments().getLast()).isPresent()
                        ? right
                        : "(CASE WHEN %1$s = -1 THEN %2$s ELSE %1$s END)"
                                .formatted(right, DuckExpressions.literal(type, "1"));
        return "(" + dividend + " % " + safe + ")";
    }

    private String positiveRemainder() {
        var rest = remainder(call.type(), left);
        var lifted = "(%s + %s)".formatted(rest, right);
        return "(CASE WHEN %s < 0 THEN %s ELSE %s END)"
                .formatted(rest, DuckTypes.cast(lifted + " % " + right, call.type()), rest);
    }

    /** Whether a call is a division of a whole number by a constant of more than one. */
    static boolean isFraction(Call call) {
        return call.function() == Function.DIVIDE
                && DuckFunctions.constant(call.arguments().getLast())
                        .filter(divisor -> Math.abs(Double.parseDouble(divisor)) > 1)
                        .isPresent();
    }
}
