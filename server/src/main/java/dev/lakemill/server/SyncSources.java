package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.sync.SyncSource;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;

/** What synced tables copy: Delta tables, and views, which are evaluated one at a time. */
final class SyncSources {
    /**
     * What evaluations of views may take.
     *
     * @param query their rows and bytes are not limited
     * @param temporaryFolder for what does not fit in memory
     */
    record Limits(LakeQuery.Limits query, Path temporaryFolder) {}

    private final LakeSource.Parts lake;
    private final LakePlanner planner;
    private final Limits limits;
    private final Semaphore turn = new Semaphore(1, true);

    SyncSources(LakeSource.Parts lake, LakePlanner planner, Limits limits) {
        this.lake = lake;
        this.planner = planner;
        this.limits = limits;
    }

    Catalog catalog() {
        return lake.catalog();
    }

    Tables tables() {
        return lake.tables();
    }

    /** A table, or a view, by the name that the catalog has for it. */
    SyncSource of(TableName name) {
        return catalog().view(name).isPresent() ? view(name) : new LakeSource(name, lake);
    }

    ViewSource view(TableName name) {
        return new ViewSource(name, lake, planner, limits, turn);
    }
}
