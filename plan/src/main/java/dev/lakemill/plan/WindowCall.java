package dev.lakemill.plan;

import dev.lakemill.types.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a window computes for a row. */
public sealed interface WindowCall {
    DataType type();

    boolean nullable();

    SourcePosition position();

    /**
     * A function of the row's place in its partition.
     *
     * @param arguments the value, the offset in rows and the default of LAG and LEAD; the value and
     *     the place of NTH_VALUE; the value of FIRST_VALUE and LAST_VALUE; the count of NTILE
     * @param frame null where the function has none of its own choice
     */
    record Positional(
            WindowFunction function,
            List<Expression> arguments,
            boolean ignoreNulls,
            @Nullable Frame frame,
            DataType type,
            boolean nullable,
            SourcePosition position)
            implements WindowCall {}

    /** An aggregate function over a frame. */
    record Framed(AggregateCall call, Frame frame) implements WindowCall {
        @Override
        public DataType type() {
            return call.type();
        }

        @Override
        public boolean nullable() {
            return call.nullable();
        }

        @Override
        public SourcePosition position() {
            return call.position();
        }
    }

    /** Which rows round the current one count: from {@code lower} to {@code upper}. */
    record Frame(boolean rows, Bound lower, Bound upper) {}

    /** An end of a frame. */
    sealed interface Bound {
        record Unbounded() implements Bound {}

        record CurrentRow() implements Bound {}

        /**
         * A distance; negative lies before the current row. For ROWS a number of rows; for RANGE in
         * the unit of the order's key, in microseconds over a time.
         */
        record Offset(long distance) implements Bound {}
    }
}
