package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.Snapshot;
import io.delta.kernel.data.Row;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.internal.InternalScanFileUtils;
import io.delta.kernel.internal.ScanImpl;
import io.delta.kernel.internal.SnapshotImpl;
import io.delta.kernel.internal.actions.AddFile;
import io.delta.kernel.internal.actions.RemoveFile;
import io.delta.kernel.internal.actions.SetTransaction;
import io.delta.kernel.internal.actions.SingleAction;
import io.delta.kernel.internal.checkpoints.Checkpointer;
import io.delta.kernel.internal.data.GenericRow;
import io.delta.kernel.internal.tablefeatures.TableFeatures;
import io.delta.kernel.internal.util.Utils;
import io.delta.kernel.internal.util.VectorUtils;
import io.delta.kernel.types.StructField;
import io.delta.kernel.types.StructType;
import io.delta.kernel.types.TypeChange;
import io.delta.kernel.utils.CloseableIterable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The one place that uses the kernel's internal classes, which version 4.4.0 needs for removing
 * files, for tags and for statistics of live files. The kernel's version is pinned, and a contract
 * test has Spark read what comes out.
 */
final class KernelActions {
    private static final String TYPE_WIDENING = "delta.enableTypeWidening";

    private KernelActions() {}

    /** The actions of a change on top of a snapshot; removals come before additions. */
    static CloseableIterable<Row> actions(
            Snapshot base, TableLog.Change change, Map<String, Long> versions, long nowMillis) {
        var rows = new ArrayList<Row>();
        versions.forEach(
                (application, version) ->
                        rows.add(
                                SingleAction.createTxnSingleAction(
                                        new SetTransaction(
                                                        application,
                                                        version,
                                                        Optional.of(nowMillis))
                                                .toRow())));
        var columns = change.schema();
        var schema = columns == null ? base.getSchema() : KernelTypes.kernel(columns);
        if (columns != null) {
            rows.add(metadata(base, schema));
        }
        for (var file : change.removed()) {
            rows.add(remove(file, change.dataChange(), nowMillis));
        }
        for (var written : change.added()) {
            rows.add(add(written, schema, change.dataChange()));
        }
        return CloseableIterable.inMemoryIterable(Utils.toCloseableIterator(rows.iterator()));
    }

    /**
     * The actions that give a table other columns.
     *
     * @param widens whether columns that it has get wider types, of which each such column keeps a
     *     history in its metadata, as the table feature asks
     */
    static CloseableIterable<Row> columns(Snapshot base, TableSchema schema, boolean widens) {
        var from = (SnapshotImpl) base;
        var metadata = from.getMetadata().withNewSchema(grown(from.getSchema(), schema));
        var actions = new ArrayList<Row>();
        if (widens) {
            metadata = metadata.withMergedConfiguration(Map.of(TYPE_WIDENING, "true"));
            TableFeatures.autoUpgradeProtocolBasedOnMetadata(
                            metadata, List.of(), from.getProtocol())
                    .ifPresent(
                            upgraded ->
                                    actions.add(
                                            SingleAction.createProtocolSingleAction(
                                                    upgraded._1.toRow())));
        }
        actions.add(SingleAction.createMetadataSingleAction(metadata.toRow()));
        return CloseableIterable.inMemoryIterable(Utils.toCloseableIterator(actions.iterator()));
    }

    private static StructType grown(StructType present, TableSchema wanted) {
        var fields = new ArrayList<StructField>();
        for (var field : KernelTypes.kernel(wanted).fields()) {
            fields.add(
                    present.fields().stream()
                            .filter(before -> before.getName().equalsIgnoreCase(field.getName()))
                            .findFirst()
                            .map(before -> grown(before, field))
                            .orElse(field));
        }
        return new StructType(fields);
    }

    private static StructField grown(StructField present, StructField wanted) {
        if (present.getDataType().equivalent(wanted.getDataType())) {
            return present;
        }
        var history = new ArrayList<>(present.getTypeChanges());
        history.add(new TypeChange(present.getDataType(), wanted.getDataType()));
        return present.withDataType(wanted.getDataType()).withTypeChanges(history);
    }

    private static Row metadata(Snapshot base, StructType schema) {
        var metadata = ((SnapshotImpl) base).getMetadata().withNewSchema(schema);
        return SingleAction.createMetadataSingleAction(metadata.toRow());
    }

    /** An added file. Row id and commit version are given by the kernel where they are empty. */
    private static Row add(DataFileWriter.Written written, StructType schema, boolean dataChange) {
        var file = written.file();
        return SingleAction.createAddFileSingleAction(
                AddFile.createAddFileRow(
                        schema,
                        file.path(),
                        VectorUtils.stringStringMapValue(file.partition()),
                        file.sizeBytes(),
                        file.modifiedMillis(),
                        dataChange,
                        Optional.empty(),
                        Optional.of(VectorUtils.stringStringMapValue(file.tags())),
                        boxed(file.baseRowId()),
                        boxed(file.commitVersion()),
                        Optional.of(written.statistics())));
    }

    private static Optional<Long> boxed(OptionalLong value) {
        return value.isPresent() ? Optional.of(value.getAsLong()) : Optional.empty();
    }

    private static Row remove(DataFile file, boolean dataChange, long deletionMillis) {
        var schema = RemoveFile.FULL_SCHEMA;
        var values = new HashMap<Integer, Object>();
        values.put(schema.indexOf("path"), file.path());
        values.put(schema.indexOf("deletionTimestamp"), deletionMillis);
        values.put(schema.indexOf("dataChange"), dataChange);
        values.put(schema.indexOf("extendedFileMetadata"), true);
        values.put(
                schema.indexOf("partitionValues"),
                VectorUtils.stringStringMapValue(file.partition()));
        values.put(schema.indexOf("size"), file.sizeBytes());
        values.put(schema.indexOf("tags"), VectorUtils.stringStringMapValue(file.tags()));
        file.baseRowId().ifPresent(id -> values.put(schema.indexOf("baseRowId"), id));
        file.commitVersion()
                .ifPresent(v -> values.put(schema.indexOf("defaultRowCommitVersion"), v));
        return SingleAction.createRemoveFileSingleAction(new GenericRow(schema, values));
    }

    /** The live files of a snapshot, in commit order. */
    static List<DataFile> files(Snapshot snapshot, Engine engine) throws IOException {
        var files = new ArrayList<DataFile>();
        var scan = (ScanImpl) snapshot.getScanBuilder().build();
        try (var batches = scan.getScanFiles(engine, true)) {
            while (batches.hasNext()) {
                try (var rows = batches.next().getRows()) {
                    while (rows.hasNext()) {
                        var row = rows.next().getStruct(InternalScanFileUtils.ADD_FILE_ORDINAL);
                        files.add(file(new AddFile(row)));
                    }
                }
            }
        }
        files.sort(DataFile.ORDER);
        return List.copyOf(files);
    }

    private static DataFile file(AddFile add) {
        if (add.getDeletionVector().isPresent()) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "file %s has a deletion vector".formatted(add.getPath()),
                    "REORG TABLE ... APPLY (PURGE) in Spark rewrites it without");
        }
        Map<String, String> tags =
                add.getTags().map(VectorUtils::<String, String>toJavaMap).orElse(Map.of());
        return new DataFile(
                add.getPath(),
                add.getSize(),
                add.getNumRecords().orElse(-1L),
                unboxed(add.getBaseRowId()),
                unboxed(add.getDefaultRowCommitVersion()),
                add.getModificationTime(),
                Map.copyOf(tags),
                VectorUtils.<String, String>toJavaMap(add.getPartitionValues()));
    }

    private static OptionalLong unboxed(Optional<Long> value) {
        return value.map(OptionalLong::of).orElse(OptionalLong.empty());
    }

    /** Removed files that the log still remembers: path to the time of removal. */
    static Map<String, Long> removed(Snapshot snapshot, Engine engine) throws IOException {
        var removed = new HashMap<String, Long>();
        int ordinal = SingleAction.CHECKPOINT_SCHEMA.indexOf("remove");
        try (var batches = ((SnapshotImpl) snapshot).getCreateCheckpointIterator(engine)) {
            while (batches.hasNext()) {
                try (var rows = batches.next().getRows()) {
                    while (rows.hasNext()) {
                        var row = rows.next();
                        if (!row.isNullAt(ordinal)) {
                            var remove = new RemoveFile(row.getStruct(ordinal));
                            removed.put(remove.getPath(), remove.getDeletionTimestamp().orElse(0L));
                        }
                    }
                }
            }
        }
        return removed;
    }

    /**
     * Writes a checkpoint and, for a snapshot that was loaded as the newest, cleans the log.
     *
     * @param asOfMillis the log retention before it is kept
     */
    static void checkpoint(Snapshot snapshot, Engine engine, long asOfMillis) throws IOException {
        Checkpointer.checkpoint(engine, () -> asOfMillis, (SnapshotImpl) snapshot);
    }
}
