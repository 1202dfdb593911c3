package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;

/** What landing asks of a Delta table; tests give one that fails. */
interface Bronze {
    OptionalLong RETIRED = OptionalLong.of(PersistentStreams.RETIRED);

    DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn);

    /** Gives the table the columns and wider types of a schema, where it does not have them. */
    void widen(TableSchema schema);

    OptionalLong transaction(String application);

    void compact();

    void vacuum(Duration retention);

    static Bronze of(DeltaTable table) {
        var changing = new ReentrantLock();
        return new Bronze() {
            // Rows that were decoded before the table was widened are brought into its form.
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                changing.lock();
                var fitting = new ArrayList<Rows>();
                try {
                    var schema = table.schema();
                    rows.forEach(batch -> fitting.add(batch.conformed(schema)));
                    return table.append(fitting, positions, withoutRetired(txn));
                } finally {
                    fitting.forEach(Rows::close);
                    changing.unlock();
                }
            }

            // A request without rows is replayed on its own, maybe after its stream has ended.
            private Txn withoutRetired(Txn txn) {
                var also = new HashMap<>(txn.also());
                also.keySet().removeIf(stream -> transaction(stream).equals(RETIRED));
                return new Txn(txn.application(), txn.version(), also);
            }

            @Override
            public void widen(TableSchema schema) {
                changing.lock();
                try {
                    var present = table.schema();
                    var grown = TypeWidening.grown(present, schema.columns());
                    if (!grown.equals(present)) {
                        table.widen(grown);
                    }
                } finally {
                    changing.unlock();
                }
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
