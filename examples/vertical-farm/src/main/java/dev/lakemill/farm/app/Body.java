package dev.lakemill.farm.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Set;

/** A request's JSON object, whose fields are what they are said to be. */
record Body(JsonNode json) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Body read(InputStream in, int bytesMax) throws IOException {
        var bytes = in.readNBytes(bytesMax + 1);
        if (bytes.length > bytesMax) {
            throw invalid("the body has more than %d bytes".formatted(bytesMax));
        }
        try {
            var json = JSON.readTree(bytes);
            if (json == null || !json.isObject()) {
                throw invalid("the body is no JSON object");
            }
            return new Body(json);
        } catch (JsonProcessingException e) {
            throw invalid("the body is not JSON: " + e.getOriginalMessage());
        }
    }

    static LakemillException invalid(String problem) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, "");
    }

    /** A text of 1 to so many characters. */
    String text(String name, int charsMax) {
        var value = json.path(name);
        if (!value.isTextual() || value.asText().isBlank() || value.asText().length() > charsMax) {
            throw invalid("'%s' is a text of 1 to %d characters".formatted(name, charsMax));
        }
        return value.asText();
    }

    /** Empty when there is none. */
    String optionalText(String name, int charsMax) {
        var value = json.path(name);
        return value.isMissingNode() || value.isNull() || value.asText().isBlank()
                ? ""
                : text(name, charsMax);
    }

    String oneOf(String name, Set<String> words) {
        var value = json.path(name).asText();
        if (!words.contains(value)) {
            throw invalid(
                    "'%s' is one of %s"
                            .formatted(name, String.join(", ", words.stream().sorted().toList())));
        }
        return value;
    }

    long number(String name, long min, long max) {
        var value = json.path(name);
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.asLong() < min
                || value.asLong() > max) {
            throw invalid("'%s' is a whole number from %d to %d".formatted(name, min, max));
        }
        return value.asLong();
    }
}
