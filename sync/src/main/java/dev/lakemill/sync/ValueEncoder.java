package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.SmallIntVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.TinyIntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.jspecify.annotations.Nullable;

/**
 * Writes values of one type in the binary form that Postgres's COPY and its type's receive function
 * read (PostgreSQL documentation, COPY, "Binary Format"), without the length before them.
 */
interface ValueEncoder {
    /** Appends the value, which is not NULL; the reason when Postgres cannot hold it. */
    @Nullable SkipReason put(FieldVector vector, int row, ByteArray out);

    static ValueEncoder of(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive -> of(primitive);
            case DataType.Decimal _ -> ValueEncoder::decimal;
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> new JsonEncoder(type);
        };
    }

    /** Of a column that has another type in Postgres than the usual one. */
    static ValueEncoder of(TypeOverride override) {
        return switch (override.kind()) {
            case VARCHAR -> varchar(override.size());
            case VECTOR -> new VectorEncoder(override.size(), false);
            case HALFVEC -> new VectorEncoder(override.size(), true);
        };
    }

    private static ValueEncoder of(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> always((v, row, out) -> out.putByte(((BitVector) v).get(row)));
            case BYTE -> always((v, row, out) -> out.putShort(((TinyIntVector) v).get(row)));
            case SHORT -> always((v, row, out) -> out.putShort(((SmallIntVector) v).get(row)));
            case INTEGER -> always((v, row, out) -> out.putInt(((IntVector) v).get(row)));
            case LONG -> always((v, row, out) -> out.putLong(((BigIntVector) v).get(row)));
            case FLOAT -> always(ValueEncoder::real);
            case DOUBLE -> always(ValueEncoder::doublePrecision);
            case STRING -> ValueEncoder::text;
            case BINARY -> always(ValueEncoder::bytes);
            case DATE -> ValueEncoder::date;
            case TIMESTAMP, TIMESTAMP_NTZ -> ValueEncoder::timestamp;
        };
    }

    /** A type all of whose values fit. */
    interface Put {
        void put(FieldVector vector, int row, ByteArray out);
    }

    private static ValueEncoder always(Put put) {
        return (vector, row, out) -> {
            put.put(vector, row, out);
            return null;
        };
    }

    /** All NaN are one value, and so are both zeros, as Postgres's equality has it. */
    private static void real(FieldVector vector, int row, ByteArray out) {
        out.putInt(Float.floatToIntBits(((Float4Vector) vector).get(row) + 0.0f));
    }

    private static void doublePrecision(FieldVector vector, int row, ByteArray out) {
        out.putLong(Double.doubleToLongBits(((Float8Vector) vector).get(row) + 0.0));
    }

    private static @Nullable SkipReason decimal(FieldVector vector, int row, ByteArray out) {
        NumericBinary.put(((DecimalVector) vector).getObjectNotNull(row), out);
        return null;
    }

    private static @Nullable SkipReason text(FieldVector vector, int row, ByteArray out) {
        var texts = (VarCharVector) vector;
        var from = texts.getStartOffset(row);
        var start = out.length();
        out.putBytes(texts.getDataBuffer(), from, texts.getEndOffset(row) - from);
        return Utf8.check(out.array(), start, out.length());
    }

    /** Text of at most so many characters, as Postgres counts them. */
    private static ValueEncoder varchar(int charactersMax) {
        return (vector, row, out) -> {
            var start = out.length();
            var reason = text(vector, row, out);
            return reason == null
                            && Utf8.characters(out.array(), start, out.length()) > charactersMax
                    ? SkipReason.TEXT_TOO_LONG
                    : reason;
        };
    }

    private static void bytes(FieldVector vector, int row, ByteArray out) {
        var binaries = (VarBinaryVector) vector;
        var from = binaries.getStartOffset(row);
        out.putBytes(binaries.getDataBuffer(), from, binaries.getEndOffset(row) - from);
    }

    /** Days since 2000-01-01, where our types count from 1970-01-01. */
    private static @Nullable SkipReason date(FieldVector vector, int row, ByteArray out) {
        var days = ((DateDayVector) vector).get(row) - PostgresTimes.EPOCH_DAYS;
        out.putInt((int) days);
        return PostgresTimes.isDate(days) ? null : SkipReason.OUT_OF_RANGE;
    }

    private static @Nullable SkipReason timestamp(FieldVector vector, int row, ByteArray out) {
        var micros = ((TimeStampVector) vector).get(row);
        out.putLong(micros - PostgresTimes.EPOCH_MICROS);
        return PostgresTimes.isTimestamp(micros) ? null : SkipReason.OUT_OF_RANGE;
    }
}
