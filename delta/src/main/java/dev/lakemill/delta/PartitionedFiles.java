package dev.lakemill.delta;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;

/**
 * Writes rows into files of one partition each; of a table without partitions, into one file after
 * the other. At most {@value #OPEN_FILES_MAX} are open: the one that was written to longest ago is
 * finished for the next. One thread uses it.
 */
final class PartitionedFiles implements AutoCloseable {
    private static final int OPEN_FILES_MAX = 32;

    private final TableContext table;
    private final TableSchema schema;
    private final List<String> partitionedBy;
    private final List<DataFileWriter.Written> written;

    /** The one written to longest ago comes first. */
    private final Map<Map<String, @Nullable String>, DataFileWriter> open =
            new LinkedHashMap<>(16, 0.75f, true);

    /**
     * @param written takes the finished files; those are whoever's who commits
     */
    PartitionedFiles(
            TableContext table,
            TableSchema schema,
            List<String> partitionedBy,
            List<DataFileWriter.Written> written) {
        this.table = table;
        this.schema = schema;
        this.partitionedBy = partitionedBy;
        this.written = written;
    }

    void write(Rows rows) throws IOException {
        for (var partition : split(rows).entrySet()) {
            var places = partition.getValue();
            var file = open.get(partition.getKey());
            if (file == null) {
                makeRoom();
                file = new DataFileWriter(table, schema, List.of(), partition.getKey());
                open.put(partition.getKey(), file);
            }
            if (places.size() == rows.count()) {
                file.write(rows.root().getFieldVectors(), rows.count());
            } else {
                try (var some = copied(rows, places)) {
                    file.write(some.getFieldVectors(), some.getRowCount());
                }
            }
            if (file.bytes() >= table.config().fileBytesTarget()) {
                finish(partition.getKey());
            }
        }
    }

    /** Finishes all files. */
    void finish() throws IOException {
        for (var partition : List.copyOf(open.keySet())) {
            finish(partition);
        }
    }

    /** Deletes what is not finished. */
    @Override
    public void close() throws IOException {
        for (var file : open.values()) {
            file.close();
        }
        open.clear();
    }

    private void makeRoom() throws IOException {
        if (open.size() >= OPEN_FILES_MAX) {
            finish(open.keySet().iterator().next());
        }
    }

    private void finish(Map<String, @Nullable String> partition) throws IOException {
        var file = open.remove(partition);
        if (file != null) {
            try (file) {
                written.add(file.finish(OptionalLong.empty()));
            }
        }
    }

    /** The places of the rows of each partition, in order. */
    private Map<Map<String, @Nullable String>, List<Integer>> split(Rows rows) {
        var partitions = new LinkedHashMap<Map<String, @Nullable String>, List<Integer>>();
        var columns =
                partitionedBy.stream().map(name -> schema.indexOf(name).orElseThrow()).toList();
        for (int row = 0; row < rows.count(); row++) {
            var values = new HashMap<String, @Nullable String>();
            for (int i = 0; i < columns.size(); i++) {
                values.put(
                        partitionedBy.get(i),
                        PartitionValues.text(rows.vector(columns.get(i)), row));
            }
            partitions.computeIfAbsent(values, _ -> new ArrayList<>()).add(row);
        }
        return partitions;
    }

    private VectorSchemaRoot copied(Rows rows, List<Integer> places) {
        var some = VectorSchemaRoot.create(ArrowTypes.schema(schema), table.allocator());
        try {
            for (int column = 0; column < schema.size(); column++) {
                var to = some.getVector(column);
                to.setInitialCapacity(places.size());
                to.allocateNew();
                for (int i = 0; i < places.size(); i++) {
                    to.copyFromSafe(places.get(i), i, rows.vector(column));
                }
            }
            some.setRowCount(places.size());
            return some;
        } catch (RuntimeException | Error e) {
            some.close();
            throw e;
        }
    }
}
