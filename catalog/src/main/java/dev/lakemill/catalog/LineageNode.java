package dev.lakemill.catalog;

import dev.lakemill.types.TableName;
import java.util.Objects;

/**
 * A place that data flows from or to.
 *
 * @param name full name of a table or model; the path of what the catalog does not know
 */
public record LineageNode(Type type, String name) {
    /** In Databricks' words where it has them. */
    public enum Type {
        TABLE,
        STREAMING_TABLE,
        MATERIALIZED_VIEW,
        VIEW,
        /** A registered model. */
        MODEL,
        /** Anything that the catalog does not know: files, topics, others' tables. */
        PATH
    }

    public LineageNode {
        Objects.requireNonNull(type, "type is null");
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a place without a name");
        }
    }

    public static LineageNode table(TableName name) {
        return new LineageNode(Type.TABLE, name.toString());
    }
}
