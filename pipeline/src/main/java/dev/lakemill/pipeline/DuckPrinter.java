package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.DataType;
import java.util.function.Function;

/**
 * Prints plans as DuckDB SQL that gives what Spark gives, or refuses.
 *
 * <p>Both kinds of TIMESTAMP are DuckDB's TIMESTAMP, in UTC; the session's TimeZone must be UTC. A
 * table read by a scan has at least the scan's columns, under the names of the plan.
 */
public final class DuckPrinter {
    /**
     * @param tables gives for a scan the SQL to stand after FROM: a quoted name, or a query in
     *     parentheses. A caller maps a streaming scan to the rows new in the batch and another to
     *     the table's or view's whole state; both are told apart by {@link
     *     Relation.Scan#streaming()}
     * @param now SQL of a TIMESTAMP that stands wherever the text says now(): a literal, {@code
     *     getvariable('now')} or a scalar subquery; it must not change within a batch
     */
    public DuckPrinter(Function<Relation.Scan, String> tables, String now) {}

    /**
     * A SELECT that gives the relation's columns, in order, under their names.
     *
     * @throws dev.lakemill.types.LakemillException UNIMPLEMENTED, with the position in the user's
     *     file, if something in the query has no DuckDB form that is sure to equal Spark's
     */
    public String query(Relation relation) {
        throw new UnsupportedOperationException("skeleton");
    }

    /**
     * A scalar expression over one row; columns are told by their quoted names alone, so it stands
     * in any SELECT over the rows. A condition may be NULL: wrap it in coalesce(…, false).
     *
     * @throws dev.lakemill.types.LakemillException as {@link #query}
     */
    public String condition(Expression expression) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** DuckDB's name of a type: that of the columns a scan reads and a query gives. */
    public static String type(DataType type) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** A name in double quotes. */
    public static String quoted(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
