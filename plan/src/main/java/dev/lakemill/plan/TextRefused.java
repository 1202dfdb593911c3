package dev.lakemill.plan;

/** Ends the work on one statement, whose text has an error; the others go on. */
public final class TextRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient TextError error;

    public TextRefused(SourcePosition position, String message, String hint) {
        this(new TextError(position, message, hint));
    }

    public TextRefused(TextError error) {
        super(error.toString());
        this.error = error;
    }

    public TextError error() {
        return error;
    }
}
