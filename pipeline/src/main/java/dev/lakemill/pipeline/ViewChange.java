package dev.lakemill.pipeline;

import dev.lakemill.feed.Changes;

/** How a view changed in the running batch. */
sealed interface ViewChange {
    /**
     * As a table.
     *
     * @param table SQL name, kept until the view's next refresh: the view's columns and {@link
     *     ViewMaintenance#WEIGHT}, a row as often as it came or went
     */
    record InTable(String table) implements ViewChange {}

    /** As rows, which whoever is told closes. */
    record InRows(Changes changes) implements ViewChange {}
}
