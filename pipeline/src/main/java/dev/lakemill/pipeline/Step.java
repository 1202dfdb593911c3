package dev.lakemill.pipeline;

import dev.lakemill.plan.RefreshPolicy;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Duration;
import java.util.List;

/** A dataset of the plan, as the engine runs it. */
sealed interface Step {
    TableName name();

    TableSchema schema();

    /** Empty for none. */
    String comment();

    /** An ingested table: rows come from its feed. */
    record Source(TableName name, TableSchema schema, String comment) implements Step {}

    /** A streaming table: its query runs over the rows that are new in its sources. */
    record Stream(
            TableName name,
            TableSchema schema,
            String comment,
            Query query,
            List<Rule> rules,
            List<Once> once)
            implements Step {
        Stream(TableName name, TableSchema schema, String comment, Query query, List<Rule> rules) {
            this(name, schema, comment, query, rules, List.of());
        }
    }

    /**
     * Rows that come into a streaming table a single time.
     *
     * @param flow its name, unique in the program
     * @param query over whole tables; gives the table's columns
     */
    record Once(String flow, Query query) {}

    /**
     * A materialized view: it equals its query.
     *
     * @param policy how it is to be kept equal
     * @param interval how often it is refreshed at most; zero for with every batch
     */
    record View(
            TableName name,
            TableSchema schema,
            String comment,
            Query query,
            List<Rule> rules,
            RefreshPolicy policy,
            Duration interval)
            implements Step {
        View(TableName name, TableSchema schema, String comment, Query query, List<Rule> rules) {
            this(name, schema, comment, query, rules, RefreshPolicy.AUTO, Duration.ZERO);
        }
    }
}
