package dev.lakemill.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All that hides rows and columns of a table: its own policies and, where it is captured from a
 * state table, that one's.
 *
 * @param filters each says whose it is
 * @param masks each says whose it is
 * @param capturedFrom the state table, while there is one
 * @param gone the state table that went with its policies, which closes this one; else empty
 */
public record HeldPolicies(
        List<RowFilter> filters,
        List<ColumnMask> masks,
        Optional<CatalogTable> capturedFrom,
        String gone) {
    static final HeldPolicies NONE = new HeldPolicies(List.of(), List.of(), Optional.empty(), "");

    public HeldPolicies {
        filters = List.copyOf(filters);
        masks = List.copyOf(masks);
    }

    public boolean isEmpty() {
        return filters.isEmpty() && masks.isEmpty() && gone.isEmpty();
    }

    /** Each in a few words; none where nothing is hidden. */
    public List<String> told() {
        var told = new ArrayList<String>();
        filters.forEach(
                f -> told.add("the row filter %s of %s".formatted(f.function(), f.table())));
        masks.forEach(
                m -> told.add("the mask of column %s of %s".formatted(m.column(), m.table())));
        if (!gone.isEmpty()) {
            told.add("the policies that went with " + gone);
        }
        return told;
    }
}
