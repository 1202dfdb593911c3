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

    /**
     * {@code STREAM read_files(…)}: rows come from files that somebody puts into a folder. Only the
     * pipeline knows the table.
     */
    record FileTable(TableName name, TableSchema schema, SourcePosition position, FileSource files)
            implements Dataset {
        @Override
        public String comment() {
            return "";
        }
    }

    /**
     * {@code CREATE OR REFRESH STREAMING TABLE}: each input row is processed once.
     *
     * @param query of all flows that read streams, one after the other
     * @param once the flows that run a single time, over whole tables
     */
    record StreamingTable(
            TableName name,
            TableSchema schema,
            String comment,
            List<Expectation> expectations,
            Relation query,
            SourcePosition position,
            List<OnceFlow> once,
            TableOptions options)
            implements Dataset {
        public StreamingTable(
                TableName name,
                TableSchema schema,
                String comment,
                List<Expectation> expectations,
                Relation query,
                SourcePosition position) {
            this(
                    name,
                    schema,
                    comment,
                    expectations,
                    query,
                    position,
                    List.of(),
                    TableOptions.NONE);
        }
    }

    /** {@code INSERT INTO ONCE}: rows that come into a streaming table a single time. */
    record OnceFlow(String name, Relation query) {}

    /** {@code CREATE OR REFRESH MATERIALIZED VIEW}: always equal to its query. */
    record MaterializedView(
            TableName name,
            TableSchema schema,
            String comment,
            List<Expectation> expectations,
            Relation query,
            SourcePosition position,
            TableOptions options)
            implements Dataset {
        public MaterializedView(
                TableName name,
                TableSchema schema,
                String comment,
                List<Expectation> expectations,
                Relation query,
                SourcePosition position) {
            this(name, schema, comment, expectations, query, position, TableOptions.NONE);
        }
    }
}
