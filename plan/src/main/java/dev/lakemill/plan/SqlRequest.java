package dev.lakemill.plan;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;

/** One text that the compiler's process is asked to compile, beside whole pipelines. */
public sealed interface SqlRequest {
    /**
     * A query.
     *
     * @param tables what it may read; when it reads more, the answer says what
     */
    record Query(Fragment text, List<Source> tables) implements SqlRequest {
        public Query {
            tables = List.copyOf(tables);
        }
    }

    /** The body of a function of one row: an expression over the parameters alone. */
    record Scalar(Fragment text, List<Column> parameters, DataType returns) implements SqlRequest {
        public Scalar {
            parameters = List.copyOf(parameters);
        }
    }

    /**
     * A table that a query may read.
     *
     * @param written as the query names it, its parts joined by dots
     */
    record Source(String written, TableName table, TableSchema schema) {}
}
