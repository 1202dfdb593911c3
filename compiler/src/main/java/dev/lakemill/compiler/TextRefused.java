package dev.lakemill.compiler;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;

/** Ends the work on one statement, whose text has an error; the others go on. */
final class TextRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient TextError error;

    TextRefused(SourcePosition position, String message, String hint) {
        this(new TextError(position, message, hint));
    }

    TextRefused(TextError error) {
        super(error.toString());
        this.error = error;
    }

    TextError error() {
        return error;
    }
}
