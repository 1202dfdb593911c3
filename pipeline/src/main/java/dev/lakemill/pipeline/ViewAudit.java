package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;

/**
 * How a view differs from its query, computed anew with the now() of the last batch.
 *
 * @param rows of the view
 * @param missing rows of the query that the view lacks
 * @param surplus rows of the view that the query does not give
 * @param rounded rows whose floating-point columns alone differ, by less than 1e-9 of their size,
 *     or by less than 1e-12: sums taken in another order; in neither {@code missing} nor {@code
 *     surplus}
 * @param example one row that is missing or surplus; empty when none is
 */
public record ViewAudit(
        TableName view, long rows, long missing, long surplus, long rounded, String example) {
    public boolean equal() {
        return missing == 0 && surplus == 0;
    }
}
