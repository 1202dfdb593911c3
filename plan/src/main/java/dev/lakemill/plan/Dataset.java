package dev.lakemill.plan;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;

/** A table or view that a pipeline declares. */
public sealed interface Dataset {
    TableName name();

    TableSchema schema();

    String comment();

    SourcePosition position();

    /** {@code CREATE TABLE}: rows come in through ingest; the pipeline only reads it. */
    record IngestedTable(
            TableName name, TableSchema schema, String comment, SourcePosition position)
            implements Dataset {}

    /** {@code CREATE OR REFRESH STREAMING TABLE}: each input row is processed once. */
    record StreamingTable(
            TableName name,
            TableSchema schema,
            String comment,
            List<Expectation> expectations,
            Relation query,
            SourcePosition position)
            implements Dataset {}

    /** {@code CREATE OR REFRESH MATERIALIZED VIEW}: always equal to its query. */
    record MaterializedView(
            TableName name,
            TableSchema schema,
            String comment,
            List<Expectation> expectations,
            Relation query,
            SourcePosition position)
            implements Dataset {}
}
