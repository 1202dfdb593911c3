package dev.lakemill.plan;

import java.util.List;

/**
 * A pipeline, analysed.
 *
 * @param name of the pipeline
 * @param datasets in an order in which each stands behind all that it reads
 * @param syncedTables what Postgres shows
 * @param functions of jars that the datasets may call
 * @param textHash of the texts and of the compiler's version: equal hash, equal plan
 */
public record PipelinePlan(
        String name,
        List<Dataset> datasets,
        List<SyncedTable> syncedTables,
        List<JavaFunction> functions,
        String textHash) {
    /** Of SQL alone. */
    public PipelinePlan(
            String name, List<Dataset> datasets, List<SyncedTable> syncedTables, String textHash) {
        this(name, datasets, syncedTables, List.of(), textHash);
    }
}
