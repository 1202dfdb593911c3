package dev.lakemill.plan;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;

/**
 * A mistake in a pipeline's text.
 *
 * @param message what is wrong, a sentence or a few
 * @param hint how to mend it; empty where nothing can be advised
 */
public record TextError(SourcePosition position, String message, String hint) {
    /** {@code file:line:column: message; hint: how to mend it}. */
    @Override
    public String toString() {
        var told = position + ": " + message;
        return hint.isEmpty() ? told : told + "; hint: " + hint;
    }

    /** INVALID_ARGUMENT, with the place shown in the text. */
    public LakemillException toException(SourceText source) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s: %s%n%s".formatted(position, message, caret(source)),
                hint);
    }

    /** The line of the text with a caret under the place, as two lines. */
    public String caret(SourceText source) {
        var lines = source.text().split("\n", -1);
        var line = position.line() <= lines.length ? lines[position.line() - 1] : "";
        var before = line.substring(0, Math.min(position.column() - 1, line.length()));
        return line.stripTrailing() + "\n" + before.replaceAll("[^\t]", " ") + "^";
    }
}
