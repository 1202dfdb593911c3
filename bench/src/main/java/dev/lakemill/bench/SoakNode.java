package dev.lakemill.bench;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import java.nio.file.Path;
import org.apache.arrow.memory.BufferAllocator;

/** A server with an empty table, and the folder of its data, as each part of the soak gets one. */
record SoakNode(LakemillPeer peer, Path data, BufferAllocator allocator) {
    static final BenchRows ROWS = BenchRows.make(BenchRows.Size.SMALL);

    /** The table as a reader outside the server finds it. */
    DeltaSnapshot bronze() {
        var location =
                data.resolve("tables")
                        .resolve(LakemillPeer.TABLE.catalog())
                        .resolve(LakemillPeer.TABLE.schema())
                        .resolve(LakemillPeer.TABLE.table());
        return DeltaTable.read(location, allocator);
    }
}
