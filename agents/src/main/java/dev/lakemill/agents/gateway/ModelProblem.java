package dev.lakemill.agents.gateway;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Why there is no answer, and whether asking again can bring one. */
public final class ModelProblem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What went wrong, as callers tell it apart. */
    public enum Kind {
        /** The request is wrong and stays wrong. */
        INVALID_REQUEST(ErrorCode.INVALID_ARGUMENT, false),
        /** There is no such endpoint. */
        NO_ENDPOINT(ErrorCode.NOT_FOUND, false),
        /** The caller may not. */
        NOT_ALLOWED(ErrorCode.PERMISSION_DENIED, false),
        /** A guardrail refuses the input or the answer. */
        BLOCKED(ErrorCode.INVALID_ARGUMENT, false),
        /** A limit of ours or of the provider, which passes. */
        LIMITED(ErrorCode.RESOURCE_EXHAUSTED, true),
        /** A day's budget: it passes, but not soon. */
        BUDGET_SPENT(ErrorCode.RESOURCE_EXHAUSTED, false),
        /** No provider answers, or Postgres does not account. */
        UNAVAILABLE(ErrorCode.UNAVAILABLE, true),
        /** A provider answered, but not in a form that can be used. */
        BAD_ANSWER(ErrorCode.UNAVAILABLE, true),
        /** A provider refuses our request: its key, its model, its own rules. */
        REFUSED(ErrorCode.FAILED_PRECONDITION, false);

        private final ErrorCode code;
        private final boolean retriable;

        Kind(ErrorCode code, boolean retriable) {
            this.code = code;
            this.retriable = retriable;
        }

        public ErrorCode code() {
            return code;
        }
    }

    private final Kind kind;
    private final LakemillException failure;
    private final @Nullable Duration retryAfter;

    /**
     * @param retryAfter not before; null when nothing is known
     */
    public ModelProblem(Kind kind, String problem, String hint, @Nullable Duration retryAfter) {
        this(kind, new LakemillException(kind.code, problem, hint), retryAfter);
    }

    public ModelProblem(Kind kind, String problem, String hint) {
        this(kind, problem, hint, null);
    }

    /** The same for what another part refused. */
    public ModelProblem(Kind kind, LakemillException failure) {
        this(kind, failure, null);
    }

    private ModelProblem(Kind kind, LakemillException failure, @Nullable Duration retryAfter) {
        super(failure.problem(), failure);
        this.kind = kind;
        this.failure = failure;
        this.retryAfter = retryAfter;
    }

    /** What happened, without the hint. */
    public String problem() {
        return failure.problem();
    }

    public Kind kind() {
        return kind;
    }

    public boolean isRetriable() {
        return kind.retriable;
    }

    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** As the other parts of the node tell failures. */
    public LakemillException failure() {
        return failure;
    }
}
