package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.arrow.vector.ValueVector;
import org.jspecify.annotations.Nullable;

/**
 * A set of keys, each the values of some columns in one row.
 *
 * <p>Beside each key stands its 64-bit hash, by which a file's index tells whether it may hold it.
 */
final class RowKeys {
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private final TableSchema columns;
    private final Set<Object> keys = new HashSet<>();
    private final long[] hashes;

    /** The keys of all rows, whose columns are the key's. */
    RowKeys(Rows rows) {
        this.columns = rows.schema();
        for (int row = 0; row < rows.count(); row++) {
            keys.add(key(rows, row));
        }
        this.hashes = keys.stream().mapToLong(RowKeys::hash).sorted().toArray();
    }

    TableSchema columns() {
        return columns;
    }

    boolean contains(Object key) {
        return keys.contains(key);
    }

    /** Whether a file whose keys have these hashes, in ascending order, may hold one of ours. */
    boolean mayBeAmong(long[] ofFile) {
        if (ofFile.length < hashes.length) {
            return Arrays.stream(ofFile).anyMatch(h -> Arrays.binarySearch(hashes, h) >= 0);
        }
        return Arrays.stream(hashes).anyMatch(h -> Arrays.binarySearch(ofFile, h) >= 0);
    }

    /** The key of a row of a batch that has the key's columns alone. */
    static Object key(Rows rows, int row) {
        if (rows.schema().size() == 1) {
            return value(rows.vector(0), row);
        }
        var values = new ArrayList<Object>(rows.schema().size());
        for (int column = 0; column < rows.schema().size(); column++) {
            values.add(value(rows.vector(column), row));
        }
        return values;
    }

    private static Object value(ValueVector vector, int row) {
        @Nullable Object value = vector.getObject(row);
        if (value == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the key column '%s' is NULL in a row".formatted(vector.getName()),
                    "take columns that are never NULL for a key");
        }
        return value instanceof byte[] bytes ? java.nio.ByteBuffer.wrap(bytes) : value;
    }

    /** Spread over all 64 bits; equal keys have equal hashes. */
    static long hash(Object key) {
        long hash =
                switch (key) {
                    case Long number -> number;
                    case Integer number -> number;
                    case List<?> values -> {
                        long all = FNV_OFFSET;
                        for (var value : values) {
                            all = (all ^ hash(value)) * FNV_PRIME;
                        }
                        yield all;
                    }
                    case java.nio.ByteBuffer bytes -> bytes.hashCode();
                    default -> bytes(key.toString());
                };
        hash = (hash ^ (hash >>> 32)) * 0x9e3779b97f4a7c15L;
        return hash ^ (hash >>> 29);
    }

    private static long bytes(String text) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
        return hash;
    }
}
