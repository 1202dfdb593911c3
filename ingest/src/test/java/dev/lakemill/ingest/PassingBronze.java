package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

/** Does all that the real one does; a test overrides what is to go wrong. */
class PassingBronze implements Bronze {
    private final Bronze real;

    PassingBronze(DeltaTable table) {
        this.real = Bronze.of(table);
    }

    @Override
    public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
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
}
