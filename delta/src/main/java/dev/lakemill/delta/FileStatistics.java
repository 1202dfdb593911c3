package dev.lakemill.delta;

import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.expressions.Column;
import io.delta.kernel.expressions.Literal;
import io.delta.kernel.statistics.DataFileStatistics;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.api.Binary;
import org.jspecify.annotations.Nullable;

/**
 * Delta's column statistics out of a Parquet footer: count of nulls, smallest and largest value of
 * the first {@value #COLUMNS_MAX} columns (fields of structs count each; not inside arrays and
 * maps). Bounds of strings are cut to {@value #STRING_CHARACTERS} characters, as Spark cuts them.
 * Times outside the years 1 to 9999 are no bounds: the kernel writes those before as years of our
 * era, by which Spark would pass over the file.
 */
final class FileStatistics {
    private static final int COLUMNS_MAX = 32;
    private static final int STRING_CHARACTERS = 32;
    private static final long MICROS_MIN = micros("0001-01-01T00:00:00Z");
    private static final long MICROS_END = micros("+10000-01-01T00:00:00Z");
    private static final String LAST_CHARACTER = Character.toString(Character.MAX_CODE_POINT);

    private FileStatistics() {}

    private static long micros(String instant) {
        return Instant.parse(instant).getEpochSecond() * 1_000_000;
    }

    private record Leaf(List<String> path, DataType type) {}

    static DataFileStatistics of(ParquetMetadata footer, TableSchema schema, long rows) {
        var merged = merge(footer.getBlocks());
        var minimums = new HashMap<Column, Literal>();
        var maximums = new HashMap<Column, Literal>();
        var nulls = new LinkedHashMap<Column, Long>();
        for (var leaf : leaves(schema)) {
            var path = leaf.path.toArray(new String[0]);
            var statistics = merged.get(ColumnPath.get(path));
            var column = new Column(path);
            if (statistics == null || !statistics.isNumNullsSet()) {
                continue;
            }
            nulls.put(column, statistics.getNumNulls());
            var minimum = literal(leaf.type, statistics, false);
            var maximum = literal(leaf.type, statistics, true);
            if (minimum != null && maximum != null) {
                minimums.put(column, minimum);
                maximums.put(column, maximum);
            }
        }
        return new DataFileStatistics(rows, minimums, maximums, nulls, Optional.of(true));
    }

    /** The statistics of every column over all row groups. */
    static Map<ColumnPath, Statistics<?>> merge(List<BlockMetaData> groups) {
        var merged = new HashMap<ColumnPath, Statistics<?>>();
        for (var group : groups) {
            for (var chunk : group.getColumns()) {
                var statistics = chunk.getStatistics();
                var before = merged.putIfAbsent(chunk.getPath(), statistics.copy());
                if (before != null) {
                    before.mergeStatistics(statistics);
                }
            }
        }
        return merged;
    }

    private static List<Leaf> leaves(TableSchema schema) {
        var leaves = new ArrayList<Leaf>();
        for (var column : schema.columns()) {
            collect(List.of(column.name()), column.type(), leaves);
        }
        return leaves.subList(0, Math.min(COLUMNS_MAX, leaves.size()));
    }

    private static void collect(List<String> path, DataType type, List<Leaf> leaves) {
        switch (type) {
            case DataType.Primitive _, DataType.Decimal _ -> leaves.add(new Leaf(path, type));
            case DataType.Struct struct -> {
                for (var field : struct.fields()) {
                    var inner = new ArrayList<>(path);
                    inner.add(field.name());
                    collect(inner, field.type(), leaves);
                }
            }
            case DataType.Array _, DataType.Map _ -> {
                // Bounds inside lists say nothing about rows.
            }
        }
    }

    private static @Nullable Literal literal(DataType type, Statistics<?> statistics, boolean max) {
        if (!statistics.hasNonNullValue()) {
            return null;
        }
        Object value = max ? statistics.genericGetMax() : statistics.genericGetMin();
        return switch (type) {
            case DataType.Primitive primitive -> literal(primitive, value, max);
            case DataType.Decimal d ->
                    Literal.ofDecimal(decimal(value, d), d.precision(), d.scale());
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> null;
        };
    }

    private static @Nullable Literal literal(DataType.Primitive type, Object value, boolean max) {
        return switch (type) {
            case BOOLEAN, BINARY -> null;
            case BYTE -> Literal.ofByte(((Integer) value).byteValue());
            case SHORT -> Literal.ofShort(((Integer) value).shortValue());
            case INTEGER -> Literal.ofInt((Integer) value);
            case LONG -> Literal.ofLong((Long) value);
            case FLOAT -> Literal.ofFloat((Float) value);
            case DOUBLE -> Literal.ofDouble((Double) value);
            case DATE -> Literal.ofDate((Integer) value);
            case TIMESTAMP -> isWritten((Long) value) ? Literal.ofTimestamp((Long) value) : null;
            case TIMESTAMP_NTZ ->
                    isWritten((Long) value) ? Literal.ofTimestampNtz((Long) value) : null;
            case STRING -> string(((Binary) value).toStringUsingUTF8(), max);
        };
    }

    private static boolean isWritten(long micros) {
        return micros >= MICROS_MIN && micros < MICROS_END;
    }

    private static BigDecimal decimal(Object value, DataType.Decimal type) {
        var unscaled =
                value instanceof Binary bytes
                        ? new BigInteger(bytes.getBytes())
                        : BigInteger.valueOf(((Number) value).longValue());
        return new BigDecimal(unscaled, type.scale());
    }

    /** A prefix is a lower bound; a prefix and the last character there is are an upper one. */
    private static @Nullable Literal string(String value, boolean max) {
        if (value.codePointCount(0, value.length()) <= STRING_CHARACTERS) {
            return Literal.ofString(value);
        }
        int end = value.offsetByCodePoints(0, STRING_CHARACTERS);
        var prefix = value.substring(0, end);
        if (!max) {
            return Literal.ofString(prefix);
        }
        return value.codePointAt(end) == Character.MAX_CODE_POINT
                ? null
                : Literal.ofString(prefix + LAST_CHARACTER);
    }
}
