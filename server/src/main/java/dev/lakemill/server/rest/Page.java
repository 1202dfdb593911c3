package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * One page of a list. A token says after which key the next page begins, so that what is made or
 * dropped meanwhile neither repeats nor skips the rest.
 *
 * <p>Without {@code max_results}, or with 0, a page holds everything up to {@value #ITEMS_MAX}:
 * some clients never ask for a second one.
 */
final class Page {
    static final int ITEMS_MAX = 10_000;

    private Page() {}

    /**
     * @param field of the answer that holds the items
     */
    static <T> ObjectNode of(
            Request request,
            String field,
            List<T> items,
            Function<T, String> key,
            Function<T, JsonNode> shape) {
        var after = request.query("page_token").map(Page::read).orElse("");
        var size = size(request);
        var rest =
                items.stream()
                        .filter(item -> after.isEmpty() || key.apply(item).compareTo(after) > 0)
                        .sorted(Comparator.comparing(key))
                        .limit(size + 1L)
                        .toList();
        var page = rest.subList(0, Math.min(size, rest.size()));
        var answer = JsonNodeFactory.instance.objectNode();
        var array = answer.putArray(field);
        page.forEach(item -> array.add(shape.apply(item)));
        if (rest.size() > size) {
            answer.put("next_page_token", write(key.apply(page.getLast())));
        }
        return answer;
    }

    private static int size(Request request) {
        try {
            var asked = request.query("max_results").map(Integer::parseInt).orElse(0);
            if (asked >= 0) {
                return asked == 0 ? ITEMS_MAX : Math.min(asked, ITEMS_MAX);
            }
        } catch (NumberFormatException _) {
            throw badSize();
        }
        throw badSize();
    }

    private static LakemillException badSize() {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "max_results is not a number from 0 on",
                "leave it out for pages of %d".formatted(ITEMS_MAX));
    }

    private static String write(String key) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(key.getBytes(StandardCharsets.UTF_8));
    }

    private static String read(String token) {
        try {
            return new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "page_token is none of ours",
                    "send next_page_token of the page before, as it was",
                    e);
        }
    }
}
