package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;

/** An output as a Delta table; Delta itself refuses a batch that it has. */
record DeltaOutput(DeltaTable table, String application) implements OutputTable {
    private static final long[] NO_POSITIONS = {};

    /** The application id of a pipeline's transactions. */
    static String application(String pipeline) {
        return "lakemill-pipeline/" + pipeline;
    }

    @Override
    public OptionalLong committed() {
        return table.transaction(application);
    }

    @Override
    public OptionalLong committedAt(long batch) {
        var newest = committed();
        return newest.isEmpty() || newest.getAsLong() <= batch
                ? newest
                : snapshotAt(batch).transaction(application);
    }

    @Override
    public void append(List<Rows> rows, long batch) {
        table.append(rows, NO_POSITIONS, new Txn(application, batch));
    }

    @Override
    public void replace(Iterator<Rows> rows, long batch) {
        table.replace(rows, new Txn(application, batch));
    }

    /** As {@link #replace}, with other columns if the output has others now. */
    void replaceAll(TableSchema schema, Iterator<Rows> rows, long batch) {
        table.replace(schema, rows, new Txn(application, batch));
    }

    @Override
    public DeltaSnapshot snapshotAt(long batch) {
        return table.snapshotAt(application, batch);
    }

    @Override
    public DeltaSnapshot snapshot() {
        return table.snapshot();
    }

    @Override
    public void keep(DeltaSnapshot snapshot, long batch) {
        table.keep(snapshot, new Txn(application, batch));
    }
}
