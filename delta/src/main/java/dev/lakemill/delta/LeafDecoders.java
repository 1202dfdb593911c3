package dev.lakemill.delta;

import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;

/**
 * Makes the decoder of a leaf, also for the forms that other writers use: narrower integers,
 * timestamps as milliseconds, nanoseconds or INT96, decimals as bytes.
 */
record LeafDecoders(ColumnDescriptor column, ColumnReader reader) {
    private static final long JULIAN_DAY_OF_EPOCH = 2_440_588;

    LeafDecoder<?> of(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive -> primitive(primitive);
            case DataType.Decimal decimal -> decimal(decimal);
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> throw mismatch(type);
        };
    }

    private LeafDecoder<?> primitive(DataType.Primitive type) {
        var r = reader;
        return switch (type) {
            case BOOLEAN -> {
                require(type, PrimitiveTypeName.BOOLEAN);
                yield leaf(BitVector.class, (v, i) -> v.setSafe(i, r.getBoolean() ? 1 : 0));
            }
            case BYTE -> {
                require(type, PrimitiveTypeName.INT32);
                yield leaf(TinyIntVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
            }
            case SHORT -> {
                require(type, PrimitiveTypeName.INT32);
                yield leaf(SmallIntVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
            }
            case INTEGER -> {
                require(type, PrimitiveTypeName.INT32);
                yield leaf(IntVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
            }
            case DATE -> {
                require(type, PrimitiveTypeName.INT32);
                yield leaf(DateDayVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
            }
            case LONG -> {
                if (is(PrimitiveTypeName.INT32)) {
                    yield leaf(BigIntVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
                }
                require(type, PrimitiveTypeName.INT64);
                yield leaf(BigIntVector.class, (v, i) -> v.setSafe(i, r.getLong()));
            }
            case FLOAT -> {
                require(type, PrimitiveTypeName.FLOAT);
                yield leaf(Float4Vector.class, (v, i) -> v.setSafe(i, r.getFloat()));
            }
            case DOUBLE -> {
                if (is(PrimitiveTypeName.FLOAT)) {
                    yield leaf(Float8Vector.class, (v, i) -> v.setSafe(i, r.getFloat()));
                }
                require(type, PrimitiveTypeName.DOUBLE);
                yield leaf(Float8Vector.class, (v, i) -> v.setSafe(i, r.getDouble()));
            }
            case STRING, BINARY -> {
                require(type, PrimitiveTypeName.BINARY);
                yield leaf(BaseVariableWidthVector.class, (v, i) -> set(v, i, r.getBinary()));
            }
            case TIMESTAMP, TIMESTAMP_NTZ -> timestamp(type);
        };
    }

    private LeafDecoder<?> timestamp(DataType type) {
        var r = reader;
        if (is(PrimitiveTypeName.INT96)) {
            return leaf(TimeStampVector.class, (v, i) -> v.setSafe(i, micros(r.getBinary())));
        }
        require(type, PrimitiveTypeName.INT64);
        var unit =
                primitive().getLogicalTypeAnnotation() instanceof TimestampLogicalTypeAnnotation t
                        ? t.getUnit()
                        : LogicalTypeAnnotation.TimeUnit.MICROS;
        return switch (unit) {
            case MICROS -> leaf(TimeStampVector.class, (v, i) -> v.setSafe(i, r.getLong()));
            case MILLIS -> leaf(TimeStampVector.class, (v, i) -> v.setSafe(i, r.getLong() * 1000));
            case NANOS ->
                    leaf(
                            TimeStampVector.class,
                            (v, i) -> v.setSafe(i, Math.floorDiv(r.getLong(), 1000L)));
        };
    }

    private LeafDecoder<?> decimal(DataType.Decimal type) {
        var r = reader;
        int scale = type.scale();
        if (primitive().getLogicalTypeAnnotation() instanceof DecimalLogicalTypeAnnotation d
                && d.getScale() != scale) {
            throw mismatch(type);
        }
        return switch (primitive().getPrimitiveTypeName()) {
            case INT32 -> leaf(DecimalVector.class, (v, i) -> v.setSafe(i, r.getInteger()));
            case INT64 -> leaf(DecimalVector.class, (v, i) -> v.setSafe(i, r.getLong()));
            case BINARY, FIXED_LEN_BYTE_ARRAY ->
                    leaf(
                            DecimalVector.class,
                            (v, i) -> v.setSafe(i, decimal(r.getBinary(), scale)));
            case BOOLEAN, FLOAT, DOUBLE, INT96 -> throw mismatch(type);
        };
    }

    private <V extends ValueVector> LeafDecoder<V> leaf(Class<V> type, LeafDecoder.Value<V> value) {
        return new LeafDecoder<>(column, reader, type, value);
    }

    private PrimitiveType primitive() {
        return column.getPrimitiveType();
    }

    private boolean is(PrimitiveTypeName name) {
        return primitive().getPrimitiveTypeName() == name;
    }

    private void require(DataType type, PrimitiveTypeName name) {
        if (!is(name)) {
            throw mismatch(type);
        }
    }

    private LakemillException mismatch(DataType type) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                "Parquet column '%s' cannot be read as %s".formatted(primitive(), type.sql()),
                "");
    }

    private static void set(BaseVariableWidthVector vector, int index, Binary value) {
        var bytes = value.toByteBuffer();
        vector.setSafe(index, bytes, bytes.position(), bytes.remaining());
    }

    private static BigDecimal decimal(Binary unscaled, int scale) {
        return new BigDecimal(new BigInteger(unscaled.getBytesUnsafe()), scale);
    }

    /** INT96: nanoseconds of the day (8 bytes), then the Julian day (4 bytes), little-endian. */
    private static long micros(Binary int96) {
        var bytes = int96.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        long nanosOfDay = bytes.getLong();
        long day = bytes.getInt() - JULIAN_DAY_OF_EPOCH;
        return TimeUnit.DAYS.toMicros(day) + nanosOfDay / 1000;
    }
}
