package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import java.util.List;

/**
 * What a view of the lake is.
 *
 * @param text its query, as it was written
 * @param defaults where names of fewer parts in it lie
 * @param queryColumns what the query calls the view's columns, in their order
 * @param sources the tables and views that the query names, when it was last checked
 */
public record ViewDefinition(
        String text, NameDefaults defaults, List<String> queryColumns, List<TableName> sources) {
    static final int TEXT_CHARS_MAX = 65_536;

    /** INVALID_ARGUMENT for a text that is too long. */
    public ViewDefinition {
        Names.checkText("view's text", text, TEXT_CHARS_MAX);
        queryColumns = List.copyOf(queryColumns);
        sources = List.copyOf(sources);
    }
}
