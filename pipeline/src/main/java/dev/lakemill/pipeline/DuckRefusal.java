package dev.lakemill.pipeline;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;

/** Tells what has no DuckDB form that is sure to equal Spark's. */
final class DuckRefusal {
    private DuckRefusal() {}

    /**
     * @param what as a noun phrase, for example {@code round() with a negative number of digits}
     */
    static LakemillException of(SourcePosition position, String what, String hint) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED, "%s: %s is not supported".formatted(position, what), hint);
    }
}
