package dev.lakemill.sync;

/**
 * Tells whether a text can stand where an expression or an index's definition does in a statement
 * of Postgres, without ending it and going on with something else.
 */
final class SqlFragment {
    private final String text;
    private int at;

    private SqlFragment(String text) {
        this.text = text;
    }

    /** Why it cannot; empty when it can. */
    static String problem(String text) {
        return text.isBlank() ? "is empty" : new SqlFragment(text).read();
    }

    private String read() {
        var depth = 0;
        while (at < text.length()) {
            var c = text.charAt(at++);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (depth < 0) {
                return "closes a parenthesis that it did not open";
            }
            if (c == ';' || c == '$' || c == '\0' || startsComment(c)) {
                return "has a semicolon, a dollar sign or a comment";
            }
            if (c == '\'' && hasEscapes()) {
                return "has a string with a prefix; write a plain one";
            }
            if ((c == '\'' || c == '"') && !skipQuoted(c)) {
                return "has a quote that is not closed";
            }
        }
        return depth == 0 ? "" : "has a parenthesis that is not closed";
    }

    private boolean startsComment(char c) {
        return at < text.length()
                && ((c == '-' && text.charAt(at) == '-') || (c == '/' && text.charAt(at) == '*'));
    }

    /** E'…' and U&'…' have their own rules for quotes; b'…' and x'…' none that matter. */
    private boolean hasEscapes() {
        if (at < 2) {
            return false;
        }
        var before = text.charAt(at - 2);
        return before == '&' || Character.isLetterOrDigit(before) || before == '_';
    }

    /** A doubled quote ends one part and begins the next. */
    private boolean skipQuoted(char quote) {
        var end = text.indexOf(quote, at);
        at = end + 1;
        return end >= 0;
    }
}
