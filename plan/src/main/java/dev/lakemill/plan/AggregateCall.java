package dev.lakemill.plan;

import dev.lakemill.types.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An aggregate function over the rows of a group or of a window's frame.
 *
 * @param filter only rows for which it is true count; null for all
 */
public record AggregateCall(
        AggregateFunction function,
        List<Expression> arguments,
        boolean distinct,
        @Nullable Expression filter,
        DataType type,
        boolean nullable,
        SourcePosition position) {}
