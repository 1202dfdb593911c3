package dev.lakemill.sync;

import dev.lakemill.types.Column;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.arrow.vector.FieldVector;
import org.jspecify.annotations.Nullable;

/**
 * Rows of one synced table as fields of a COPY tuple: per field its length, -1 for NULL, and its
 * value.
 *
 * <p>Fields of equal value have equal bytes, so that a key's bytes stand for the key. A row that
 * Postgres would refuse is found here, before it is sent: a refusal there would undo the whole
 * transaction. One thread uses it.
 */
final class RowEncoder {
    /** A B-tree entry holds at most 2704 bytes. */
    private static final int INDEXED_BYTES_MAX = 2600;

    private static final int ROW_BYTES_MAX = 64 << 20;
    private static final int ABSENT = -1;

    private final TableSchema target;
    private final ValueEncoder[] encoders;
    private final int[] keyColumns;

    /** -1 without a timeseries key. */
    private final int timeColumn;

    private final List<int[]> indexedGroups;
    private final int[] fieldBytes;

    /** By column, of the batch that is read; null where the source has no such column yet. */
    private final @Nullable FieldVector[] vectors;

    RowEncoder(SyncedTableSpec spec) {
        this.target = spec.sourceSchema();
        this.encoders =
                target.columns().stream()
                        .map(column -> encoder(spec, column))
                        .toArray(ValueEncoder[]::new);
        this.keyColumns = spec.keyColumns();
        this.timeColumn =
                spec.hasTimeseriesKey()
                        ? spec.positions(List.of(spec.form().timeseriesKey()))[0]
                        : -1;
        this.indexedGroups =
                Stream.concat(Stream.of(keyColumns), spec.indexes().stream().map(spec::positions))
                        .toList();
        this.fieldBytes = new int[encoders.length];
        this.vectors = new @Nullable FieldVector[encoders.length];
    }

    private static ValueEncoder encoder(SyncedTableSpec spec, Column column) {
        var override = spec.form().types().get(column.name());
        return override == null ? ValueEncoder.of(column.type()) : ValueEncoder.of(override);
    }

    /** Whether a row comes before another of its key, by the timeseries key. */
    boolean isOlder(byte[] row, byte[] than) {
        return timeColumn >= 0 && time(row).compareTo(time(than)) < 0;
    }

    /** NULL is before all. */
    private BigInteger time(byte[] row) {
        var at = fieldAt(row, timeColumn);
        var length = ByteBuffer.wrap(row).getInt(at);
        return length < 0
                ? BigInteger.valueOf(Long.MIN_VALUE)
                : new BigInteger(row, at + Integer.BYTES, length);
    }

    /** Where a row's bytes have the value of a column: at its length. */
    static int fieldAt(byte[] fields, int column) {
        var buffer = ByteBuffer.wrap(fields);
        for (var i = 0; i < column; i++) {
            var length = Math.max(0, buffer.getInt());
            buffer.position(buffer.position() + length);
        }
        return buffer.position();
    }

    /** Goes over to a batch, whose columns are found by name. The caller keeps it open. */
    void read(Rows rows) {
        for (var i = 0; i < vectors.length; i++) {
            var column = rows.schema().indexOf(target.column(i).name());
            vectors[i] = column.isPresent() ? rows.vector(column.getAsInt()) : null;
        }
    }

    /** Appends the fields of the primary key; on a reason, nothing. */
    @Nullable SkipReason putKey(int row, ByteArray out) {
        var start = out.length();
        for (var column : keyColumns) {
            var reason = putField(row, column, out);
            if (reason == null && fieldBytes[column] == ABSENT) {
                reason = SkipReason.NULL_KEY;
            }
            if (reason != null) {
                out.truncate(start);
                return reason;
            }
        }
        return null;
    }

    /** Appends all fields in the order of the table's columns; on a reason, nothing. */
    @Nullable SkipReason putRow(int row, ByteArray out) {
        var start = out.length();
        for (var column = 0; column < encoders.length; column++) {
            var reason = putField(row, column, out);
            if (reason != null) {
                out.truncate(start);
                return reason;
            }
        }
        var reason = checkLength(out.length() - start);
        if (reason != null) {
            out.truncate(start);
        }
        return reason;
    }

    /** The same, of a row whose key must be there; what is wrong with the key is told first. */
    @Nullable SkipReason putKeyedRow(int row, ByteArray out) {
        var start = out.length();
        var reason = putKey(row, out);
        out.truncate(start);
        return reason == null ? putRow(row, out) : reason;
    }

    private @Nullable SkipReason putField(int row, int column, ByteArray out) {
        var vector = vectors[column];
        var start = out.length();
        out.putInt(ABSENT);
        fieldBytes[column] = ABSENT;
        if (vector == null || vector.isNull(row)) {
            return null;
        }
        var reason = encoders[column].put(vector, row, out);
        fieldBytes[column] = out.length() - start - Integer.BYTES;
        out.setInt(start, fieldBytes[column]);
        return reason;
    }

    private @Nullable SkipReason checkLength(int rowBytes) {
        if (rowBytes > ROW_BYTES_MAX) {
            return SkipReason.ROW_TOO_LARGE;
        }
        if (rowBytes > INDEXED_BYTES_MAX) {
            for (var group : indexedGroups) {
                if (Arrays.stream(group).map(c -> fieldBytes[c]).sum() > INDEXED_BYTES_MAX) {
                    return SkipReason.KEY_TOO_LONG;
                }
            }
        }
        return null;
    }
}
