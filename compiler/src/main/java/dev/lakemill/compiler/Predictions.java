package dev.lakemill.compiler;

import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.trees.CurrentOrigin;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;

/**
 * {@code predict('catalog.schema.model@alias', f1, ...)} and {@code model_version(...)} as
 * functions that Spark's analyzer resolves: the types are those of the version's signature, and the
 * version is the one that the request gives. Never computed here. {@code ai_query} stands in {@link
 * Questions}.
 */
final class Predictions {
    private static final ScopedValue<Predictions> CURRENT = ScopedValue.newInstance();

    private final Map<String, ModelReference> models = new HashMap<>();
    private final Function<Origin, SourcePosition> positions;

    Predictions(List<ModelReference> references, Function<Origin, SourcePosition> positions) {
        references.forEach(reference -> models.put(reference.written(), reference));
        this.positions = positions;
    }

    /** The functions, for all that run in {@link #during}. */
    static void register(FunctionRegistry registry) {
        register(registry, "predict", arguments -> CURRENT.get().predict(arguments));
        register(registry, "model_version", arguments -> CURRENT.get().version(arguments));
        register(registry, "ai_query", arguments -> CURRENT.get().question(arguments));
    }

    /** Runs an analysis that knows these models. */
    <T> T during(Supplier<T> analysis) {
        return ScopedValue.where(CURRENT, this).call(analysis::get);
    }

    private static void register(
            FunctionRegistry registry, String name, Function<List<Expression>, Expression> made) {
        registry.registerFunction(
                new FunctionIdentifier(name, Scala.none()),
                new ExpressionInfo(Predictions.class.getName(), name),
                arguments -> made.apply(Scala.list(arguments)));
    }

    private Expression predict(List<Expression> arguments) {
        var model = model("predict", arguments);
        var features = arguments.subList(1, arguments.size());
        var inputs = model.inputs();
        if (features.size() != inputs.size()) {
            throw refused(
                    CurrentOrigin.get(),
                    "%s takes %d features, not %d"
                            .formatted(name(model), inputs.size(), features.size()),
                    "give %s"
                            .formatted(
                                    inputs.stream()
                                            .map(c -> c.name() + " " + c.type().sql())
                                            .collect(Collectors.joining(", "))));
        }
        for (int i = 0; i < features.size(); i++) {
            check(model, inputs.get(i), features.get(i));
        }
        return new ApplyFunctionExpression(new Prediction(model), Scala.seq(features));
    }

    private void check(ModelReference.Resolved model, Column input, Expression feature) {
        var type = feature.dataType();
        if (type instanceof NullType
                || (feature instanceof Literal literal && literal.value() == null)) {
            if (!input.nullable()) {
                throw refused(
                        feature.origin(),
                        "feature '%s' of %s is NULL".formatted(input.name(), name(model)),
                        "the model's signature requires a value");
            }
        } else if (!(type instanceof NumericType || type instanceof BooleanType)) {
            throw refused(
                    feature.origin(),
                    "feature '%s' of %s is %s, not %s"
                            .formatted(input.name(), name(model), input.type().sql(), type.sql()),
                    "CAST it, or give the features in the order of the model's signature");
        } else if (!fits(type, input.type())) {
            throw refused(
                    feature.origin(),
                    "feature '%s' of %s is %s, not %s"
                            .formatted(input.name(), name(model), input.type().sql(), type.sql()),
                    "CAST(... AS %s)".formatted(input.type().sql()));
        }
    }

    /** Numbers are widened, and nothing is narrowed. */
    private static boolean fits(DataType given, dev.lakemill.types.DataType wanted) {
        return switch (wanted) {
            case Primitive.BOOLEAN -> given instanceof BooleanType;
            case Primitive.LONG -> given instanceof IntegralType;
            default -> given instanceof NumericType;
        };
    }

    private Expression version(List<Expression> arguments) {
        var model = model("model_version", arguments);
        if (arguments.size() > 1) {
            throw refused(
                    CurrentOrigin.get(),
                    "model_version takes one argument, not %d".formatted(arguments.size()),
                    "give the model's name with its alias alone");
        }
        return new Literal(model.version(), DataTypes.IntegerType);
    }

    private Expression question(List<Expression> arguments) {
        try {
            return Questions.of(arguments, CurrentOrigin.get());
        } catch (Questions.Refused e) {
            throw refused(e.origin(), String.valueOf(e.getMessage()), e.hint());
        }
    }

    private ModelReference.Resolved model(String function, List<Expression> arguments) {
        if (arguments.isEmpty()
                || !(arguments.getFirst() instanceof Literal literal)
                || !(literal.dataType() instanceof StringType)
                || literal.value() == null) {
            throw refused(
                    arguments.isEmpty() ? CurrentOrigin.get() : arguments.getFirst().origin(),
                    "%s needs the model's name as a constant first".formatted(function),
                    "write %s('catalog.schema.model@alias', ...)".formatted(function));
        }
        var written = literal.value().toString();
        var found = models.getOrDefault(written, ModelReference.Resolver.NONE.resolve(written));
        return switch (found) {
            case ModelReference.Resolved resolved -> resolved;
            case ModelReference.Unresolved unresolved ->
                    throw refused(
                            arguments.getFirst().origin(), unresolved.problem(), unresolved.hint());
        };
    }

    private static String name(ModelReference.Resolved model) {
        return "%s, version %d,".formatted(model.model(), model.version());
    }

    private TextRefused refused(Origin origin, String message, String hint) {
        return new TextRefused(positions.apply(origin), message, hint);
    }

    /** The version that a call scores with. */
    static final class Prediction implements ScalarFunction<Object> {
        private static final long serialVersionUID = 1L;

        private final transient ModelReference.Resolved model;

        Prediction(ModelReference.Resolved model) {
            this.model = model;
        }

        ModelReference.Resolved model() {
            return model;
        }

        @Override
        public DataType[] inputTypes() {
            return model.inputs().stream()
                    .map(column -> SparkTypes.spark(column.type()))
                    .toArray(DataType[]::new);
        }

        @Override
        public DataType resultType() {
            return SparkTypes.spark(model.output());
        }

        @Override
        public boolean isResultNullable() {
            return false;
        }

        @Override
        public String name() {
            return "predict";
        }
    }
}
