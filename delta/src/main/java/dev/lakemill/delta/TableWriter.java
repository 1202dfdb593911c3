package dev.lakemill.delta;

import dev.lakemill.delta.DeltaTable.Commit;
import dev.lakemill.delta.TableLog.Change;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes rows: data files first, outside the commit lock, then one commit that names them. A file
 * whose commit surely failed is deleted; otherwise it stays as an orphan for vacuum.
 */
final class TableWriter {
    private static final Logger LOG = LoggerFactory.getLogger(TableWriter.class);

    private final TableContext table;
    private final TableLog log;

    TableWriter(TableContext table, TableLog log) {
        this.table = table;
        this.log = log;
    }

    Commit append(List<Rows> rows, long[] positions, Txn txn) {
        int count = rows.stream().mapToInt(Rows::count).sum();
        checkPositions(positions, count);
        var base = log.newest();
        if (TableLog.isCommitted(base, txn)) {
            return new Commit.Repeated(base.version());
        }
        if (count == 0) {
            return log.commit(txn, snapshot -> Optional.of(new Change(List.of(), List.of(), true)));
        }
        checkAscends(base, positions);
        if (!base.partitionedBy().isEmpty()) {
            var partitioned =
                    writeAll(
                            base.schema(),
                            base.partitionedBy(),
                            rows.stream().map(Rows::retain).iterator());
            return commit(
                    txn,
                    partitioned,
                    snapshot -> Optional.of(new Change(partitioned, List.of(), true)));
        }
        var written = List.of(write(base.schema(), rows, positions));
        return commit(txn, written, snapshot -> Optional.of(new Change(written, List.of(), true)));
    }

    /** Commits written files; those that the commit did not take in are deleted. */
    Commit commit(@Nullable Txn txn, List<DataFileWriter.Written> written, TableLog.Maker maker) {
        var done = false;
        try {
            var commit = log.commit(txn, maker);
            done = commit instanceof Commit.Done;
            return commit;
        } finally {
            if (!done) {
                discard(written);
            }
            written.forEach(this::release);
        }
    }

    private void release(DataFileWriter.Written written) {
        table.unfinished().remove(written.file().in(table.location()));
    }

    /** Deletes files that the log does not name; where the log is out of reach, none. */
    private void discard(List<DataFileWriter.Written> written) {
        try {
            var live = new HashSet<>();
            log.refresh().files().forEach(file -> live.add(file.path()));
            for (var orphan : written) {
                if (!live.contains(orphan.file().path())) {
                    table.deleteQuietly(orphan.file().in(table.location()));
                }
            }
        } catch (LakemillException e) {
            LOG.warn("Files of a failed commit to {} stay for vacuum", table.name(), e);
        }
    }

    private DataFileWriter.Written write(TableSchema schema, List<Rows> rows, long[] positions) {
        var extras =
                positions.length == 0 ? List.<Column>of() : List.of(TableContext.POSITION_COLUMN);
        try (var file = new DataFileWriter(table, schema, extras, Map.of())) {
            int from = 0;
            for (var batch : rows) {
                checkSchema(schema, batch);
                if (positions.length == 0) {
                    file.write(batch.root().getFieldVectors(), batch.count());
                } else {
                    writeWithPositions(file, batch, positions, from);
                }
                from += batch.count();
            }
            return file.finish(OptionalLong.empty());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("writing a data file", table.location(), e);
        }
    }

    private void writeWithPositions(DataFileWriter file, Rows batch, long[] positions, int from)
            throws IOException {
        try (var vector = new BigIntVector(TableContext.POSITION, table.allocator())) {
            vector.allocateNew(batch.count());
            for (int i = 0; i < batch.count(); i++) {
                vector.set(i, positions[from + i]);
            }
            vector.setValueCount(batch.count());
            var vectors = new ArrayList<FieldVector>(batch.root().getFieldVectors());
            vectors.add(vector);
            file.write(vectors, batch.count());
        }
    }

    Commit replace(TableSchema schema, Iterator<Rows> rows, Txn txn) {
        var base = log.newest();
        if (TableLog.isCommitted(base, txn)) {
            return new Commit.Repeated(base.version());
        }
        var written = writeAll(schema, base.partitionedBy(), rows);
        return commit(
                txn,
                written,
                snapshot ->
                        Optional.of(
                                new Change(
                                        written,
                                        snapshot.files(),
                                        true,
                                        snapshot.schema().equals(schema) ? null : schema)));
    }

    /** Appends files of about the target size; each batch is closed here. */
    Commit append(Iterator<Rows> rows, Txn txn) {
        var base = log.newest();
        if (TableLog.isCommitted(base, txn)) {
            return new Commit.Repeated(base.version());
        }
        var written = writeAll(base.schema(), base.partitionedBy(), rows);
        return commit(txn, written, snapshot -> Optional.of(new Change(written, List.of(), true)));
    }

    /** Lets go of files that no commit will name. */
    void giveUp(List<DataFileWriter.Written> written) {
        discard(written);
        written.forEach(this::release);
    }

    /** Writes files of about the target size; each batch is closed here. */
    List<DataFileWriter.Written> writeAll(
            TableSchema schema, List<String> partitionedBy, Iterator<Rows> rows) {
        var written = new ArrayList<DataFileWriter.Written>();
        var complete = false;
        try (var files = new PartitionedFiles(table, schema, partitionedBy, written)) {
            while (rows.hasNext()) {
                try (var batch = rows.next()) {
                    checkSchema(schema, batch);
                    files.write(batch);
                }
            }
            files.finish();
            complete = true;
            return written;
        } catch (IOException | RuntimeException e) {
            throw Failures.of("writing data files", table.location(), e);
        } finally {
            if (!complete) {
                giveUp(written);
            }
        }
    }

    private static void checkPositions(long[] positions, int rows) {
        if (positions.length == 0) {
            return;
        }
        if (positions.length != rows) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%d positions for %d rows".formatted(positions.length, rows),
                    "give one position per row, or none at all");
        }
        for (int i = 1; i < positions.length; i++) {
            if (positions[i] < positions[i - 1]) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "position %d of row %d follows %d"
                                .formatted(positions[i], i, positions[i - 1]),
                        "positions ascend");
            }
        }
    }

    /** What is read by position relies on positions that ascend over the table's whole life. */
    private void checkAscends(DeltaSnapshot base, long[] positions) {
        var last = base.lastPosition();
        if (positions.length > 0 && last.isPresent() && positions[0] <= last.getAsLong()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "position %d of a row for Delta table %s is not above %d, its last"
                            .formatted(positions[0], table.location(), last.getAsLong()),
                    "positions ascend; give rows of another source their own table");
        }
    }

    private void checkSchema(TableSchema schema, Rows batch) {
        var given = batch.schema();
        var fits = given.size() == schema.size();
        for (int i = 0; fits && i < schema.size(); i++) {
            var column = schema.column(i);
            fits =
                    column.name().equalsIgnoreCase(given.column(i).name())
                            && column.type().sql().equalsIgnoreCase(given.column(i).type().sql());
        }
        if (!fits) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "rows with columns %s do not fit Delta table %s with columns %s"
                            .formatted(given.columns(), table.location(), schema.columns()),
                    "send the columns of the table, in its order");
        }
    }
}
