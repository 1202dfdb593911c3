package dev.lakemill.sync;

import java.util.List;

/** The synced tables of one pipeline, which change together. */
public record SyncPlan(String pipeline, List<SyncedTableSpec> tables) {
    public SyncPlan {
        tables = List.copyOf(tables);
    }
}
