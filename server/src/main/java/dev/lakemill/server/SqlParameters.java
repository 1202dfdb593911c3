package dev.lakemill.server;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Puts typed constants for the {@code :name} markers of a statement. */
final class SqlParameters {
    /**
     * @param value null for NULL
     */
    record Parameter(String name, @Nullable String value, DataType type) {
        /** The constant in SQL; whatever the value holds, it stays one constant. */
        String literal() {
            if (value == null) {
                return "CAST(NULL AS " + type.sql() + ")";
            }
            var text = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
            return type == Primitive.STRING ? text : "CAST(" + text + " AS " + type.sql() + ")";
        }
    }

    private SqlParameters() {}

    /**
     * @throws dev.lakemill.types.LakemillException INVALID_ARGUMENT for a marker without value
     */
    static SourceText filled(SourceText source, List<Parameter> parameters) {
        Map<String, Parameter> byName =
                parameters.stream().collect(Collectors.toMap(Parameter::name, Function.identity()));
        try {
            return new SourceText(source.path(), filled(source, byName));
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }

    private static String filled(SourceText source, Map<String, Parameter> parameters) {
        var filled = new StringBuilder();
        var copied = 0;
        Token before = null;
        var tokens = Lexer.tokens(source);
        for (int i = 0; i + 1 < tokens.size(); i++) {
            var token = tokens.get(i);
            var next = tokens.get(i + 1);
            var isMarker =
                    token.isSign(':')
                            && next.kind() == Token.Kind.WORD
                            && next.start() == token.end()
                            && (before == null
                                    || before.end() < token.start()
                                    || !endsValue(before));
            if (isMarker) {
                var parameter = parameters.get(next.text());
                if (parameter == null) {
                    throw new TextRefused(
                            new TextError(
                                    Fragment.position(source, token.start()),
                                    "there is no parameter '%s'".formatted(next.text()),
                                    NearestName.hint(next.text(), parameters.keySet())));
                }
                filled.append(source.text(), copied, token.start()).append(parameter.literal());
                copied = next.end();
            }
            before = token;
        }
        return filled.append(source.text(), copied, source.text().length()).toString();
    }

    /** Whether a colon right behind it belongs to a cast or a path: {@code a::INT}. */
    private static boolean endsValue(Token token) {
        return token.isSign(':')
                || token.isSign(')')
                || token.isSign(']')
                || token.kind() == Token.Kind.WORD
                || token.kind() == Token.Kind.NAME
                || token.kind() == Token.Kind.STRING;
    }
}
