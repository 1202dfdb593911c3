package dev.lakemill.compiler;

import dev.lakemill.plan.JavaFunction;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.HashSet;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.trees.CurrentOrigin;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.types.NullType;

/**
 * Functions of jars as functions that Spark's analyzer resolves. Numbers are widened as Spark
 * widens them, and nothing else is converted. Never computed here.
 */
final class JavaCalls {
    /** Each type converts to those behind it. */
    private static final List<DataType> WIDER =
            List.of(
                    Primitive.BYTE,
                    Primitive.SHORT,
                    Primitive.INTEGER,
                    Primitive.LONG,
                    Primitive.FLOAT,
                    Primitive.DOUBLE);

    private final Function<Origin, SourcePosition> positions;

    private JavaCalls(Function<Origin, SourcePosition> positions) {
        this.positions = positions;
    }

    /**
     * The registry with the functions added.
     *
     * @throws TextRefused for a name that is taken
     */
    static FunctionRegistry registered(
            FunctionRegistry registry,
            List<JavaFunction> functions,
            Function<Origin, SourcePosition> positions) {
        if (functions.isEmpty()) {
            return registry;
        }
        var all = registry.clone();
        var calls = new JavaCalls(positions);
        var names = new HashSet<String>();
        for (var function : functions) {
            var name = Catalyst.functionName(function.name());
            var twice = !names.add(function.name());
            if (twice || all.functionExists(name)) {
                throw new TextRefused(
                        new SourcePosition(function.className() + "." + function.method(), 1, 1),
                        twice
                                ? "there are two functions '%s'".formatted(function.name())
                                : "the function '%s' is Spark's".formatted(function.name()),
                        "give it another name: @SqlFunction(\"name\")");
            }
            all.registerFunction(
                    name,
                    new ExpressionInfo(JavaCalls.class.getName(), function.name()),
                    arguments -> calls.call(function, Scala.list(arguments)));
        }
        return all;
    }

    private Expression call(JavaFunction function, List<Expression> arguments) {
        var parameters = function.parameters();
        if (arguments.size() != parameters.size()) {
            throw new TextRefused(
                    positions.apply(CurrentOrigin.get()),
                    "%s takes %d arguments, not %d"
                            .formatted(function.name(), parameters.size(), arguments.size()),
                    "write " + signature(function));
        }
        var nullable = function.resultNullable();
        for (int i = 0; i < parameters.size(); i++) {
            var argument = arguments.get(i);
            var parameter = parameters.get(i);
            if (!fits(argument, parameter.type())) {
                throw new TextRefused(
                        positions.apply(place(argument)),
                        "argument %d of %s is %s, not %s"
                                .formatted(
                                        i + 1,
                                        signature(function),
                                        argument.dataType().sql(),
                                        parameter.type().sql()),
                        "CAST(... AS %s)".formatted(parameter.type().sql()));
            }
            nullable |= !parameter.nullable() && argument.nullable();
        }
        return new ApplyFunctionExpression(new JavaCall(function, nullable), Scala.seq(arguments));
    }

    private static boolean fits(Expression argument, DataType wanted) {
        if (argument.dataType() instanceof NullType) {
            return true;
        }
        var given = SparkTypes.column(argument.dataType()).orElse(null);
        if (given instanceof DataType.Decimal) {
            return wanted == Primitive.DOUBLE;
        }
        return wanted.equals(given)
                || (WIDER.contains(given) && WIDER.indexOf(given) < WIDER.indexOf(wanted));
    }

    /** A column has the place where it comes from; the call's is nearer. */
    private static Origin place(Expression argument) {
        return argument instanceof Attribute ? CurrentOrigin.get() : argument.origin();
    }

    private static String signature(JavaFunction function) {
        return function.parameters().stream()
                .map(parameter -> parameter.name() + " " + parameter.type().sql())
                .collect(Collectors.joining(", ", function.name() + "(", ")"));
    }

    /** A call with arguments of which Spark knows the types. */
    static final class JavaCall implements ScalarFunction<Object> {
        private static final long serialVersionUID = 1L;

        private final transient JavaFunction called;
        private final boolean nullable;

        JavaCall(JavaFunction called, boolean nullable) {
            this.called = called;
            this.nullable = nullable;
        }

        JavaFunction called() {
            return called;
        }

        @Override
        public org.apache.spark.sql.types.DataType[] inputTypes() {
            return called.parameters().stream()
                    .map(parameter -> SparkTypes.spark(parameter.type()))
                    .toArray(org.apache.spark.sql.types.DataType[]::new);
        }

        @Override
        public org.apache.spark.sql.types.DataType resultType() {
            return SparkTypes.spark(called.result());
        }

        @Override
        public boolean isResultNullable() {
            return nullable;
        }

        @Override
        public String name() {
            return called.name();
        }
    }
}
