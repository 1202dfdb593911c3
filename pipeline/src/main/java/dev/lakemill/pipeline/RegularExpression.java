package dev.lakemill.pipeline;

import dev.lakemill.plan.SourcePosition;

/**
 * A regular expression of the part that Java's syntax (Spark's) and RE2's (DuckDB's) share, said in
 * RE2's.
 *
 * <p>Both take the leftmost match and, of alternatives, the first. Said differently are: the dot
 * and the dollar, for which Java knows five ends of a line and RE2 one; and {@code \s}, which is
 * without the vertical tab in RE2. Refused are: word borders (Unicode in Java), look-around, back
 * references, possessive quantifiers, flags, classes in classes, and repeated parts that may match
 * nothing.
 */
final class RegularExpression {
    private static final String LINE_END = "\\n\\r\\x{85}\\x{2028}\\x{2029}";
    private static final String END = "(?:\\r\\n|[" + LINE_END + "])?\\z";
    private static final String SPACE = " \\t\\n\\x0B\\f\\r";
    private static final int REPEAT_MAX = 1000;

    private final String java;
    private final SourcePosition position;
    private final StringBuilder printed = new StringBuilder();
    private int at;
    private int groups;
    private boolean hasEnd;
    private int lengthMin;

    private RegularExpression(String java, SourcePosition position) {
        this.java = java;
        this.position = position;
    }

    /**
     * @throws dev.lakemill.types.LakemillException UNIMPLEMENTED if it is not of the shared part
     */
    static RegularExpression parse(String java, SourcePosition position) {
        var expression = new RegularExpression(java, position);
        expression.lengthMin = expression.alternatives();
        if (expression.at < java.length()) {
            throw expression.refused(")");
        }
        return expression;
    }

    /** For asking whether it matches, and for groups in it. */
    String forTest() {
        return printed.toString();
    }

    /** For the extent of a match, which an end of a line at the end must not be part of. */
    String forExtent() {
        if (hasEnd) {
            throw refused("$");
        }
        return printed.toString();
    }

    int groups() {
        return groups;
    }

    boolean matchesNothing() {
        return lengthMin == 0;
    }

    /** Gives the least length of a match. */
    private int alternatives() {
        var least = sequence();
        while (accept('|')) {
            printed.append('|');
            least = Math.min(least, sequence());
        }
        return least;
    }

    private int sequence() {
        var length = 0;
        while (at < java.length() && java.charAt(at) != '|' && java.charAt(at) != ')') {
            length += repeated();
        }
        return length;
    }

    private int repeated() {
        var canRepeat = java.charAt(at) != '^' && java.charAt(at) != '$';
        var least = atom();
        if (at == java.length() || "*+?{".indexOf(java.charAt(at)) < 0) {
            return least;
        }
        if (least == 0 || !canRepeat) {
            throw refused("a repeated part that may match nothing");
        }
        least *= quantifier();
        if (accept('?')) {
            printed.append('?');
        } else if (at < java.length() && "*+{".indexOf(java.charAt(at)) >= 0) {
            throw refused(java.substring(at, at + 1));
        }
        return least;
    }

    /** Gives the least number of times. */
    private int quantifier() {
        var c = java.charAt(at);
        if (c != '{') {
            at++;
            printed.append(c);
            return c == '+' ? 1 : 0;
        }
        var end = java.indexOf('}', at);
        var text = end < 0 ? "" : java.substring(at + 1, end);
        if (!text.matches("\\d{1,4}(,(\\d{1,4})?)?")) {
            throw refused("{");
        }
        for (var bound : text.split(",")) {
            if (Integer.parseInt(bound) > REPEAT_MAX) {
                throw refused(bound + " repetitions");
            }
        }
        printed.append(java, at, end + 1);
        at = end + 1;
        return Integer.parseInt(text.split(",")[0]);
    }

    private int atom() {
        var c = java.charAt(at);
        return switch (c) {
            case '(' -> group();
            case '[' -> characters();
            case '.' -> {
                at++;
                printed.append("[^").append(LINE_END).append(']');
                yield 1;
            }
            case '^' -> {
                at++;
                printed.append("\\A");
                yield 0;
            }
            case '$' -> {
                at++;
                hasEnd = true;
                printed.append(END);
                yield 0;
            }
            case '\\' -> {
                printed.append(escape(false));
                yield 1;
            }
            case '*', '+', '?', '{' -> throw refused(String.valueOf(c));
            default -> {
                at++;
                printed.append(c == ']' || c == '}' ? "\\" + c : String.valueOf(c));
                yield Character.isLowSurrogate(c) ? 0 : 1;
            }
        };
    }

    private int group() {
        if (java.startsWith("(?:", at)) {
            at += 3;
            printed.append("(?:");
        } else if (java.startsWith("(?", at)) {
            throw refused("(?");
        } else {
            at++;
            groups++;
            printed.append('(');
        }
        var least = alternatives();
        if (!accept(')')) {
            throw refused("(");
        }
        printed.append(')');
        return least;
    }

    private int characters() {
        printed.append(java.charAt(at++));
        if (accept('^')) {
            printed.append('^');
        }
        var start = at;
        while (at < java.length() && (java.charAt(at) != ']' || at == start)) {
            var c = java.charAt(at);
            if (c == '[' || c == ']' || java.startsWith("&&", at)) {
                throw refused(String.valueOf(c) + " in a class");
            }
            if (c == '\\') {
                printed.append(escape(true));
            } else {
                at++;
                printed.append(c);
            }
        }
        if (!accept(']')) {
            throw refused("[");
        }
        printed.append(']');
        return 1;
    }

    private String escape(boolean inClass) {
        if (at + 1 >= java.length()) {
            throw refused("\\");
        }
        var c = java.charAt(at + 1);
        at += 2;
        return switch (c) {
            case 'd', 'D', 'w', 'W', 't', 'n', 'r', 'f' -> "\\" + c;
            case 's' -> inClass ? SPACE : "[" + SPACE + "]";
            case 'S' -> {
                if (inClass) {
                    throw refused("\\S in a class");
                }
                yield "[^" + SPACE + "]";
            }
            default -> {
                if (Character.isLetterOrDigit(c) || c > 127) {
                    throw refused("\\" + c);
                }
                yield "\\" + c;
            }
        };
    }

    private boolean accept(char c) {
        if (at < java.length() && java.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private RuntimeException refused(String what) {
        return DuckRefusal.of(
                position,
                "'%s' in the regular expression '%s'".formatted(what, java),
                "use literals, . ^ $ [a-z] \\d \\w \\s | ( ) * + ? {n,m}");
    }
}
