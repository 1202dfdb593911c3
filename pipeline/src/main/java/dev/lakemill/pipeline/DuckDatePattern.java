package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression.Call;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Says Spark's date patterns in strftime's terms, as far as both print the same English text. */
final class DuckDatePattern {
    private static final Map<String, String> LETTERS =
            Map.ofEntries(
                    Map.entry("yyyy", "%Y"),
                    Map.entry("yy", "%y"),
                    Map.entry("MM", "%m"),
                    Map.entry("M", "%-m"),
                    Map.entry("MMM", "%b"),
                    Map.entry("MMMM", "%B"),
                    Map.entry("dd", "%d"),
                    Map.entry("d", "%-d"),
                    Map.entry("HH", "%H"),
                    Map.entry("H", "%-H"),
                    Map.entry("hh", "%I"),
                    Map.entry("h", "%-I"),
                    Map.entry("mm", "%M"),
                    Map.entry("m", "%-M"),
                    Map.entry("ss", "%S"),
                    Map.entry("s", "%-S"),
                    Map.entry("SSS", "%g"),
                    Map.entry("SSSSSS", "%f"),
                    Map.entry("E", "%a"),
                    Map.entry("EEE", "%a"),
                    Map.entry("EEEE", "%A"),
                    Map.entry("a", "%p"));

    private DuckDatePattern() {}

    static String of(Call call, String pattern) {
        var printed = new StringBuilder();
        if (pattern.isEmpty()) {
            throw refused(call, "nothing");
        }
        for (int i = 0; i < pattern.length(); ) {
            var c = pattern.charAt(i);
            var end = i + 1;
            if (c == '\'') {
                end = quoted(pattern, i, printed);
            } else if (Character.isLetter(c)) {
                while (end < pattern.length() && pattern.charAt(end) == c) {
                    end++;
                }
                printed.append(letters(call, pattern.substring(i, end)));
            } else if ("[]{}#".indexOf(c) >= 0) {
                throw refused(call, String.valueOf(c));
            } else {
                printed.append(c == '%' ? "%%" : String.valueOf(c));
            }
            i = end;
        }
        return printed.toString();
    }

    private static String letters(Call call, String letters) {
        @Nullable String found = LETTERS.get(letters);
        if (found == null) {
            throw refused(call, letters);
        }
        return found;
    }

    /** Text in quotes; two quotes are one. Gives the place behind it. */
    private static int quoted(String pattern, int start, StringBuilder printed) {
        var end = pattern.indexOf('\'', start + 1);
        if (end == start + 1) {
            printed.append('\'');
            return end + 1;
        }
        var close = end < 0 ? pattern.length() : end;
        printed.append(pattern.substring(start + 1, close).replace("%", "%%"));
        return close + 1;
    }

    private static RuntimeException refused(Call call, String letters) {
        return DuckRefusal.of(
                call.position(),
                "'%s' in a date pattern".formatted(letters),
                "use the letters y M d H h m s S E a, for example yyyy-MM-dd HH:mm:ss");
    }
}
