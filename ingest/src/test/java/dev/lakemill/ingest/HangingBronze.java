package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Delta tables whose store does not answer until it is told to: appends hang, or compactions. */
final class HangingBronze implements Node.Bronzes {
    private final CountDownLatch answers = new CountDownLatch(1);
    private final CountDownLatch compacts = new CountDownLatch(1);
    private final boolean appendsHang;

    HangingBronze(boolean appendsHang) {
        this.appendsHang = appendsHang;
    }

    void answer() {
        answers.countDown();
    }

    /** Waits until a compaction hangs. */
    void awaitCompaction() throws InterruptedException {
        compacts.await();
    }

    @Override
    public Bronze of(DeltaTable table) {
        return new PassingBronze(table) {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                if (appendsHang) {
                    hang();
                }
                return super.append(rows, positions, txn);
            }

            @Override
            public void compact() {
                compacts.countDown();
                hang();
                super.compact();
            }
        };
    }

    private void hang() {
        try {
            answers.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
