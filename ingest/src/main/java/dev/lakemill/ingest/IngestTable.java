package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableFeed;

/**
 * A table that takes rows: what the catalog says of it, where its rows stand, and who reads them
 * from memory. Delta table and feed stay the caller's to close, after ingest.
 */
public record IngestTable(CatalogTable table, DeltaTable delta, TableFeed feed) {
    Bronze bronze() {
        return Bronze.of(delta);
    }
}
