package dev.lakemill.ingest;

import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import org.jspecify.annotations.Nullable;

/**
 * Checks the protobuf values of one type and writes them in the log's row form. Belongs to one
 * stream; not thread-safe.
 *
 * <p>A value is a range of bytes: the varint or fixed bytes themselves, or what stands behind the
 * length.
 */
abstract class ProtoType {
    private static final String HINT = "send bytes that the descriptor's type serialized";

    final WireReader reader = new WireReader();

    /** How the field stands on the wire; an array of this may also come packed. */
    abstract int wireType();

    /**
     * Checks a value whose form on the wire is that of the log.
     *
     * @return false when it has to be written anew after all
     */
    abstract boolean check(byte[] bytes, int from, int to);

    /** Writes the value in the log's form, without tag. */
    void write(byte[] bytes, int from, int to, RowWriter out) {
        check(bytes, from, to);
        if (wireType() == RowWriter.LENGTH) {
            out.varint(to - from);
        }
        out.bytes(bytes, from, to);
    }

    /** How many values it has once it is decoded. */
    int cells() {
        return 1;
    }

    /** Whether the form on the wire is that of the log, so that bytes can pass. */
    boolean passes() {
        return true;
    }

    /** What {@link ProtoPass} has to know of a type without parts. */
    sealed interface Simple {
        record Varint(long min, long max) implements Simple {}

        record Fixed(int bytes) implements Simple {}

        record Text() implements Simple {}

        record Bytes() implements Simple {}
    }

    /** Null for a type with parts, or one that is written anew. */
    @Nullable Simple simple() {
        return null;
    }

    static ProtoType of(Primitive type) {
        return switch (type) {
            case BOOLEAN -> new OfVarint(type, Long.MIN_VALUE, Long.MAX_VALUE);
            case BYTE -> new OfVarint(type, Byte.MIN_VALUE, Byte.MAX_VALUE);
            case SHORT -> new OfVarint(type, Short.MIN_VALUE, Short.MAX_VALUE);
            case INTEGER -> new OfVarint(type, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case LONG -> new OfVarint(type, Long.MIN_VALUE, Long.MAX_VALUE);
            case FLOAT -> new OfFixed(RowWriter.FIXED32);
            case DOUBLE -> new OfFixed(RowWriter.FIXED64);
            case STRING -> new OfString();
            case BINARY -> new OfBinary();
            case DATE -> new OfVarint(type, IsoTime.DAYS_MIN, IsoTime.DAYS_MAX);
            case TIMESTAMP, TIMESTAMP_NTZ ->
                    new OfVarint(type, IsoTime.MICROS_MIN, IsoTime.MICROS_MAX);
        };
    }

    private static final class OfVarint extends ProtoType {
        private final Primitive type;
        private final long min;
        private final long max;

        OfVarint(Primitive type, long min, long max) {
            this.type = type;
            this.min = min;
            this.max = max;
        }

        @Override
        int wireType() {
            return RowWriter.VARINT;
        }

        @Override
        Simple simple() {
            return new Simple.Varint(min, max);
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            long value = reader.on(bytes, from, to).varint();
            if (value < min || value > max) {
                throw RefusedRow.value(
                        "takes %s, found %d".formatted(type.sql(), value),
                        "its range is %d to %d%s".formatted(min, max, unit()));
            }
            return true;
        }

        private String unit() {
            return switch (type) {
                case DATE -> " days since 1970-01-01";
                case TIMESTAMP, TIMESTAMP_NTZ -> " microseconds since 1970";
                default -> "";
            };
        }
    }

    private static final class OfFixed extends ProtoType {
        private final int wireType;

        OfFixed(int wireType) {
            this.wireType = wireType;
        }

        @Override
        Simple simple() {
            return new Simple.Fixed(wireType == RowWriter.FIXED32 ? Integer.BYTES : Long.BYTES);
        }

        @Override
        int wireType() {
            return wireType;
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            return true;
        }
    }

    private static class OfBinary extends ProtoType {
        @Override
        Simple simple() {
            return new Simple.Bytes();
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            return true;
        }
    }

    private static final class OfString extends OfBinary {
        @Override
        Simple simple() {
            return new Simple.Text();
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            for (int i = from; i < to; i++) {
                if (bytes[i] < 0) {
                    checkBeyondAscii(bytes, i, to);
                    return true;
                }
            }
            return true;
        }

        private static void checkBeyondAscii(byte[] bytes, int from, int to) {
            if (!UnsafeByteOperations.unsafeWrap(bytes, from, to - from).isValidUtf8()) {
                throw RefusedRow.value("takes STRING, found bytes that are not UTF-8", HINT);
            }
        }
    }

    /** Written as text by the producer. */
    static final class OfDecimal extends ProtoType {
        private final DataType.Decimal type;

        OfDecimal(DataType.Decimal type) {
            this.type = type;
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        boolean passes() {
            return false;
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            return false;
        }

        @Override
        void write(byte[] bytes, int from, int to, RowWriter out) {
            var text = new String(bytes, from, to - from, java.nio.charset.StandardCharsets.UTF_8);
            Decimals.write(Decimals.parse(text, type), type, out);
        }
    }

    static final class OfStruct extends ProtoType {
        private final ProtoMessage message;
        private final int cells;

        /** The message may have fewer fields than the type. */
        OfStruct(DataType.Struct type, ProtoMessage message) {
            this.message = message;
            this.cells = Cells.of(type);
        }

        @Override
        int cells() {
            return cells;
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        boolean passes() {
            return message.passes();
        }

        @Override
        boolean check(byte[] bytes, int from, int to) {
            return message.check(bytes, from, to);
        }

        @Override
        void write(byte[] bytes, int from, int to, RowWriter out) {
            int begin = out.beginLength();
            message.write(bytes, from, to, out);
            out.endLength(begin);
        }
    }
}
