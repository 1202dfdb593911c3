package dev.lakemill.pipeline;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorLoader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.duckdb.DuckDBResultSet;
import org.jspecify.annotations.Nullable;

/** A result being read; the buffers are DuckDB's, handed over. */
final class DuckResult implements AutoCloseable {
    private final TableSchema schema;
    private final DuckDBResultSet result;
    private final ArrowReader reader;
    private final BufferAllocator allocator;

    DuckResult(
            PreparedStatement statement,
            TableSchema schema,
            long batchRows,
            BufferAllocator allocator)
            throws SQLException {
        this.allocator = allocator;
        this.schema = schema;
        this.result = (DuckDBResultSet) statement.executeQuery();
        this.reader = (ArrowReader) result.arrowExportStream(allocator, batchRows);
    }

    @Nullable Rows next() {
        try {
            return reader.loadNextBatch() ? taken(reader.getVectorSchemaRoot()) : null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Rows taken(VectorSchemaRoot from) {
        var to = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        var expected = to.getSchema().getFields();
        var actual = from.getSchema().getFields();
        if (!sameLayouts(expected, actual)) {
            to.close();
            throw new LakemillException(
                    ErrorCode.INTERNAL,
                    "a query gave the columns %s where %s belong".formatted(actual, expected),
                    "report this as a defect, with the pipeline's text");
        }
        try (var buffers = new VectorUnloader(from).getRecordBatch()) {
            new VectorLoader(to).load(buffers);
        }
        return new Rows(schema, to);
    }

    @Override
    public void close() {
        try {
            reader.close();
            result.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    private static boolean sameLayouts(List<Field> expected, List<Field> actual) {
        if (expected.size() != actual.size()) {
            return false;
        }
        for (int i = 0; i < expected.size(); i++) {
            if (!sameLayout(expected.get(i), actual.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Names, zones and nullability aside. */
    private static boolean sameLayout(Field expected, Field actual) {
        boolean sameType;
        if (expected.getType() instanceof ArrowType.Timestamp left
                && actual.getType() instanceof ArrowType.Timestamp right) {
            sameType = left.getUnit() == right.getUnit();
        } else {
            sameType = expected.getType().equals(actual.getType());
        }
        return sameType && sameLayouts(expected.getChildren(), actual.getChildren());
    }
}
