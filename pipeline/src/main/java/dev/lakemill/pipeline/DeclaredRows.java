package dev.lakemill.pipeline;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableReader;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a source with the columns that the pipeline's text declares, whatever their table has
 * by now: it may get more columns and wider types from its producers while the pipeline runs.
 *
 * <p>A number that the declared type does not hold stops the pipeline, by a LakemillException.
 */
record DeclaredRows(SourceRows rows, TableSchema schema) implements SourceRows {
    @Override
    public long position() {
        return rows.position();
    }

    @Override
    public TableReader reader(long after) {
        return new DeclaredReader(rows.reader(after), schema);
    }

    private record DeclaredReader(TableReader reader, TableSchema schema) implements TableReader {
        /**
         * @throws LakemillException FAILED_PRECONDITION when a number does not fit the declared
         *     type
         */
        @Override
        public @Nullable TableBatch poll(long to, int rowsMax) {
            var batch = reader.poll(to, rowsMax);
            if (batch == null) {
                return null;
            }
            try (batch) {
                return new TableBatch(
                        batch.rows().conformed(schema), batch.positions(), batch.receivedMicros());
            }
        }

        @Override
        public long position() {
            return reader.position();
        }

        @Override
        public void close() {
            reader.close();
        }
    }
}
