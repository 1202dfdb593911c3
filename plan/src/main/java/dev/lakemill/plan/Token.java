package dev.lakemill.plan;

/**
 * A word, name, string or sign of a pipeline's text.
 *
 * @param text for NAME and STRING what stands in the quotes, with escapes resolved
 * @param start the first character in the file
 * @param end behind the last character
 */
public record Token(Kind kind, String text, int start, int end) {
    public enum Kind {
        /** Letters, digits and underscores without quotes: a keyword or a name. */
        WORD,
        /** In back-ticks. */
        NAME,
        /** In single or double quotes. */
        STRING,
        /** One character of anything else. */
        SIGN,
        END
    }

    public boolean isWord(String word) {
        return kind == Kind.WORD && text.equalsIgnoreCase(word);
    }

    public boolean isSign(char sign) {
        return kind == Kind.SIGN && text.charAt(0) == sign;
    }
}
