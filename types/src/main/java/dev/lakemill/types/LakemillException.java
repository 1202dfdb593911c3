package dev.lakemill.types;

import java.util.Objects;

/**
 * An unexpected outcome, told once and whole: the kind, what happened and why, and how to mend it.
 *
 * <p>{@link #getMessage()} is {@code problem; hint: how to mend it}.
 */
public final class LakemillException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String problem;
    private final String hint;

    public LakemillException(ErrorCode code, String problem, String hint) {
        super(message(problem, hint));
        this.code = Objects.requireNonNull(code, "code is null");
        this.problem = problem;
        this.hint = hint;
    }

    public LakemillException(ErrorCode code, String problem, String hint, Throwable cause) {
        super(message(problem, hint), cause);
        this.code = Objects.requireNonNull(code, "code is null");
        this.problem = problem;
        this.hint = hint;
    }

    public ErrorCode code() {
        return code;
    }

    /** What happened, where and why, without the hint. */
    public String problem() {
        return problem;
    }

    /** How to mend it; empty where nothing can be advised. */
    public String hint() {
        return hint;
    }

    private static String message(String problem, String hint) {
        return hint.isEmpty() ? problem : problem + "; hint: " + hint;
    }
}
