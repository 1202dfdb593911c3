package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.statistics.DataFileStatistics;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import org.apache.arrow.vector.ValueVector;
import org.jspecify.annotations.Nullable;

/**
 * Writes one data file. It has its final name from the start, which nobody knows before the commit;
 * a file that is not finished is deleted by {@link #close}. A finished one stays in the table's
 * list of unfinished files until whoever commits it takes it out. One thread uses it.
 */
final class DataFileWriter implements AutoCloseable {
    /** A finished, synced file, not yet in the log. */
    record Written(DataFile file, DataFileStatistics statistics) {}

    private final TableContext table;
    private final TableSchema schema;
    private final Map<String, @Nullable String> partition;
    private final String name = "part-" + UUID.randomUUID() + ".zstd.parquet";
    private final Path path;
    private final Disk.Output output;
    private final ParquetFileBuilder parquet;
    private boolean finished;

    /**
     * @param extras physical columns after those of the schema
     * @param partition see {@link DataFile}
     */
    DataFileWriter(
            TableContext table,
            TableSchema schema,
            List<Column> extras,
            Map<String, @Nullable String> partition)
            throws IOException {
        this.table = table;
        this.schema = schema;
        this.partition = partition;
        this.path = table.location().resolve(name);
        var physical = new ArrayList<>(schema.columns());
        physical.addAll(extras);
        table.unfinished().add(path);
        Disk.Output opened = null;
        try {
            opened = table.disk().create(path);
            this.parquet =
                    new ParquetFileBuilder(opened, new TableSchema(physical), table.allocator());
            this.output = opened;
        } catch (IOException | RuntimeException e) {
            discard(opened);
            throw e;
        }
    }

    private void discard(@Nullable Closeable opened) throws IOException {
        try {
            if (opened != null) {
                opened.close();
            }
        } finally {
            table.deleteQuietly(path);
            table.unfinished().remove(path);
        }
    }

    /** Writes rows; vectors of the schema's columns, then of the extras. */
    void write(List<? extends ValueVector> vectors, int count) throws IOException {
        parquet.write(vectors, count);
    }

    /** See {@link ParquetFileBuilder#canCopy}. */
    boolean canCopy(ParquetInput source, List<ParquetFileBuilder.Added> added) {
        return parquet.canCopy(source, added);
    }

    /** See {@link ParquetFileBuilder#copy}. */
    void copy(ParquetInput source, List<ParquetFileBuilder.Added> added) throws IOException {
        parquet.copy(source, added);
    }

    /** About the size so far. */
    long bytes() {
        return parquet.bytes();
    }

    long rows() {
        return parquet.rows();
    }

    Written finish(OptionalLong baseRowId) throws IOException {
        var footer = parquet.finish();
        table.disk().syncFolder(table.location());
        var statistics = FileStatistics.of(footer, counted(), parquet.rows());
        var file =
                new DataFile(
                        name,
                        output.position(),
                        parquet.rows(),
                        baseRowId,
                        OptionalLong.empty(),
                        table.clock().millis(),
                        DataFile.tags(ParquetInput.positions(footer.getBlocks())),
                        partition);
        finished = true;
        return new Written(file, statistics);
    }

    /** The columns of the file's statistics: not those that the log gives a value. */
    private TableSchema counted() {
        return new TableSchema(
                schema.columns().stream()
                        .filter(column -> !partition.containsKey(column.name()))
                        .toList());
    }

    @Override
    public void close() throws IOException {
        parquet.close();
        if (finished) {
            output.close();
        } else {
            discard(output);
        }
    }
}
