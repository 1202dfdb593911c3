package dev.lakemill.server;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.ingest.LogTail;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A Delta table as a query reads it: one snapshot, and behind it, of a table that takes rows, what
 * is acknowledged and on its way into Delta.
 *
 * <p>Each row once: the tail is taken before the snapshot, whose transaction then says which of the
 * tail's rows were committed in between.
 */
final class LakeTable {
    /** What is acknowledged and may not be in Delta yet. */
    interface Tails {
        LogTail of(TableName table);
    }

    /** What is given of the node. */
    record Parts(Tables tables, Tails tails, BufferAllocator allocator) {}

    private LakeTable() {}

    static LakeQuery.Opening opening(Parts parts, CatalogTable table) {
        return columns ->
                table.kind() == TableKind.INGESTED
                        ? withTail(parts, table, columns)
                        : new Reading(snapshot(parts, table).read(columns), null, List.of());
    }

    private static Reading withTail(Parts parts, CatalogTable table, List<String> columns) {
        var tail = parts.tails().of(table.name());
        boolean opened = false;
        try {
            var snapshot = snapshot(parts, table);
            var newer = tail.after(snapshot.transaction(tail.application()).orElse(0));
            var places = columns.stream().map(c -> place(table, c)).toList();
            var reading =
                    new Reading(
                            snapshot.read(columns),
                            tail,
                            newer.stream().map(batch -> new Part(batch, places)).toList());
            opened = true;
            return reading;
        } finally {
            if (!opened) {
                tail.close();
            }
        }
    }

    private static int place(CatalogTable table, String column) {
        return table.schema().indexOf(column).orElseThrow();
    }

    /** Columns of a batch of the tail. */
    private record Part(TableBatch batch, List<Integer> columns) {
        Rows rows() {
            return batch.rows().select(columns);
        }
    }

    /** The snapshot's rows, then the tail's. */
    private static final class Reading implements LakeQuery.Reading {
        private final DeltaReader delta;
        private final @Nullable LogTail tail;
        private final Iterator<Part> parts;
        private boolean deltaEnded;

        Reading(DeltaReader delta, @Nullable LogTail tail, List<Part> parts) {
            this.delta = delta;
            this.tail = tail;
            this.parts = parts.iterator();
        }

        @Override
        public @Nullable Rows next() {
            var rows = deltaEnded ? null : delta.next();
            deltaEnded = rows == null;
            return rows == null && parts.hasNext() ? parts.next().rows() : rows;
        }

        @Override
        public void close() {
            try (tail) {
                delta.close();
            }
        }
    }

    /** What others write is looked at anew. */
    private static DeltaSnapshot snapshot(Parts parts, CatalogTable table) {
        if (table.kind().fed()) {
            return parts.tables().delta(table.name()).snapshot();
        }
        var at = Path.of(URI.create(table.location()));
        try (var opened =
                DeltaTable.open(at, DeltaConfig.DEFAULT, parts.allocator(), Clock.systemUTC())) {
            return opened.snapshot();
        }
    }
}
