package dev.lakemill.pipeline;

import java.sql.SQLException;

/** DuckDB refused or broke; told by the first line of its message, which names no SQL of ours. */
final class DuckException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What a repetition would bring. */
    enum Kind {
        /** A value that the query cannot compute with: the same rows fail again. */
        VALUE,
        /** Memory or the temporary folder is full: later it may go through. */
        EXHAUSTED,
        /** Anything else: a defect. */
        BROKEN
    }

    private final String problem;
    private final Kind kind;

    DuckException(SQLException cause) {
        super(firstLine(cause), cause);
        this.problem = firstLine(cause);
        this.kind = kind(problem);
    }

    String problem() {
        return problem;
    }

    Kind kind() {
        return kind;
    }

    private static Kind kind(String message) {
        var end = message.indexOf(':');
        return switch (end < 0 ? message : message.substring(0, end)) {
            case "Conversion Error", "Out of Range Error", "Invalid Input Error" -> Kind.VALUE;
            case "Out of Memory Error", "IO Error" -> Kind.EXHAUSTED;
            default -> Kind.BROKEN;
        };
    }

    private static String firstLine(SQLException cause) {
        var message = String.valueOf(cause.getMessage());
        return message.lines()
                .findFirst()
                .orElse(message)
                // What functions of ours say.
                .replace(IllegalArgumentException.class.getName() + ": ", "");
    }
}
