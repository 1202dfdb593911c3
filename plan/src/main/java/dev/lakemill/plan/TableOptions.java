package dev.lakemill.plan;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a dataset's clauses say beside its query.
 *
 * @param isPrivate true for {@code PRIVATE}: only this pipeline knows the table
 * @param properties of {@code TBLPROPERTIES}
 * @param refreshPolicy AUTO where none is said
 * @param flows the names of the flows that write the table, in the order of the text
 * @param partitionedBy columns of which each file has one value
 * @param clusteredBy columns that rewritten files are sorted by
 */
public record TableOptions(
        boolean isPrivate,
        Map<String, String> properties,
        RefreshPolicy refreshPolicy,
        List<String> flows,
        List<String> partitionedBy,
        List<String> clusteredBy) {
    public static final TableOptions NONE =
            new TableOptions(false, Map.of(), RefreshPolicy.AUTO, List.of(), List.of(), List.of());

    public TableOptions {
        properties = new TreeMap<>(properties);
        flows = List.copyOf(flows);
        partitionedBy = List.copyOf(partitionedBy);
        clusteredBy = List.copyOf(clusteredBy);
    }
}
