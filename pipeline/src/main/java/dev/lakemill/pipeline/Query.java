package dev.lakemill.pipeline;

import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A dataset's query, as the engine needs it. */
interface Query {
    /**
     * A SELECT that gives the dataset's columns.
     *
     * @param now SQL of the batch's frozen now()
     */
    String sql(Tables tables, String now);

    /** Tables read by STREAM(…): each row once. */
    Set<TableName> streamed();

    /** The columns read of tables that are read as a whole; there may be none (count(*)). */
    Map<TableName, Set<String>> columnsRead();

    /**
     * What rows must meet to be read of tables that are read as a whole; all rows are of a table
     * that is not there. See {@link Retention#of}.
     */
    default Map<TableName, List<List<Retention.Condition>>> retained() {
        return Map.of();
    }

    /** The models that it scores with. */
    default Set<ModelUse> models() {
        return Set.of();
    }

    /** Whether it asks models' endpoints. */
    default boolean asks() {
        return false;
    }

    /** Whether the result changes with the clock alone. */
    boolean usesNow();

    /** What stands after FROM for a table: a quoted name, or a query in parentheses. */
    interface Tables {
        /** The rows that came in the running batch. */
        String fresh(TableName table);

        /** All rows, those of the running batch included. */
        String whole(TableName table);
    }
}
