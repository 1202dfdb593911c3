package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;

/** Delta tables whose store does not answer until it is told to: appends hang. */
final class HangingBronze implements Node.Bronzes {
    private final CountDownLatch answers = new CountDownLatch(1);

    void answer() {
        answers.countDown();
    }

    @Override
    public Bronze of(DeltaTable table) {
        var real = Bronze.of(table);
        return new Bronze() {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                try {
                    answers.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return real.append(rows, positions, txn);
            }

            @Override
            public void widen(TableSchema schema) {
                real.widen(schema);
            }

            @Override
            public OptionalLong transaction(String application) {
                return real.transaction(application);
            }

            @Override
            public void compact() {
                real.compact();
            }

            @Override
            public void vacuum(Duration retention) {
                real.vacuum(retention);
            }
        };
    }
}
