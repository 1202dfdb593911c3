package dev.lakemill.pipeline;

/** Prints UPPER and LOWER; see the test that compares every letter. */
final class DuckLetters {
    private DuckLetters() {}

    static String upper(String value) {
        return "upper(" + value + ")";
    }

    static String lower(String value) {
        return "lower(" + value + ")";
    }
}
