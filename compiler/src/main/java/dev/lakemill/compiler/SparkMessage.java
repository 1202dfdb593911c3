package dev.lakemill.compiler;

import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.parser.ParseException;
import org.jspecify.annotations.Nullable;

/** Spark's error messages without the parts that say what we say ourselves. */
final class SparkMessage {
    private static final Pattern CONDITION = Pattern.compile("^\\s*\\[[A-Z0-9_.]+] ");
    private static final Pattern TAIL =
            Pattern.compile(
                    "\\s*(SQLSTATE: \\w+|[;(]? ?\\(?line \\d+,? pos \\d+).*", Pattern.DOTALL);
    private static final Pattern PROPOSED = Pattern.compile("`([^`]+)`(?=[,\\]]|$)");

    private SparkMessage() {}

    /** The sentence, without the condition's name, the place and the plan. */
    static String text(Exception e) {
        var message = e instanceof AnalysisException a ? a.getSimpleMessage() : e.getMessage();
        var sentence = CONDITION.matcher(message == null ? e.toString() : message).replaceFirst("");
        return TAIL.matcher(sentence).replaceFirst("").strip();
    }

    /** Advice where Spark's condition allows some. */
    static String hint(SparkThrowable e) {
        if (e instanceof ParseException) {
            return "see Spark's SQL syntax";
        }
        var condition = condition(e);
        if (condition.startsWith("UNRESOLVED_COLUMN")) {
            return proposal(e).map("did you mean %s?"::formatted).orElse("");
        }
        return switch (condition) {
            case "MISSING_GROUP_BY", "MISSING_AGGREGATION" ->
                    "name the column in GROUP BY, or put it into an aggregate function";
            case "AMBIGUOUS_REFERENCE" -> "put the table's alias before the column";
            default -> "";
        };
    }

    private static String condition(SparkThrowable e) {
        @Nullable String condition = e.getCondition();
        return condition == null ? "" : condition;
    }

    private static Optional<String> proposal(SparkThrowable e) {
        var proposal = e.getMessageParameters().getOrDefault("proposal", "");
        var found = PROPOSED.matcher(proposal);
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }
}
