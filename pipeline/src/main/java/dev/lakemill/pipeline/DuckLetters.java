package dev.lakemill.pipeline;

import dev.lakemill.plan.SourcePosition;

/**
 * Prints UPPER and LOWER.
 *
 * <p>DuckDB changes letter by letter, Spark by Unicode's full rules: the German sharp s becomes two
 * letters, a sigma at a word's end is another one. The sharp s is written out; texts with the other
 * letters on which the two disagree (Greek with iota below, ligatures, alphabets added to Unicode
 * lately) are an error at run time. A test goes through all of Unicode.
 */
final class DuckLetters {
    private static final String UPPER =
            "\\x{0149}\\x{019B}\\x{01F0}\\x{0264}\\x{0390}\\x{03B0}\\x{0587}\\x{1C8A}"
                    + "\\x{1E96}-\\x{1E9A}\\x{1F50}-\\x{1FFF}\\x{A7CB}-\\x{A7DC}"
                    + "\\x{FB00}-\\x{FB17}\\x{10D50}-\\x{10D85}\\x{16EA0}-\\x{16EDF}";
    private static final String LOWER =
            "\\x{0130}\\x{03A3}\\x{1C89}\\x{A7CB}-\\x{A7DC}"
                    + "\\x{10D50}-\\x{10D65}\\x{16EA0}-\\x{16EDF}";

    private DuckLetters() {}

    static String upper(String value, SourcePosition position) {
        return print(value, "upper(replace(%s, 'ß', 'SS'))", "upper", UPPER, position);
    }

    static String lower(String value, SourcePosition position) {
        return print(value, "lower(%s)", "lower", LOWER, position);
    }

    private static String print(
            String value, String form, String name, String letters, SourcePosition position) {
        return "(CASE WHEN strlen(%1$s) = length(%1$s) THEN %2$s(%1$s) WHEN regexp_matches(%1$s, '[%3$s]') THEN error('%2$s() of ''' || %1$s || ''' at %4$s') ELSE %5$s END)"
                .formatted(
                        value,
                        name,
                        letters,
                        position.toString().replace("'", ""),
                        form.formatted(value));
    }
}
