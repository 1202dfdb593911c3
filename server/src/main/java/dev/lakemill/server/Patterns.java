package dev.lakemill.server;

import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Patterns of SHOW … LIKE. */
final class Patterns {
    private Patterns() {}

    /** In one, * is any text, | is or; the case does not matter. */
    static Predicate<String> like(String pattern) {
        if (pattern.isEmpty()) {
            return _ -> true;
        }
        var expression =
                Stream.of(pattern.split("\\|"))
                        .map(
                                part ->
                                        Stream.of(part.strip().split("\\*", -1))
                                                .map(Pattern::quote)
                                                .collect(Collectors.joining(".*")))
                        .collect(Collectors.joining("|"));
        return Pattern.compile(expression, Pattern.CASE_INSENSITIVE).asMatchPredicate();
    }
}
