package dev.lakemill.postgres;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import java.util.Optional;

/** Prints functions of texts; both engines count Unicode code points. */
final class PolicyTexts {
    private final Call call;
    private final List<String> a;

    PolicyTexts(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        onlyTexts();
        return switch (call.function()) {
            case CONCAT -> "(" + String.join(" || ", a) + ")";
            case CONCAT_WS -> concatWithSeparator();
            case UPPER -> letters("upper");
            case LOWER -> letters("lower");
            case LENGTH -> function(isBinary() ? "octet_length" : "length");
            case OCTET_LENGTH -> function("octet_length");
            case SUBSTRING -> substring();
            case TRIM -> function("btrim");
            case TRIM_LEFT -> function("ltrim");
            case TRIM_RIGHT -> function("rtrim");
            case REPLACE -> function("replace");
            case TRANSLATE -> function("translate");
            case LPAD -> function("lpad");
            case RPAD -> function("rpad");
            case REPEAT -> function("repeat");
            case REVERSE -> function("reverse");
            case STARTS_WITH -> function("starts_with");
            case ENDS_WITH -> "(right(%1$s, length(%2$s)) = %2$s)".formatted(a.get(0), a.get(1));
            case CONTAINS -> "(strpos(%s, %s) > 0)".formatted(a.get(0), a.get(1));
            case LOCATE -> locate();
            case LIKE -> like();
            case RLIKE -> "(%s ~ %s)".formatted(a.get(0), text(pattern().forTest()));
            case REGEXP_REPLACE -> replace();
            case MD5 -> "md5(" + a.get(0) + ")";
            case SHA2 -> sha2();
            default -> throw new IllegalArgumentException("not of texts: " + call.function());
        };
    }

    private String function(String name) {
        return PolicyPrinter.function(name, a);
    }

    private static String text(String text) {
        return PolicyPrinter.text(text);
    }

    private void onlyTexts() {
        var takesOthers =
                switch (call.function()) {
                    case LENGTH, OCTET_LENGTH, MD5, SHA2 -> true;
                    default -> false;
                };
        if (!takesOthers && call.arguments().stream().anyMatch(e -> e.type() == Primitive.BINARY)) {
            throw PolicyPrinter.refused(call, PolicyPrinter.name(call) + " of binaries");
        }
    }

    private boolean isBinary() {
        return call.arguments().getFirst().type() == Primitive.BINARY;
    }

    private String letters(String function) {
        return "(%s(%s COLLATE \"pg_unicode_fast\") COLLATE \"default\")"
                .formatted(function, a.getFirst());
    }

    private String concatWithSeparator() {
        if (a.size() == 1) {
            throw PolicyPrinter.refused(call, "concat_ws() of nothing");
        }
        return function("concat_ws");
    }

    /** Place 0 is place 1, places below it count from the end, and a length below zero is zero. */
    private String substring() {
        return ("substring(%1$s FROM CASE WHEN %2$s > 0 THEN %2$s WHEN %2$s < 0 THEN length(%1$s) + 1 + %2$s"
                        + " WHEN %2$s = 0 THEN 1 END"
                        + " FOR CASE WHEN %3$s > 0 THEN %3$s WHEN %3$s <= 0 THEN 0 END)")
                .formatted(a.get(0), a.get(1), a.get(2));
    }

    /** The text sought, the text, and from where. */
    private String locate() {
        if (a.size() > 2 && !constant(call.arguments().get(2)).equals(Optional.of("1"))) {
            throw PolicyPrinter.refused(call, "locate() from a place on");
        }
        return "strpos(%s, %s)".formatted(a.get(1), a.get(0));
    }

    private String like() {
        var pattern = constant(call, 1, "a pattern");
        var escape = constant(call, 2, "an escape character");
        for (int i = 0; i < pattern.length(); i++) {
            if (pattern.startsWith(escape, i)) {
                i++;
                var isKnown =
                        i < pattern.length()
                                && ("%_".indexOf(pattern.charAt(i)) >= 0
                                        || pattern.startsWith(escape, i));
                if (!isKnown) {
                    throw PolicyPrinter.refused(
                            call.position(),
                            "a LIKE pattern that escapes something else than % or _",
                            "double the escape character");
                }
            }
        }
        return "(%s LIKE %s ESCAPE %s)".formatted(a.get(0), text(pattern), text(escape));
    }

    private PolicyPattern pattern() {
        return PolicyPattern.parse(constant(call, 1, "a regular expression"), call.position());
    }

    private String replace() {
        if (!constant(call, 3, "a place to start at").equals("1")) {
            throw PolicyPrinter.refused(call, "regexp_replace() from a place on");
        }
        var replacement = constant(call, 2, "a replacement");
        if (replacement.indexOf('$') >= 0 || replacement.indexOf('\\') >= 0) {
            throw PolicyPrinter.refused(
                    call.position(), "a replacement with $ or a back-slash", "use other letters");
        }
        return "regexp_replace(%s, %s, %s, 'g')"
                .formatted(a.get(0), text(pattern().forReplacement()), text(replacement));
    }

    private String sha2() {
        var bits = constant(call, 1, "sha2() of a number of bits");
        if (!bits.equals("256") && !bits.equals("0")) {
            throw PolicyPrinter.refused(
                    call.position(), "sha2() of %s bits".formatted(bits), "use 256");
        }
        return "encode(sha256(%s), 'hex')".formatted(a.get(0));
    }

    /** The text of an argument that must be a constant. */
    static String constant(Call call, int index, String what) {
        return constant(call.arguments().get(index))
                .orElseThrow(
                        () ->
                                PolicyPrinter.refused(
                                        call.position(),
                                        what + " that is not a constant",
                                        "write a constant"));
    }

    private static Optional<String> constant(Expression expression) {
        return expression instanceof Expression.Literal literal
                ? Optional.ofNullable(literal.text())
                : Optional.empty();
    }
}
