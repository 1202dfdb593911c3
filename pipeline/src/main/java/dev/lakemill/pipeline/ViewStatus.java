package dev.lakemill.pipeline;

import java.util.Set;

/**
 * How a view is kept equal to its query.
 *
 * @param kinds how the parts of its query follow their inputs; RECOMPUTE alone while the whole
 *     query runs
 * @param reason why it is not kept another way; empty where nothing needs to be said
 * @param refreshMicros processor time that a refresh takes, of the last few the mean
 */
public record ViewStatus(Set<MaintenanceKind> kinds, String reason, long refreshMicros) {
    public ViewStatus {
        kinds = Set.copyOf(kinds);
    }
}
