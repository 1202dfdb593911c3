package dev.lakemill.delta;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.Snapshot;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A table at one version; never changes. Safe to use from any thread. */
public final class DeltaSnapshot {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final TableContext table;
    private final Snapshot kernel;
    private final TableSchema schema;
    private final Map<String, OptionalLong> transactions = new HashMap<>();
    private @Nullable List<DataFile> files;

    DeltaSnapshot(TableContext table, Snapshot kernel) {
        this.table = table;
        this.kernel = kernel;
        this.schema = KernelTypes.schema(kernel.getSchema());
    }

    Snapshot kernel() {
        return kernel;
    }

    TableContext table() {
        return table;
    }

    public long version() {
        return kernel.getVersion();
    }

    public TableSchema schema() {
        return schema;
    }

    /** When the version was committed, by the log. */
    public Instant committedAt() {
        try {
            return Instant.ofEpochMilli(kernel.getTimestamp(table.engine()));
        } catch (RuntimeException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /** What changed since an older version of the same table. */
    public SnapshotDifference since(DeltaSnapshot before) {
        return new SnapshotDifference(table, before, this);
    }

    /** The partition columns, in the order of the table's log. */
    public List<String> partitionedBy() {
        return kernel.getPartitionColumnNames();
    }

    /** The columns that whoever rewrites files is to sort by. */
    public List<String> clusteredBy() {
        var columns = new ArrayList<String>();
        try {
            var json = kernel.getDomainMetadata("delta.clustering").orElse("{}");
            for (var path : JSON.readTree(json).path("clusteringColumns")) {
                var names = new ArrayList<String>();
                path.forEach(name -> names.add(name.asText()));
                columns.add(String.join(".", names));
            }
            return columns;
        } catch (JsonProcessingException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /** The last committed transaction version of an application, as of this version. */
    public synchronized OptionalLong transaction(String application) {
        return transactions.computeIfAbsent(application, this::readTransaction);
    }

    private OptionalLong readTransaction(String application) {
        try {
            return kernel.getLatestTransactionVersion(table.engine(), application)
                    .map(OptionalLong::of)
                    .orElse(OptionalLong.empty());
        } catch (RuntimeException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /** Live rows, from the statistics of the files. */
    public long rowCount() {
        long sum = 0;
        for (var file : files()) {
            sum += file.rows() >= 0 ? file.rows() : rowsInside(file);
        }
        return sum;
    }

    private long rowsInside(DataFile file) {
        try (var parquet = ParquetInput.open(file.in(table.location()))) {
            return parquet.rowGroups().stream().mapToLong(group -> group.getRowCount()).sum();
        }
    }

    public int fileCount() {
        return files().size();
    }

    public long sizeBytes() {
        return files().stream().mapToLong(DataFile::sizeBytes).sum();
    }

    /**
     * Reads all rows, in commit order.
     *
     * @param columns names to read, in this order; empty for all
     */
    public DeltaReader read(List<String> columns) {
        return SnapshotReader.all(table, files(), select(columns));
    }

    private TableSchema select(List<String> columns) {
        if (columns.isEmpty()) {
            return schema;
        }
        return new TableSchema(
                columns.stream()
                        .map(
                                name ->
                                        schema.column(
                                                schema.indexOf(name)
                                                        .orElseThrow(() -> noColumn(name))))
                        .toList());
    }

    private LakemillException noColumn(String name) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "Delta table %s has no column '%s'".formatted(table.location(), name),
                "its columns are "
                        + schema.columns().stream().map(column -> column.name()).toList());
    }

    /**
     * Reads the rows whose position is in {@code (after, to]}, in order of position. Files outside
     * are skipped by their position range.
     *
     * <p>FAILED_PRECONDITION when rows in question lie in a file without positions: another writer
     * rewrote it, or the table was written without them.
     */
    public DeltaReader readPositions(long after, long to) {
        return SnapshotReader.inRange(table, files(), schema, new PositionRange(after, to));
    }

    /** The highest position; empty when no file has positions. */
    OptionalLong lastPosition() {
        var known = files();
        for (int i = known.size() - 1; i >= 0; i--) {
            var positions = known.get(i).positions();
            if (positions.isPresent()) {
                return OptionalLong.of(positions.get().last());
            }
        }
        return OptionalLong.empty();
    }

    /** The live files in commit order. */
    synchronized List<DataFile> files() {
        var known = files;
        if (known == null) {
            try {
                known = KernelActions.files(kernel, table.engine());
            } catch (IOException | RuntimeException e) {
                throw Failures.of("reading the log", table.location(), e);
            }
            files = known;
        }
        return known;
    }

    /** The same version, read anew. */
    synchronized DeltaSnapshot reread(Snapshot again) {
        var same = new DeltaSnapshot(table, again);
        same.transactions.putAll(transactions);
        same.files = files;
        return same;
    }

    /**
     * The snapshot that a commit of ours on top of this one made, told what the commit changed, so
     * that nothing is read back. Where this cannot be known, it is read when asked for.
     */
    synchronized DeltaSnapshot next(
            Snapshot committed, List<DataFile> added, List<DataFile> removed, @Nullable Txn txn) {
        var next = new DeltaSnapshot(table, committed);
        next.transactions.putAll(transactions);
        if (txn != null) {
            next.transactions.put(txn.application(), OptionalLong.of(txn.version()));
            txn.also().forEach((a, version) -> next.transactions.put(a, OptionalLong.of(version)));
        }
        var known = files;
        var identified = RowIds.assign(committed, added);
        if (known != null && identified != null) {
            var live = new ArrayList<>(known);
            if (!removed.isEmpty()) {
                live.removeAll(new HashSet<>(removed));
            }
            live.addAll(identified);
            live.sort(DataFile.ORDER);
            next.files = List.copyOf(live);
        }
        return next;
    }
}
