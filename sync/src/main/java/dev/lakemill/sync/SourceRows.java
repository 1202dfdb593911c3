package dev.lakemill.sync;

import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import java.util.List;

/** All rows that a source has at one moment. */
public interface SourceRows {
    long rowCount();

    /** From the first row on; may be called again. */
    DeltaReader read();

    static SourceRows of(DeltaSnapshot snapshot) {
        return new SourceRows() {
            @Override
            public long rowCount() {
                return snapshot.rowCount();
            }

            @Override
            public DeltaReader read() {
                return snapshot.read(List.of());
            }
        };
    }
}
