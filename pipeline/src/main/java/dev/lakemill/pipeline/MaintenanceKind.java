package dev.lakemill.pipeline;

/** How a view, or a part of its query, follows its inputs; the later, the dearer. */
public enum MaintenanceKind {
    /** The query runs over the changes alone; sums and counts add up. */
    LINEAR,
    /** Changes of each side of a join meet the whole of the other. */
    JOIN,
    /** What the changes' keys reach is computed anew. */
    AFFECTED_KEYS,
    /** The whole query runs anew. */
    RECOMPUTE
}
