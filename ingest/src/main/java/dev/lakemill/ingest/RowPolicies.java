package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.types.LakemillException;

/** Says what becomes of a table's bad rows; asked when a stream opens, and may block. */
@FunctionalInterface
public interface RowPolicies {
    /**
     * @throws LakemillException FAILED_PRECONDITION when what the table declares makes no sense
     */
    RowPolicy of(CatalogTable table);
}
