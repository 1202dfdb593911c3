package dev.lakemill.pipeline;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;

/** Tells what has no DuckDB form that is sure to equal Spark's. */
final class DuckRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient TextError error;

    private DuckRefusal(TextError error) {
        super(error.toString());
        this.error = error;
    }

    /**
     * @param what as a noun phrase, for example {@code round() with a negative number of digits}
     */
    static DuckRefusal of(SourcePosition position, String what, String hint) {
        return new DuckRefusal(new TextError(position, what + " is not supported", hint));
    }

    TextError error() {
        return error;
    }

    LakemillException toException() {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                error.position() + ": " + error.message(),
                error.hint(),
                this);
    }
}
