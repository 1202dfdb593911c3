package dev.lakemill.sync;

/** Why a row of the source is not in Postgres. */
enum SkipReason {
    NULL_KEY("a column of the primary key is NULL"),
    ZERO_CHARACTER("text with the character U+0000, which Postgres does not store"),
    INVALID_UTF8("text that is not UTF-8"),
    OUT_OF_RANGE("a date or time that Postgres does not store"),
    KEY_TOO_LONG("key or indexed columns of more than 2600 bytes"),
    TEXT_TOO_LONG("text of more characters than its VARCHAR has"),
    WRONG_VECTOR("an array that is no vector of the column's dimensions"),
    ROW_TOO_LARGE("a row of more than 64 MiB"),
    DUPLICATE_KEY("a later row has the same primary key");

    private final String text;

    SkipReason(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }
}
