package dev.lakemill.ingest;

/**
 * A row that does not fit its table. Costs no stack trace: refusing is an everyday outcome of
 * reading what strangers send, and it is answered, not reported.
 *
 * <p>Thrown where the value is found, it gains the path of the value on its way out.
 */
final class RefusedRow extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN_CHARACTERS_MAX = 60;

    private final String path;
    private final String problem;
    private final String hint;

    private RefusedRow(String path, String problem, String hint) {
        super(problem, null, false, false);
        this.path = path;
        this.problem = problem;
        this.hint = hint;
    }

    /** The value is wrong: {@code problem} goes on after its name, for example "takes INT". */
    static RefusedRow value(String problem, String hint) {
        return new RefusedRow("", problem, hint);
    }

    /** The same, seen from the struct, array or map around it. */
    RefusedRow inside(String name) {
        var separator = path.isEmpty() || path.startsWith("[") ? "" : ".";
        return new RefusedRow(name + separator + path, problem, hint);
    }

    String problem() {
        return path.isEmpty() ? "the record " + problem : "column '%s' %s".formatted(path, problem);
    }

    String hint() {
        return hint;
    }

    /** What was found, quoted and cut to a length that fits a status message. */
    static String shown(String text) {
        var cut =
                text.length() > SHOWN_CHARACTERS_MAX
                        ? text.substring(0, SHOWN_CHARACTERS_MAX) + "..."
                        : text;
        return '"' + cut.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
