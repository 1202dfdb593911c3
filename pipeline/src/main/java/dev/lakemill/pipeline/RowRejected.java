package dev.lakemill.pipeline;

/** A row that must not be written: the batch does not stand. */
final class RowRejected extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String problem;
    private final String hint;

    RowRejected(String problem, String hint) {
        super(problem);
        this.problem = problem;
        this.hint = hint;
    }

    String problem() {
        return problem;
    }

    String hint() {
        return hint;
    }
}
