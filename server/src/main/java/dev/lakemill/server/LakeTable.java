package dev.lakemill.server;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.ingest.LogTail;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
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

    private static final Column POSITION = Column.required("_position", Primitive.LONG);

    private LakeTable() {}

    static LakeQuery.Opening opening(Parts parts, CatalogTable table) {
        return columns ->
                table.kind() == TableKind.INGESTED
                        ? withTail(parts, wanted(table, columns), table)
                        : new Reading(snapshot(parts, table).read(columns), null, List.of());
    }

    /** The rows of one version, without those that Delta does not have yet. */
    static LakeQuery.Opening opening(DeltaSnapshot snapshot, CatalogTable table) {
        return columns ->
                new Reading(
                        table.kind() == TableKind.INGESTED
                                ? new Conformed(snapshot, wanted(table, columns))
                                : snapshot.read(columns),
                        null,
                        List.of());
    }

    /** What the log's tail of a table is called beside the table itself. */
    static TableName tailName(TableName table) {
        return new TableName(table.catalog(), table.schema(), table.table() + "__log_tail");
    }

    /** The table's columns, and the position in the log, which rows of one request share. */
    static TableSchema tailSchema(CatalogTable table) {
        var columns = new ArrayList<>(table.schema().columns());
        columns.add(POSITION);
        return new TableSchema(columns);
    }

    /** The rows that are acknowledged and that Delta does not have yet. */
    static LakeQuery.Opening tailOpening(Parts parts, CatalogTable table) {
        return columns -> {
            var tail = parts.tails().of(table.name());
            boolean opened = false;
            try {
                var snapshot = snapshot(parts, table);
                var schema = tailSchema(table);
                var places = columns.stream().map(c -> schema.indexOf(c).orElseThrow()).toList();
                var reading =
                        new Reading(
                                new Nothing(),
                                tail,
                                tail
                                        .after(snapshot.transaction(tail.application()).orElse(0))
                                        .stream()
                                        .map(batch -> (Part) new TailPart(batch, schema, places))
                                        .toList());
                opened = true;
                return reading;
            } finally {
                if (!opened) {
                    tail.close();
                }
            }
        };
    }

    private static TableSchema wanted(CatalogTable table, List<String> columns) {
        return new TableSchema(
                columns.stream()
                        .map(c -> table.schema().column(table.schema().indexOf(c).orElseThrow()))
                        .toList());
    }

    /** Each part has the columns of its time: the table may get more while it is read. */
    private static Reading withTail(Parts parts, TableSchema wanted, CatalogTable table) {
        var tail = parts.tails().of(table.name());
        boolean opened = false;
        try {
            var snapshot = snapshot(parts, table);
            var newer = tail.after(snapshot.transaction(tail.application()).orElse(0));
            var reading =
                    new Reading(
                            new Conformed(snapshot, wanted),
                            tail,
                            newer.stream()
                                    .map(batch -> (Part) () -> batch.rows().conformed(wanted))
                                    .toList());
            opened = true;
            return reading;
        } finally {
            if (!opened) {
                tail.close();
            }
        }
    }

    /** A batch of the tail, as the query wants it. */
    private interface Part {
        Rows rows();
    }

    /**
     * A batch with its positions.
     *
     * @param places of the columns that are wanted, in the schema of a tail
     */
    private record TailPart(TableBatch batch, TableSchema schema, List<Integer> places)
            implements Part {
        @Override
        public Rows rows() {
            var columns = schema.columns().subList(0, schema.size() - 1);
            try (var conformed = batch.rows().conformed(new TableSchema(columns))) {
                var allocator = conformed.vector(0).getAllocator();
                var all = new ArrayList<FieldVector>();
                try (var kept = conformed.slice(0, conformed.count());
                        var positions = new BigIntVector(POSITION.name(), allocator)) {
                    all.addAll(kept.root().getFieldVectors());
                    positions.allocateNew(batch.positions().length);
                    for (int i = 0; i < batch.positions().length; i++) {
                        positions.set(i, batch.positions()[i]);
                    }
                    positions.setValueCount(batch.positions().length);
                    all.add(positions);
                    var root = new VectorSchemaRoot(all);
                    root.setRowCount(conformed.count());
                    return new Rows(schema, root).select(places);
                }
            }
        }
    }

    /** Of Delta. */
    private static final class Nothing implements DeltaReader {
        @Override
        public @Nullable Rows next() {
            return null;
        }

        @Override
        public long[] positions() {
            return new long[0];
        }

        @Override
        public void close() {}
    }

    /** A snapshot's rows, as the query wants them. */
    private static final class Conformed implements DeltaReader {
        private final TableSchema wanted;
        private final DeltaReader delta;

        Conformed(DeltaSnapshot snapshot, TableSchema wanted) {
            this.wanted = wanted;
            this.delta =
                    snapshot.read(
                            wanted.columns().stream()
                                    .map(Column::name)
                                    .filter(c -> snapshot.schema().indexOf(c).isPresent())
                                    .toList());
        }

        @Override
        public @Nullable Rows next() {
            var rows = delta.next();
            if (rows == null) {
                return null;
            }
            try (rows) {
                return rows.conformed(wanted);
            }
        }

        @Override
        public long[] positions() {
            return delta.positions();
        }

        @Override
        public void close() {
            delta.close();
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

    /** Where others write it; INVALID_ARGUMENT when that is not a folder of this machine. */
    static Path folder(CatalogTable table) {
        var location = table.location();
        if (!location.startsWith("file:")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s lies at %s, and this node reads folders of its own machine alone"
                            .formatted(table.name(), location.replaceFirst(":.*", "")),
                    "read it with an engine that has the keys, or copy it to a file:// location");
        }
        return Path.of(URI.create(location));
    }

    /** What others write is looked at anew. */
    private static DeltaSnapshot snapshot(Parts parts, CatalogTable table) {
        if (table.kind().fed()) {
            return parts.tables().delta(table.name()).snapshot();
        }
        return DeltaTable.read(folder(table), parts.allocator());
    }
}
