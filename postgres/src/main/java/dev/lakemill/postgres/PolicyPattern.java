package dev.lakemill.postgres;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;

/**
 * A regular expression of the small part that Java and Postgres read alike: a row of literals, \d,
 * \w and [classes] of ASCII characters, each with one of * + ? {n} {n,m}, between ^ and $.
 *
 * <p>Java takes the first way to match, Postgres the longest match. Both are the same when only one
 * item's length varies; a mere test does not care.
 */
final class PolicyPattern {
    private static final String HINT =
            "use literals, [a-z], \\d and \\w with * + ? {n}, between ^ and $";
    private static final String LINE_END = "(\\r\\n|[\\n\\r\\u0085\\u2028\\u2029])?$";

    private record Item(String text, boolean negated, int least, boolean varies) {}

    private final String java;
    private final SourcePosition position;
    private final List<Item> items = new ArrayList<>();
    private boolean fromStart;
    private boolean toEnd;
    private int at;

    private PolicyPattern(String java, SourcePosition position) {
        this.java = java;
        this.position = position;
    }

    /**
     * @throws LakemillException UNIMPLEMENTED outside of the part that is known
     */
    static PolicyPattern parse(String java, SourcePosition position) {
        var pattern = new PolicyPattern(java, position);
        pattern.parse();
        return pattern;
    }

    /** Finds whether something matches. */
    String forTest() {
        if (toEnd && !items.isEmpty() && items.getLast().negated()) {
            throw refused("a class of other characters before $");
        }
        return printed() + (toEnd ? LINE_END : "");
    }

    /** Finds what matches. */
    String forReplacement() {
        if (toEnd) {
            throw refused("$ in a replacement");
        }
        if (items.stream().filter(Item::varies).count() > 1) {
            throw refused("more than one * + ? in a replacement");
        }
        if (items.stream().allMatch(item -> item.least() == 0)) {
            throw refused("an expression that matches the empty text");
        }
        return printed();
    }

    private String printed() {
        var printed = new StringBuilder(fromStart ? "^" : "");
        items.forEach(item -> printed.append(item.text()));
        return printed.toString();
    }

    private void parse() {
        if (java.startsWith("^")) {
            fromStart = true;
            at++;
        }
        while (at < java.length()) {
            if (java.charAt(at) == '$' && at == java.length() - 1) {
                toEnd = true;
                at++;
            } else {
                item();
            }
        }
    }

    private void item() {
        var negated = java.startsWith("[^", at);
        var text = java.charAt(at) == '[' ? characters() : character();
        var least = 1;
        var varies = false;
        var quantifier = "";
        if (at < java.length() && "*+?{".indexOf(java.charAt(at)) >= 0) {
            var start = at;
            var c = java.charAt(at++);
            if (c == '{') {
                var end = java.indexOf('}', at);
                if (end < 0 || !java.substring(at, end).matches("\\d{1,2}(,\\d{1,2})?")) {
                    throw refused("this repetition");
                }
                var counts = java.substring(at, end).split(",");
                least = Integer.parseInt(counts[0]);
                varies = counts.length > 1;
                at = end + 1;
            } else {
                least = c == '+' ? 1 : 0;
                varies = true;
            }
            quantifier = java.substring(start, at);
            if (at < java.length() && "*+?{".indexOf(java.charAt(at)) >= 0) {
                throw refused("a repetition of a repetition");
            }
        }
        items.add(new Item(text + quantifier, negated, least, varies));
    }

    private String character() {
        var c = java.charAt(at++);
        if (c == '\\') {
            return escaped();
        }
        if (Character.isLetterOrDigit(c) || " _-@:/,;=#%&<>!\"'~".indexOf(c) >= 0) {
            return isWord(c) ? String.valueOf(c) : "\\" + c;
        }
        throw refused("'" + c + "'");
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c);
    }

    private String escaped() {
        var c = at < java.length() ? java.charAt(at++) : ' ';
        if (c == 'd') {
            return "[0-9]";
        }
        if (c == 'w') {
            return "[A-Za-z0-9_]";
        }
        if (c > ' ' && c < 127 && !Character.isLetterOrDigit(c)) {
            return "\\" + c;
        }
        throw refused("'\\" + c + "'");
    }

    private String characters() {
        var printed = new StringBuilder("[");
        at++;
        if (at < java.length() && java.charAt(at) == '^') {
            printed.append('^');
            at++;
        }
        var start = at;
        while (at < java.length() && (java.charAt(at) != ']' || at == start)) {
            var c = java.charAt(at++);
            var isRange =
                    Character.isLetterOrDigit(c)
                            && at + 1 < java.length()
                            && java.charAt(at) == '-'
                            && Character.isLetterOrDigit(java.charAt(at + 1));
            if (c > 126 || c < ' ' || "[]^&\\-".indexOf(c) >= 0) {
                throw refused("'" + c + "' in a class");
            }
            printed.append(isWord(c) ? "" : "\\").append(c);
            if (isRange) {
                printed.append('-').append(java.charAt(at + 1));
                at += 2;
            }
        }
        if (at >= java.length()) {
            throw refused("a class without end");
        }
        at++;
        return printed.append(']').toString();
    }

    private LakemillException refused(String what) {
        return PolicyPrinter.refused(
                position, "%s in the regular expression '%s'".formatted(what, java), HINT);
    }
}
