package dev.lakemill.server.rest;

import java.util.Locale;

/**
 * SQL's LIKE without regard to case: {@code %} is any text, {@code _} any character. Remembers only
 * the last {@code %}, so that no pattern takes longer than its length times the text's.
 */
record Like(String pattern) {
    Like {
        pattern = pattern.toLowerCase(Locale.ROOT);
    }

    boolean matches(String name) {
        var text = name.toLowerCase(Locale.ROOT);
        int at = 0;
        int in = 0;
        int star = -1;
        int starAt = 0;
        while (at < text.length()) {
            if (in < pattern.length() && pattern.charAt(in) == '%') {
                star = in++;
                starAt = at;
            } else if (in < pattern.length() && fits(pattern.charAt(in), text.charAt(at))) {
                in++;
                at++;
            } else if (star >= 0) {
                in = star + 1;
                at = ++starAt;
            } else {
                return false;
            }
        }
        return pattern.substring(in).chars().allMatch(c -> c == '%');
    }

    private static boolean fits(char wanted, char is) {
        return wanted == '_' || wanted == is;
    }
}
