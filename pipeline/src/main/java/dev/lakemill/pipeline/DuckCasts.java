package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigDecimal;

/**
 * Prints casts, in ANSI mode: what does not fit is an error, or NULL for try_cast.
 *
 * <p>Where the engines differ: Spark cuts fractions off, DuckDB rounds; Spark goes from a double to
 * a decimal over its shortest text, DuckDB over binary arithmetic; both read other texts as
 * numbers.
 */
final class DuckCasts {
    private static final String WHOLE = "[+-]?[0-9]+";
    private static final String NUMBER = "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?";
    private static final String DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}";

    private final Expression.Cast cast;
    private final DataType to;

    DuckCasts(Expression.Cast cast) {
        this.cast = cast;
        this.to = cast.type();
    }

    String print(String value, DataType from) {
        if (from.equals(to) || sameForm(from)) {
            return value;
        }
        return switch (from) {
            case Primitive primitive ->
                    switch (primitive) {
                        case BOOLEAN -> fromBoolean(value);
                        case BYTE, SHORT, INTEGER, LONG -> fromWhole(value);
                        case FLOAT, DOUBLE -> fromFloating(value, primitive);
                        case STRING -> fromText(value);
                        case BINARY -> fromBinary(value);
                        case DATE -> fromDate(value);
                        case TIMESTAMP, TIMESTAMP_NTZ -> fromTimestamp(value);
                    };
            case Decimal decimal -> fromDecimal(value, decimal);
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> throw refused(from);
        };
    }

    /** Types that differ in what may be NULL, or in the kind of timestamp. */
    private boolean sameForm(DataType from) {
        return DuckTypes.name(from).equals(DuckTypes.name(to))
                && !(from == Primitive.STRING && to != Primitive.STRING);
    }

    private RuntimeException refused(DataType from) {
        return DuckRefusal.of(
                cast.position(),
                "%s of %s to %s"
                        .formatted(cast.tried() ? "try_cast" : "a cast", from.sql(), to.sql()),
                "docs/reference/sql-functions.md lists the casts");
    }

    /** DuckDB's own cast. */
    private String plain(String value) {
        return (cast.tried() ? "TRY_CAST(" : "CAST(") + value + " AS " + DuckTypes.name(to) + ")";
    }

    private String fromBoolean(String value) {
        if (to instanceof Decimal) {
            return plain(DuckTypes.cast(value, Primitive.INTEGER));
        }
        if (DuckTypes.isIntegral(to) || DuckTypes.isFloating(to) || to == Primitive.STRING) {
            return plain(value);
        }
        throw refused(Primitive.BOOLEAN);
    }

    private String fromWhole(String value) {
        if (DuckTypes.isTimestamp(to)) {
            return "make_timestamp(%s * 1000000)".formatted(DuckTypes.cast(value, Primitive.LONG));
        }
        if (to == Primitive.BOOLEAN) {
            return "(" + value + " <> 0)";
        }
        if (to == Primitive.BINARY || to == Primitive.DATE) {
            throw refused(Primitive.LONG);
        }
        return plain(value);
    }

    private String fromFloating(String value, Primitive from) {
        if (to == Primitive.BOOLEAN) {
            return "(" + value + " <> 0)";
        }
        if (DuckTypes.isIntegral(to)) {
            return plain("trunc(" + value + ")");
        }
        if (to == Primitive.DOUBLE) {
            return plain(value);
        }
        if (to == Primitive.FLOAT) {
            return "(CASE WHEN abs(%1$s) > 3.4028235677973362e38 AND NOT isnan(%1$s) THEN CASE WHEN %1$s > 0 THEN %3$s ELSE %4$s END ELSE %2$s END)"
                    .formatted(
                            value,
                            plain(value),
                            DuckExpressions.literal(Primitive.FLOAT, "Infinity"),
                            DuckExpressions.literal(Primitive.FLOAT, "-Infinity"));
        }
        if (to == Primitive.STRING) {
            return text(value, from);
        }
        if (to instanceof Decimal decimal) {
            var wide = from == Primitive.FLOAT ? DuckTypes.cast(value, Primitive.DOUBLE) : value;
            // Below 2^54 DuckDB's own digits do.
            var digits =
                    decimal.precision() - decimal.scale() <= 16
                            ? DuckTypes.cast(wide, Primitive.STRING)
                            : shortest(wide);
            return "(CASE WHEN NOT isfinite(%1$s) THEN NULL WHEN %2$s THEN %3$s ELSE %4$s END)"
                    .formatted(
                            wide,
                            DuckRounding.isFarFromHalf(wide, decimal.scale()),
                            plain(wide),
                            plain(digits));
        }
        throw refused(from);
    }

    /**
     * The fewest digits that read back as the value, as Java finds them. DuckDB's own text of
     * doubles has the same up to 2^54; above it leaves out the middle between two values, and
     * writes some powers of two wrongly. The texts of the other powers stay, since the nearest text
     * of some digits need not be the one that reads back. Java writes the smallest values with two
     * digits.
     */
    private static String shortest(String value) {
        var own = "CAST(%s AS VARCHAR)".formatted(value);
        return "(CASE WHEN %1$s = 0 OR abs(%1$s) BETWEEN 1e-321 AND 18014398509481984 OR abs(%1$s) > 1 AND pow(2, round(log2(nullif(abs(%1$s), 0)))) = abs(%1$s) AND TRY_CAST(%2$s AS DOUBLE) IS NOT DISTINCT FROM %1$s THEN %2$s ELSE %3$s END)"
                .formatted(value, own, firstThatReadsBack(value, "DOUBLE", 17));
    }

    /**
     * A float as the double nearest to its shortest text, which has all its digits. Of three powers
     * of two the nearest text of some digits does not read back, but DuckDB writes them well.
     */
    private static String widened(String value) {
        return DuckTypes.cast(
                "(CASE WHEN abs(%1$s) IN (CAST(1.2621775e-29 AS FLOAT), CAST(1.5474251e26 AS FLOAT), CAST(1.2379401e27 AS FLOAT)) THEN CAST(%1$s AS VARCHAR) ELSE %2$s END)"
                        .formatted(value, firstThatReadsBack(value, "FLOAT", 9)),
                Primitive.DOUBLE);
    }

    private static String firstThatReadsBack(String value, String type, int digitsMax) {
        return "list_filter(list_transform(range(1, %1$d), lambda _lakemill_p : format('{:.' || _lakemill_p || 'e}', %2$s)), lambda _lakemill_t : CAST(_lakemill_t AS %3$s) = %2$s)[1]"
                .formatted(digitsMax, value, type);
    }

    /**
     * As Java prints: plain from 0.001 up to ten millions, else one digit before the point and an
     * exponent. DuckDB prints an exponent from 1e16 on and below 0.0001.
     */
    private static String text(String number, Primitive from) {
        var value = from == Primitive.FLOAT ? widened(number) : number;
        var plain = shortest(value);
        var digits = "replace(CAST(abs(%s) AS VARCHAR), '.', '')".formatted(value);
        var mantissa =
                "regexp_replace(regexp_replace(%s, '^(.)(.*?)0*$', '\\1.\\2'), '\\.$', '.0')";
        var sign = "CASE WHEN %s < 0 THEN '-' ELSE '' END".formatted(value);
        var large =
                "%s || %s || 'E' || CAST(instr(CAST(abs(%s) AS VARCHAR), '.') - 2 AS VARCHAR)"
                        .formatted(sign, mantissa.formatted(digits), value);
        var small =
                "%s || %s || 'E-4'"
                        .formatted(sign, mantissa.formatted("ltrim(" + digits + ", '0')"));
        var exponent =
                "regexp_replace(regexp_replace(regexp_replace(%s, '^(-?[0-9])e', '\\1.0e'), 'e\\+?0*', 'E'), 'E-0*', 'E-')"
                        .formatted(plain);
        return "(CASE WHEN isnan(%1$s) THEN 'NaN' WHEN isinf(%1$s) THEN CASE WHEN %1$s > 0 THEN 'Infinity' ELSE '-Infinity' END WHEN contains(%2$s, 'e') THEN %3$s WHEN abs(%1$s) >= 10000000 THEN %4$s WHEN abs(%1$s) < 0.001 AND %1$s <> 0 THEN %5$s ELSE %2$s END)"
                .formatted(value, plain, exponent, large, small);
    }

    private String fromDecimal(String value, Decimal from) {
        if (to == Primitive.BOOLEAN) {
            return "(" + value + " <> 0)";
        }
        if (DuckTypes.isIntegral(to)) {
            return plain("trunc(" + value + ")");
        }
        if (to instanceof Decimal || to == Primitive.STRING) {
            return plain(value);
        }
        if (DuckTypes.isFloating(to)) {
            return toFloating(value, from);
        }
        throw refused(from);
    }

    /** Up to 2^53 of its last digit a decimal divides exactly; above, the way is over its text. */
    private String toFloating(String value, Decimal from) {
        var overText = plain("CAST(" + value + " AS VARCHAR)");
        if (to == Primitive.FLOAT) {
            return overText;
        }
        var exact = plain(value);
        if (from.precision() <= 15) {
            return exact;
        }
        var limit =
                DuckTypes.cast(
                        DuckExpressions.text(
                                BigDecimal.valueOf(999_999_999_999_999L, from.scale())
                                        .toPlainString()),
                        new Decimal(38, from.scale()));
        return from.scale() > 15 + 7
                ? overText
                : "(CASE WHEN abs(%s) <= %s THEN %s ELSE %s END)"
                        .formatted(value, limit, exact, overText);
    }

    private String fromText(String value) {
        var trimmed =
                "regexp_replace(%s, '^[\\x00-\\x20\\x7f]+|[\\x00-\\x20\\x7f]+$', '', 'g')"
                        .formatted(value);
        if (DuckTypes.isIntegral(to)) {
            return checked(value, trimmed, WHOLE, plain(trimmed));
        }
        if (to instanceof Decimal) {
            return checked(value, trimmed, NUMBER, plain(trimmed));
        }
        if (DuckTypes.isFloating(to)) {
            return textToFloating(value, trimmed);
        }
        if (to == Primitive.BOOLEAN) {
            return textToBoolean(value, trimmed);
        }
        if (to == Primitive.BINARY) {
            return "encode(" + value + ")";
        }
        if (DuckTypes.isTimestamp(to)) {
            return "make_timestamp(%s(%s, %s))"
                    .formatted(JavaFunctions.TIMESTAMP, value, DuckExpressions.text(told()));
        }
        if (cast.tried()) {
            throw refused(Primitive.STRING);
        }
        return checked(
                value,
                trimmed,
                DAY + "([ T].*)?",
                plain("regexp_extract(%s, '^[^ T]*')".formatted(trimmed)));
    }

    /** What the cast is told to: whether it is tried, the type, and the place in the text. */
    private String told() {
        return "%s%s at %s".formatted(cast.tried() ? '?' : '!', to.sql(), cast.position());
    }

    /** What is not of the form is an error, or NULL for try_cast. */
    private String checked(String value, String trimmed, String form, String inner) {
        return "(CASE WHEN %s IS NULL THEN NULL WHEN regexp_full_match(%s, '%s') THEN %s ELSE %s END)"
                .formatted(value, trimmed, form, inner, otherwise(value));
    }

    private String otherwise(String value) {
        var typed = cast.tried() ? "NULL" : error(value);
        return DuckTypes.cast(typed, to);
    }

    private String error(String value) {
        return "error('''' || %s || ''' cannot be cast to %s at %s')"
                .formatted(value, to.sql(), cast.position().toString().replace("'", ""));
    }

    private String textToFloating(String value, String trimmed) {
        var special = "lower(" + trimmed + ")";
        return "(CASE WHEN %1$s IS NULL THEN NULL WHEN regexp_full_match(%2$s, '%3$s[dDfF]?') THEN %4$s WHEN %5$s = 'nan' THEN %6$s WHEN %5$s IN ('inf', '+inf', 'infinity', '+infinity') THEN %7$s WHEN %5$s IN ('-inf', '-infinity') THEN %8$s ELSE %9$s END)"
                .formatted(
                        value,
                        trimmed,
                        NUMBER,
                        plain("rtrim(" + trimmed + ", 'dDfF')"),
                        special,
                        DuckExpressions.literal(to, "NaN"),
                        DuckExpressions.literal(to, "Infinity"),
                        DuckExpressions.literal(to, "-Infinity"),
                        otherwise(value));
    }

    private String textToBoolean(String value, String trimmed) {
        return "(CASE WHEN %1$s IS NULL THEN NULL WHEN lower(%2$s) IN ('t', 'true', 'y', 'yes', '1') THEN true WHEN lower(%2$s) IN ('f', 'false', 'n', 'no', '0') THEN false ELSE %3$s END)"
                .formatted(value, trimmed, otherwise(value));
    }

    private String fromBinary(String value) {
        if (to == Primitive.STRING) {
            return "decode(" + value + ")";
        }
        throw refused(Primitive.BINARY);
    }

    private String fromDate(String value) {
        if (DuckTypes.isTimestamp(to) || to == Primitive.STRING) {
            return plain(value);
        }
        throw refused(Primitive.DATE);
    }

    private String fromTimestamp(String value) {
        if (to == Primitive.DATE || to == Primitive.STRING) {
            return plain(value);
        }
        if (DuckTypes.isIntegral(to)) {
            return plain(DuckTimes.seconds(value));
        }
        if (to == Primitive.DOUBLE) {
            return "(CAST(epoch_us(%s) AS DOUBLE) / 1000000)".formatted(value);
        }
        throw refused(Primitive.TIMESTAMP);
    }
}
