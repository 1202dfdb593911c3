package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression.Call;
import java.util.List;
import java.util.Locale;

/** Prints LIKE and the functions of regular expressions; the patterns are constants. */
final class DuckPatterns {
    private final Call call;
    private final List<String> a;

    DuckPatterns(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        return switch (call.function()) {
            case LIKE -> like(a.get(0), pattern());
            case ILIKE -> like(DuckLetters.lower(a.get(0), call.position()), lowerPattern());
            case RLIKE ->
                    "regexp_matches(%s, %s)".formatted(a.get(0), text(expression().forTest()));
            case REGEXP_EXTRACT -> extract();
            case REGEXP_REPLACE -> replace();
            default -> throw new IllegalArgumentException("not of patterns: " + call.function());
        };
    }

    private static String text(String text) {
        return DuckExpressions.text(text);
    }

    private String pattern() {
        return DuckFunctions.constant(call, 1, "a pattern");
    }

    private String lowerPattern() {
        var pattern = pattern();
        if (pattern.chars().anyMatch(c -> c > 127)) {
            throw DuckRefusal.of(
                    call.position(), "ILIKE by letters other than a to z", "use lower(text) LIKE");
        }
        return pattern.toLowerCase(Locale.ROOT);
    }

    private String like(String value, String pattern) {
        var escape = DuckFunctions.constant(call, 2, "an escape character");
        for (int i = 0; i < pattern.length(); i++) {
            if (pattern.startsWith(escape, i)) {
                i++;
                if (i == pattern.length()
                        || !("%_".indexOf(pattern.charAt(i)) >= 0
                                || pattern.startsWith(escape, i))) {
                    throw DuckRefusal.of(
                            call.position(),
                            "a LIKE pattern that escapes something else than %% or _",
                            "double the escape character");
                }
            }
        }
        var escaped = pattern.contains(escape) ? " ESCAPE " + text(escape) : "";
        return "(%s LIKE %s%s)".formatted(value, text(pattern), escaped);
    }

    private RegularExpression expression() {
        return RegularExpression.parse(
                DuckFunctions.constant(call, 1, "a regular expression"), call.position());
    }

    private String extract() {
        var group = Integer.parseInt(DuckFunctions.constant(call, 2, "a number of a group"));
        var expression = expression();
        if (group < 0 || group > expression.groups() || group > 9) {
            throw DuckRefusal.of(
                    call.position(),
                    "group %d of a regular expression with %d groups"
                            .formatted(group, expression.groups()),
                    "groups count from 1; 0 is the whole");
        }
        var pattern = group == 0 ? expression.forExtent() : expression.forTest();
        return "regexp_extract(%s, %s, %d)".formatted(a.get(0), text(pattern), group);
    }

    private String replace() {
        if (!DuckFunctions.constant(call, 3, "a place to start at").equals("1")) {
            throw DuckRefusal.of(
                    call.position(), "regexp_replace() from a place on", "leave the place out");
        }
        var expression = expression();
        if (expression.matchesNothing()) {
            throw DuckRefusal.of(
                    call.position(),
                    "regexp_replace() by an expression that matches the empty text",
                    "use + in place of *");
        }
        var replacement =
                replacement(DuckFunctions.constant(call, 2, "a replacement"), expression.groups());
        return "regexp_replace(%s, %s, %s, 'g')"
                .formatted(a.get(0), text(expression.forExtent()), text(replacement));
    }

    /** Java's $1 is RE2's \1; Java's back-slash takes the next character as it is. */
    private String replacement(String java, int groups) {
        var printed = new StringBuilder();
        for (int i = 0; i < java.length(); i++) {
            var c = java.charAt(i);
            if (c == '$') {
                var isOneDigit =
                        i + 1 < java.length()
                                && java.charAt(i + 1) >= '0'
                                && java.charAt(i + 1) - '0' <= groups
                                && !(i + 2 < java.length()
                                        && Character.isDigit(java.charAt(i + 2)));
                if (!isOneDigit) {
                    throw DuckRefusal.of(
                            call.position(), "this replacement", "refer to groups as $1 to $9");
                }
                printed.append('\\').append(java.charAt(++i));
            } else if (c == '\\' && i + 1 < java.length()) {
                i++;
                printed.append(java.charAt(i) == '\\' ? "\\\\" : java.substring(i, i + 1));
            } else {
                printed.append(c);
            }
        }
        return printed.toString();
    }
}
