package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;

/** What landing asks of a Delta table; tests give one that fails. */
interface Bronze {
    DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn);

    OptionalLong transaction(String application);

    void compact();

    void vacuum(Duration retention);

    static Bronze of(DeltaTable table) {
        return new Bronze() {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                return table.append(rows, positions, txn);
            }

            @Override
            public OptionalLong transaction(String application) {
                return table.transaction(application);
            }

            @Override
            public void compact() {
                table.compact();
            }

            @Override
            public void vacuum(Duration retention) {
                table.vacuum(retention);
            }
        };
    }
}
