package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;

/** Prints functions of texts; both engines count Unicode code points. */
final class DuckTexts {
    private final Call call;
    private final List<String> a;

    DuckTexts(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        onlyTexts();
        return switch (call.function()) {
            case CONCAT -> a.isEmpty() ? "''" : DuckFunctions.infix(a, "||");
            case CONCAT_WS -> concatWithSeparator();
            case UPPER -> DuckLetters.upper(a.getFirst(), call.position());
            case LOWER -> DuckLetters.lower(a.getFirst(), call.position());
            case LENGTH ->
                    integer("%s(%s)".formatted(isBinary() ? "octet_length" : "length", a.get(0)));
            case OCTET_LENGTH ->
                    integer("%s(%s)".formatted(isBinary() ? "octet_length" : "strlen", a.get(0)));
            case SUBSTRING -> substring();
            case TRIM -> trim("trim");
            case TRIM_LEFT -> trim("ltrim");
            case TRIM_RIGHT -> trim("rtrim");
            case REPLACE -> DuckFunctions.function("replace", a);
            case TRANSLATE -> DuckFunctions.function("translate", a);
            case LPAD -> pad("lpad");
            case RPAD -> pad("rpad");
            case REPEAT ->
                    "repeat(%s, %s)".formatted(a.get(0), DuckTypes.cast(a.get(1), Primitive.LONG));
            case REVERSE -> reversed();
            case STARTS_WITH -> DuckFunctions.function("starts_with", a);
            case ENDS_WITH -> DuckFunctions.function("ends_with", a);
            case CONTAINS -> DuckFunctions.function("contains", a);
            case LOCATE -> locate();
            case SPLIT_PART -> splitPart();
            case ASCII -> integer("ascii(" + a.get(0) + ")");
            case CHR ->
                    "(CASE WHEN %1$s < 0 THEN '' ELSE chr(CAST(%1$s & 255 AS INTEGER)) END)"
                            .formatted(a.getFirst());
            case BIT_LENGTH ->
                    integer(
                            "%s(%s) * 8"
                                    .formatted(isBinary() ? "octet_length" : "strlen", a.get(0)));
            case SOUNDEX, LEVENSHTEIN, SUBSTRING_INDEX, FIND_IN_SET, GET_JSON_OBJECT -> inJava();
            case SPLIT -> "from_json(%s, '[\"VARCHAR\"]')".formatted(inJava());
            case BASE64 -> DuckFunctions.function("base64", a);
            case UNHEX ->
                    "(CASE WHEN regexp_full_match(%1$s, '[0-9A-Fa-f]*') THEN unhex(CASE WHEN length(%1$s) %% 2 = 1 THEN '0' || %1$s ELSE %1$s END) END)"
                            .formatted(a.getFirst());
            case BIN -> "bin(%s)".formatted(a.getFirst());
            case SHA1 -> DuckFunctions.function("sha1", a);
            case MD5 -> DuckFunctions.function("md5", a);
            case SHA2 -> sha2();
            case HEX -> DuckFunctions.function("hex", a);
            case FORMAT_NUMBER -> formatNumber();
            default -> throw new IllegalArgumentException("not of texts: " + call.function());
        };
    }

    /** Spark's names are shared with arrays and binaries, which are others in DuckDB. */
    private void onlyTexts() {
        var takesOthers =
                switch (call.function()) {
                    case LENGTH,
                            OCTET_LENGTH,
                            BIT_LENGTH,
                            MD5,
                            SHA1,
                            SHA2,
                            HEX,
                            BASE64,
                            FORMAT_NUMBER ->
                            true;
                    default -> false;
                };
        var hasOther =
                call.arguments().stream()
                        .anyMatch(
                                e ->
                                        e.type() == Primitive.BINARY
                                                || e.type() instanceof DataType.Array);
        var areArrays =
                (call.function() == dev.lakemill.plan.Function.CONCAT
                                || call.function() == dev.lakemill.plan.Function.REVERSE)
                        && call.arguments().stream()
                                .allMatch(e -> e.type() instanceof DataType.Array);
        if (!takesOthers && hasOther && !areArrays) {
            throw DuckRefusal.of(
                    call.position(),
                    "%s() of arrays or binaries".formatted(name()),
                    "use it with texts only");
        }
    }

    private String reversed() {
        return DuckFunctions.argumentType(call, 0) instanceof DataType.Array
                ? "list_reverse(%s)".formatted(a.get(0))
                : "array_to_string(list_reverse(string_split(%s, '')), '')".formatted(a.get(0));
    }

    private String inJava() {
        if (a.size() > JavaFunctions.arguments(call.function())) {
            throw DuckRefusal.of(
                    call.position(), "%s() of so many arguments".formatted(name()), "give less");
        }
        var arguments =
                a.size() < 3
                        ? a
                        : List.of(
                                a.get(0),
                                "(CAST(%s AS VARCHAR) || ':' || %s)".formatted(a.get(2), a.get(1)));
        return DuckFunctions.function(JavaFunctions.name(call.function()), arguments);
    }

    private String name() {
        return call.function().forms().getFirst();
    }

    private boolean isBinary() {
        return DuckFunctions.argumentType(call, 0) == Primitive.BINARY;
    }

    private static String integer(String value) {
        return DuckTypes.cast(value, Primitive.INTEGER);
    }

    private boolean isConstant(int index) {
        return DuckFunctions.constant(call.arguments().get(index)).isPresent();
    }

    private String concatWithSeparator() {
        return a.size() == 1
                ? "(CASE WHEN %s IS NULL THEN NULL ELSE '' END)".formatted(a.getFirst())
                : DuckFunctions.function("concat_ws", a);
    }

    /** Place 0 is place 1; a length below zero is zero. */
    private String substring() {
        var start = a.get(1);
        var from =
                isConstant(1) && !DuckFunctions.constant(call, 1, "").equals("0")
                        ? start
                        : "(CASE WHEN %1$s = 0 THEN 1 ELSE %1$s END)".formatted(start);
        var length = isConstant(2) ? a.get(2) : "greatest(%s, 0)".formatted(a.get(2));
        if (isConstant(2) && Long.parseLong(DuckFunctions.constant(call, 2, "")) < 0) {
            length = "0";
        }
        var plain = "substring(%s, %s, %s)".formatted(a.get(0), from, length);
        return isConstant(2)
                ? plain
                : "(CASE WHEN %s IS NULL THEN NULL ELSE %s END)".formatted(a.get(2), plain);
    }

    private String trim(String function) {
        return "%s(%s, %s)".formatted(function, a.get(0), a.size() > 1 ? a.get(1) : "' '");
    }

    /** Without anything to pad with, Spark only cuts. */
    private String pad(String function) {
        var length = "greatest(%s, 0)".formatted(a.get(1));
        var padded =
                "(CASE WHEN %4$s IS NULL THEN NULL ELSE %1$s(%2$s, %3$s, %5$s) END)"
                        .formatted(function, a.get(0), length, a.get(1), a.get(2));
        if (isConstant(2) && !DuckFunctions.constant(call, 2, "").isEmpty()) {
            return padded;
        }
        return "(CASE WHEN %1$s = '' AND %2$s IS NOT NULL THEN left(%3$s, %4$s) ELSE %5$s END)"
                .formatted(a.get(2), a.get(1), a.get(0), length, padded);
    }

    /** The text sought, the text, and from where; places before the first give 0. */
    private String locate() {
        if (a.size() == 2 || isOne(call.arguments().get(2))) {
            return integer("instr(%s, %s)".formatted(a.get(1), a.get(0)));
        }
        throw DuckRefusal.of(
                call.position(), "locate() from a place on", "search in substring(text, place)");
    }

    private static boolean isOne(Expression expression) {
        return DuckFunctions.constant(expression).filter("1"::equals).isPresent();
    }

    private String splitPart() {
        var delimiter = DuckFunctions.constant(call, 1, "split_part() by a delimiter");
        var part = DuckFunctions.constant(call, 2, "split_part() of a number");
        if (delimiter.isEmpty() || part.equals("0")) {
            throw DuckRefusal.of(
                    call.position(),
                    "split_part() by nothing or of part 0",
                    "parts count from 1, or from -1 at the end");
        }
        return DuckFunctions.function("split_part", a);
    }

    private String sha2() {
        var bits = DuckFunctions.constant(call, 1, "sha2() of a number of bits");
        if (!bits.equals("256") && !bits.equals("0")) {
            throw DuckRefusal.of(call.position(), "sha2() of %s bits".formatted(bits), "use 256");
        }
        return "sha256(" + a.get(0) + ")";
    }

    private String formatNumber() {
        var digits = DuckFunctions.constant(call, 1, "format_number() with decimals");
        var type = DuckFunctions.argumentType(call, 0);
        if (!digits.matches("\\d{1,2}") || type instanceof Decimal) {
            throw DuckRefusal.of(
                    call.position(),
                    "format_number() of a decimal or with a pattern",
                    "cast the value to DOUBLE, and give a number of decimals");
        }
        if (DuckTypes.isIntegral(type)) {
            var zeros = digits.equals("0") ? "" : "." + "0".repeat(Integer.parseInt(digits));
            return "(format('{:,}', %s) || '%s')".formatted(a.get(0), zeros);
        }
        return "(CASE WHEN isnan(%1$s) THEN 'NaN' WHEN isinf(%1$s) THEN CASE WHEN %1$s > 0 THEN '∞' ELSE '-∞' END WHEN abs(%1$s) >= 1e15 THEN error('format_number of ' || %1$s || ' at %3$s') ELSE format('{:,.%2$sf}', %1$s) END)"
                .formatted(a.get(0), digits, call.position().toString().replace("'", ""));
    }
}
