package dev.lakemill.server;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.TableName;
import java.util.SequencedMap;

/**
 * A query whose names are resolved.
 *
 * @param relation gives out what the text asks for
 * @param scanned what it and its views scan, each view behind what it scans itself
 */
record LakePlan(Relation relation, SequencedMap<TableName, Scanned> scanned) {
    /** What a name stands for. */
    sealed interface Scanned {}

    record Delta(CatalogTable table) implements Scanned {}

    /** Of the log, behind a table. */
    record Tail(CatalogTable table) implements Scanned {}

    record OfSystem(SystemTable table) implements Scanned {}

    /**
     * @param query gives out the view's columns
     */
    record View(CatalogTable table, Relation query) implements Scanned {}
}
