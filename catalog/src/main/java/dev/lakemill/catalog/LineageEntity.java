package dev.lakemill.catalog;

/**
 * What makes data flow.
 *
 * @param id name of the pipeline, application, agent, job or producer
 * @param runId of one run or version of it; empty for none
 */
public record LineageEntity(Type type, String id, String runId) {
    /** In Databricks' words where it has them. */
    public enum Type {
        PIPELINE,
        JOB,
        /** A producer's stream into a table. */
        STREAM,
        /** The copying of a table into Postgres, or back. */
        SYNC,
        /** An application that writes through Postgres. */
        APP,
        AGENT,
        /** A statement, such as the one that gave a view its text. */
        DBSQL_QUERY
    }
}
