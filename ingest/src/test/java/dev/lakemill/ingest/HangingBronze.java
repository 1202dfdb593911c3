package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Delta tables whose store does not answer until it is told to: appends hang. */
final class HangingBronze implements Node.Bronzes {
    private final CountDownLatch answers = new CountDownLatch(1);

    void answer() {
        answers.countDown();
    }

    @Override
    public Bronze of(DeltaTable table) {
        return new PassingBronze(table) {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                try {
                    answers.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return super.append(rows, positions, txn);
            }
        };
    }
}
