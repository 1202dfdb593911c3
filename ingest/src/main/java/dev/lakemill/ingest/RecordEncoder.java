package dev.lakemill.ingest;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns the records of a request into the payload of a frame. Those that do not fit are rescued,
 * become dead letters, or refuse the request. One stream owns it.
 */
public final class RecordEncoder {
    /** The log's largest frame, less what stands around the payload. */
    static final int PAYLOAD_BYTES_MAX = (16 << 20) - 1024;

    /** Buffers are the thread's, so that ten thousand idle streams hold none. */
    private static final ThreadLocal<RowWriter> WRITERS =
            ThreadLocal.withInitial(() -> new RowWriter(PAYLOAD_BYTES_MAX));

    /** Of a request that has none. */
    static final long NO_OFFSET = -1;

    private final RowEncoder rows;
    private final TimeUnits units;
    private final BadRows badRows;
    private final @Nullable JsonGrowth growth;
    private final Slice slice = new Slice();

    RecordEncoder(RowEncoder rows, TimeUnits units, BadRows badRows) {
        this(rows, units, badRows, null);
    }

    /**
     * @param growth is asked before a record counts as one that does not fit; null for none
     */
    RecordEncoder(RowEncoder rows, TimeUnits units, BadRows badRows, @Nullable JsonGrowth growth) {
        this.rows = rows;
        this.units = units;
        this.badRows = badRows;
        this.growth = growth;
    }

    /** Of records that are JSON objects, as UTF-8; those that do not fit are refused. */
    public static RecordEncoder json(TableSchema schema) {
        return refusing(new JsonEncoder(schema), schema);
    }

    /**
     * Of records that are messages of one type; those that do not fit are refused.
     *
     * @param descriptor the type's serialized DescriptorProto
     * @throws LakemillException INVALID_ARGUMENT when the descriptor does not fit the table
     */
    public static RecordEncoder proto(TableName table, TableSchema schema, byte[] descriptor) {
        try {
            return refusing(new ProtoEncoder(table, schema, descriptor), schema);
        } catch (Refusal e) {
            throw e.exception();
        }
    }

    private static RecordEncoder refusing(RowEncoder rows, TableSchema schema) {
        return new RecordEncoder(rows, new TimeUnits(schema, Set.of()), BadRows.refused());
    }

    /**
     * The rows in the form of docs/internals/row-format.md.
     *
     * @throws LakemillException INVALID_ARGUMENT naming the row, the column and what was expected
     */
    public byte[] rows(List<ByteString> records) {
        try {
            return payload(records, NO_OFFSET).bytes();
        } catch (Refusal e) {
            throw e.exception();
        }
    }

    /**
     * All rows that fit, or were rescued, and the dead letters of the others.
     *
     * @throws Refusal naming the rows that do not fit and that nothing takes; for too many values
     * @throws NewColumns when they would fit if the table had more columns, as it may
     */
    Payload payload(List<ByteString> records, long offset) {
        var out = WRITERS.get();
        out.clear();
        out.count((long) records.size() * rows.cells());
        List<BadRows.Bad> bad = List.of();
        boolean askedForGrowth = false;
        for (int i = 0; i < records.size(); i++) {
            int before = out.size();
            try {
                append(records.get(i), out);
            } catch (RefusedRow e) {
                out.truncate(before);
                if (growth != null && !askedForGrowth) {
                    growth.check(records.subList(i, records.size()));
                    askedForGrowth = true;
                }
                if (!appendRescued(out)) {
                    bad = bad.isEmpty() ? new ArrayList<>() : bad;
                    bad.add(new BadRows.Bad(i, records.get(i).toByteArray(), e));
                }
            }
        }
        var letter = badRows.kept(bad, offset);
        return new Payload(out.toByteArray(), records.size() - bad.size(), letter);
    }

    private void append(ByteString row, RowWriter out) {
        try {
            UnsafeByteOperations.unsafeWriteTo(row, slice);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        int begin = out.beginLength();
        rows.encode(slice.bytes, slice.from, slice.to, out);
        units.check(out, begin);
        out.endLength(begin);
    }

    /** Saves what can be saved of the record that was refused last. */
    private boolean appendRescued(RowWriter out) {
        int before = out.size();
        int begin = out.beginLength();
        try {
            if (badRows.rescued(slice.bytes, slice.from, slice.to, out)) {
                units.check(out, begin);
                out.endLength(begin);
                return true;
            }
        } catch (RefusedRow e) {
            // Why it was refused at first is told.
        }
        out.truncate(before);
        return false;
    }

    /** Where the bytes of a record stand, without copying them. */
    private static final class Slice extends ByteOutput {
        private byte[] bytes = new byte[0];
        private int from;
        private int to;

        @Override
        public void write(byte value) {
            writeLazy(new byte[] {value}, 0, 1);
        }

        @Override
        public void write(byte[] value, int offset, int length) {
            writeLazy(value.clone(), offset, length);
        }

        @Override
        public void writeLazy(byte[] value, int offset, int length) {
            bytes = value;
            from = offset;
            to = offset + length;
        }

        @Override
        public void write(ByteBuffer value) {
            writeLazy(value);
        }

        @Override
        public void writeLazy(ByteBuffer value) {
            var copy = new byte[value.remaining()];
            value.duplicate().get(copy);
            writeLazy(copy, 0, copy.length);
        }
    }
}
