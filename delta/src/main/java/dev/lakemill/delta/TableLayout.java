package dev.lakemill.delta;

import java.util.List;

/**
 * How the rows of a new table are laid out in files: in files of one value each of some columns, or
 * near one another by the values of some, or neither.
 *
 * @param partitionedBy columns of types that {@link PartitionValues} can tell; files hold them too
 * @param clusteredBy columns that whoever rewrites files is to sort by (Delta's liquid clustering)
 */
public record TableLayout(List<String> partitionedBy, List<String> clusteredBy) {
    public static final TableLayout NONE = new TableLayout(List.of(), List.of());

    public TableLayout {
        partitionedBy = List.copyOf(partitionedBy);
        clusteredBy = List.copyOf(clusteredBy);
        if (!partitionedBy.isEmpty() && !clusteredBy.isEmpty()) {
            throw new IllegalArgumentException("a table is partitioned or clustered, not both");
        }
    }
}
