package dev.lakemill.compiler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.TextError;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.CreateNamedStruct;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.trees.Origin;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;

/**
 * {@code ai_query('endpoint', prompt, failOnError => …, modelParameters => named_struct(…),
 * responseFormat => '…')} as a function that Spark's analyzer resolves. Never computed here.
 */
final class Questions {
    static final String PLACE =
            "ai_query may stand in the SELECT list of a materialized view alone";
    private static final String PLACE_HINT =
            "ask in the SELECT list of a view of its own, and read that view; a row whose prompt is"
                    + " NULL is not asked for";
    private static final String USAGE = "write ai_query('endpoint', prompt)";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> PARAMETERS =
            Set.of(
                    "max_tokens",
                    "temperature",
                    "top_p",
                    "top_k",
                    "seed",
                    "stop",
                    "presence_penalty",
                    "frequency_penalty");
    private static final Set<String> FORMATS = Set.of("text", "json_object");

    private final List<Expression> positional = new ArrayList<>();
    private final TreeMap<String, NamedArgumentExpression> named =
            new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    private Questions(List<Expression> arguments) throws Refused {
        for (var argument : arguments) {
            if (!(argument instanceof NamedArgumentExpression given)) {
                positional.add(argument);
            } else if (named.put(given.key(), given) != null) {
                throw new Refused(given, "'%s' is given twice".formatted(given.key()), "");
            }
        }
    }

    /** What is wrong with a call, at the expression that is to blame. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient Origin origin;
        private final String hint;

        private Refused(Expression at, String message, String hint) {
            this(at.origin(), message, hint);
        }

        private Refused(Origin origin, String message, String hint) {
            super(message, null, false, false);
            this.origin = origin;
            this.hint = hint;
        }

        Origin origin() {
            return origin;
        }

        String hint() {
            return hint;
        }
    }

    /**
     * A call's expression.
     *
     * @param call the place of the call
     */
    static Expression of(List<Expression> arguments, Origin call) throws Refused {
        return new Questions(arguments).expression(call);
    }

    private Expression expression(Origin call) throws Refused {
        if (positional.size() < 2) {
            throw new Refused(call, "ai_query needs an endpoint and a prompt", USAGE);
        }
        if (positional.size() > 2) {
            throw new Refused(
                    positional.get(2),
                    "ai_query takes an endpoint and a prompt, and the rest by name",
                    "write failOnError => false, modelParameters => named_struct('max_tokens', 100)"
                            + " or responseFormat => 'json_object'");
        }
        var endpoint = constant(positional.getFirst(), "the endpoint");
        var prompt = positional.get(1);
        if (!(prompt.dataType() instanceof StringType)) {
            throw new Refused(
                    prompt,
                    "the prompt is %s, not STRING".formatted(prompt.dataType().sql()),
                    "CAST(… AS STRING), or build a text with concat");
        }
        var failOnError = true;
        var parameters = JsonNodeFactory.instance.objectNode();
        for (var argument : named.values()) {
            switch (argument.key().toLowerCase(Locale.ROOT)) {
                case "failonerror" -> failOnError = failOnError(argument.value());
                case "modelparameters" -> modelParameters(argument.value(), parameters);
                case "responseformat" -> responseFormat(argument.value(), parameters);
                default ->
                        throw new Refused(
                                argument,
                                "ai_query has no argument '%s'".formatted(argument.key()),
                                "it has failOnError, modelParameters and responseFormat");
            }
        }
        return new ApplyFunctionExpression(
                new Asked(endpoint, parameters.toString(), failOnError),
                Scala.seq(List.of(prompt)));
    }

    private static String constant(Expression expression, String what) throws Refused {
        if (expression.foldable() && expression.dataType() instanceof StringType) {
            var value = expression.eval(null);
            if (value != null) {
                return value.toString();
            }
        }
        throw new Refused(expression, what + " of ai_query is a constant text", USAGE);
    }

    private static boolean failOnError(Expression expression) throws Refused {
        if (expression.foldable()
                && expression.dataType() instanceof BooleanType
                && expression.eval(null) instanceof Boolean given) {
            return given;
        }
        throw new Refused(expression, "failOnError is a constant", "write true or false");
    }

    private static void modelParameters(Expression expression, ObjectNode parameters)
            throws Refused {
        if (!(expression instanceof CreateNamedStruct struct) || !expression.foldable()) {
            throw new Refused(
                    expression,
                    "modelParameters is a constant struct",
                    "write named_struct('max_tokens', 100, 'temperature', 0.2)");
        }
        var parts = Scala.<Expression>list(struct.children());
        for (int i = 0; i + 1 < parts.size(); i += 2) {
            var name = constant(parts.get(i), "a parameter's name");
            if (!PARAMETERS.contains(name)) {
                throw new Refused(
                        parts.get(i),
                        "there is no model parameter '%s'".formatted(name),
                        "there are " + String.join(", ", PARAMETERS.stream().sorted().toList()));
            }
            parameters.set(name, number(parts.get(i + 1)));
        }
    }

    private static JsonNode number(Expression expression) throws Refused {
        var value = expression.eval(null);
        var type = expression.dataType();
        if (value != null && type instanceof StringType) {
            return JsonNodeFactory.instance.textNode(value.toString());
        }
        try {
            return JsonNodeFactory.instance.numberNode(new BigDecimal(String.valueOf(value)));
        } catch (NumberFormatException e) {
            throw new Refused(expression, "a model parameter is a number or a text", "");
        }
    }

    private static void responseFormat(Expression expression, ObjectNode parameters)
            throws Refused {
        var text = constant(expression, "responseFormat").strip();
        if (FORMATS.contains(text)) {
            parameters.putObject("response_format").put("type", text);
            return;
        }
        try {
            var format = JSON.readTree(text);
            if (format != null && format.path("type").isTextual()) {
                parameters.set("response_format", format);
                return;
            }
        } catch (JsonProcessingException _) {
            // Told below.
        }
        throw new Refused(
                expression,
                "this is no response format",
                "write 'text', 'json_object' or '{\"type\": \"json_schema\", \"json_schema\":"
                        + " {\"name\": …, \"schema\": {…}}}'");
    }

    /** The calls that do not stand where rows can wait for their answers. */
    static List<TextError> misplaced(Relation query) {
        return Question.misplaced(query).stream()
                .map(call -> new TextError(call.position(), PLACE, PLACE_HINT))
                .distinct()
                .toList();
    }

    /** The calls in what is no view's query. */
    static List<TextError> refused(dev.lakemill.plan.Expression expression) {
        return Question.in(expression)
                .map(call -> new TextError(call.position(), PLACE, PLACE_HINT))
                .toList();
    }

    /** The calls in a query that is no view's. */
    static List<TextError> refused(Relation query) {
        return misplaced(new Relation.Distinct(query));
    }

    /** What a call asks, but for its prompt. */
    static final class Asked implements ScalarFunction<Object> {
        private static final long serialVersionUID = 1L;

        private final String endpoint;
        private final String parameters;
        private final boolean failOnError;

        Asked(String endpoint, String parameters, boolean failOnError) {
            this.endpoint = endpoint;
            this.parameters = parameters;
            this.failOnError = failOnError;
        }

        Question question(dev.lakemill.plan.Expression prompt) {
            return new Question(endpoint, parameters, failOnError, prompt);
        }

        @Override
        public DataType[] inputTypes() {
            return new DataType[] {DataTypes.StringType};
        }

        @Override
        public DataType resultType() {
            return failOnError ? DataTypes.StringType : SparkTypes.spark(Question.RESULT_OR_ERROR);
        }

        @Override
        public String name() {
            return "ai_query";
        }
    }
}
