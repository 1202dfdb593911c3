package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Delta tables whose disk can be full: each append fails while {@code full} is set. */
final class FailingBronze implements Node.Bronzes {
    final AtomicBoolean full;

    /** Appends that fail after the commit was made, as when its answer is lost. */
    final AtomicInteger losesAnswers = new AtomicInteger();

    final AtomicInteger appends = new AtomicInteger();

    FailingBronze(boolean full) {
        this.full = new AtomicBoolean(full);
    }

    @Override
    public Bronze of(DeltaTable table) {
        return new PassingBronze(table) {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                appends.incrementAndGet();
                if (full.get()) {
                    throw failure("No space left on device");
                }
                var commit = super.append(rows, positions, txn);
                if (losesAnswers.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                    throw failure("the answer is lost");
                }
                return commit;
            }

            @Override
            public void widen(TableSchema schema) {
                var present = table.schema();
                var grows = !TypeWidening.grown(present, schema.columns()).equals(present);
                if (grows && full.get()) {
                    throw failure("No space left on device");
                }
                super.widen(schema);
            }
        };
    }

    private static LakemillException failure(String what) {
        return new LakemillException(ErrorCode.UNAVAILABLE, what, "free some space");
    }
}
