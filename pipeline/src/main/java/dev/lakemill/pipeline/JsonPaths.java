package dev.lakemill.pipeline;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * get_json_object: the part of a JSON text that a path of names and places leads to, as Spark gives
 * it: a text without its quotes, anything else as it is written, without white space. NULL where
 * there is none, where it is null, or where the text is no JSON up to there.
 */
final class JsonPaths {
    private static final Pattern STEP =
            Pattern.compile("\\.([^.\\[*]+)|\\['([^'?*]+)'\\]|\\[(\\d{1,9})\\]");

    /** Spark reads names in single quotes as well. */
    private static final JsonFactory JSON =
            new JsonFactoryBuilder().enable(JsonReadFeature.ALLOW_SINGLE_QUOTES).build();

    private JsonPaths() {}

    /** Whether a path has only steps to a name or a place, which are sure to mean the same. */
    static boolean isPlain(String path) {
        return steps(path) != null;
    }

    static @Nullable String get(String json, String path) {
        var steps = steps(path);
        if (steps == null) {
            return null;
        }
        try (var parser = JSON.createParser(json)) {
            if (parser.nextToken() == null) {
                return null;
            }
            return at(parser, steps, 0);
        } catch (IOException _) {
            return null;
        }
    }

    /** A step is a String or an Integer; null for any other path. */
    private static @Nullable List<Object> steps(String path) {
        if (!path.startsWith("$")) {
            return null;
        }
        var steps = new ArrayList<Object>();
        var matcher = STEP.matcher(path);
        var end = 1;
        while (matcher.find(end) && matcher.start() == end) {
            var name = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
            steps.add(name == null ? (Object) Integer.valueOf(matcher.group(3)) : name);
            end = matcher.end();
        }
        return end == path.length() ? steps : null;
    }

    /** The rest of the value is read as well, as far as Spark reads it. */
    private static @Nullable String at(JsonParser parser, List<Object> steps, int depth)
            throws IOException {
        if (depth == steps.size()) {
            return value(parser);
        }
        return switch (steps.get(depth)) {
            case String name when parser.currentToken() == JsonToken.START_OBJECT ->
                    field(parser, name, steps, depth);
            case Integer place when parser.currentToken() == JsonToken.START_ARRAY ->
                    element(parser, place, steps, depth);
            default -> {
                parser.skipChildren();
                yield null;
            }
        };
    }

    /** The first field of the name that leads to something. */
    private static @Nullable String field(
            JsonParser parser, String name, List<Object> steps, int depth) throws IOException {
        String found = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            if (parser.currentToken() == null) {
                throw new IOException("the object does not end");
            }
            var matches = parser.currentName().equals(name);
            var token = parser.nextToken();
            if (found == null && matches && token != JsonToken.VALUE_NULL) {
                found = at(parser, steps, depth + 1);
            } else {
                parser.skipChildren();
            }
        }
        return found;
    }

    private static @Nullable String element(
            JsonParser parser, int place, List<Object> steps, int depth) throws IOException {
        String found = null;
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            if (parser.currentToken() == null) {
                throw new IOException("the array does not end");
            }
            if (i == place) {
                found = at(parser, steps, depth + 1);
            } else {
                parser.skipChildren();
            }
        }
        return found;
    }

    private static @Nullable String value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_STRING -> parser.getText();
            case VALUE_NULL -> null;
            default -> {
                var text = new StringWriter();
                try (var out = JSON.createGenerator(text)) {
                    out.copyCurrentStructure(parser);
                }
                yield text.toString();
            }
        };
    }
}
