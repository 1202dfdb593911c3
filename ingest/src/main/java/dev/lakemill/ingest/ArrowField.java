package dev.lakemill.ingest;

import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks one field of a stream's batches and passes its buffers on, as the table's vectors have
 * them. What passes is decoded without doubt. Immutable.
 */
abstract class ArrowField {
    final String name;
    private final boolean nullable;

    ArrowField(String name, boolean nullable) {
        this.name = name;
        this.nullable = nullable;
    }

    /** How many nodes and buffers the field has in a batch, its children's included. */
    abstract int nodes();

    abstract int buffers();

    /** Passes on what stands between the nodes; {@code validity} is null when all are there. */
    abstract void content(
            ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out);

    /** Writes a column that the batch does not have. */
    abstract void nulls(int length, ArrowPayload.Writer out);

    /**
     * The bytes of a value that was passed on; null of one that has parts.
     *
     * @param first the place of the field's first buffer
     */
    @Nullable ByteBuffer passed(ArrowPayload.Writer out, int first, int index) {
        return null;
    }

    /**
     * Passes the next field of the batch on.
     *
     * @param lengthMin values that there must be
     * @param parent validity of the struct around it, whose nulls it may share; null for none
     * @throws RefusedRow when a value does not fit
     */
    final void pass(
            ArrowBatch in, int lengthMin, @Nullable ByteBuffer parent, ArrowPayload.Writer out) {
        int length = in.nextNode();
        if (length < lengthMin) {
            throw ArrowBatch.malformed(
                    "'%s' has %d values where %d are needed".formatted(name, length, lengthMin));
        }
        var validity = in.nextValidity(length);
        int missing = 0;
        for (int i = 0; validity != null && i < length; i++) {
            if (!isSet(validity, i)) {
                missing++;
                if (!nullable && (parent == null || isSet(parent, i))) {
                    throw RefusedRow.value(
                                    "takes no NULL, found one in row %d of the batch".formatted(i),
                                    "send a value for it")
                            .inside(name);
                }
            }
        }
        var kept = missing == 0 ? null : validity;
        out.node(length, missing);
        out.buffer(kept == null ? none() : kept.slice(0, (length + 7) / 8));
        try {
            content(in, length, kept, out);
        } catch (RefusedRow e) {
            throw e.inside(name);
        }
    }

    static boolean isSet(@Nullable ByteBuffer bits, int index) {
        return bits == null || (bits.get(index >> 3) & (1 << (index & 7))) != 0;
    }

    private static ByteBuffer none() {
        return ByteBuffer.allocate(0);
    }

    /** Zeros; of validity bits they say that nothing is there. */
    private static ByteBuffer zeros(long bytes) {
        if (bytes > RecordEncoder.PAYLOAD_BYTES_MAX) {
            throw ArrowBatch.malformed("it has too many rows");
        }
        return ByteBuffer.allocate((int) bytes);
    }

    private static void nullNode(int length, ArrowPayload.Writer out) {
        out.node(length, length);
        out.buffer(zeros((length + 7L) / 8));
    }

    /** Values of so many bits each. */
    static class OfFixed extends ArrowField {
        private final int bits;

        OfFixed(String name, boolean nullable, int bits) {
            super(name, nullable);
            this.bits = bits;
        }

        @Override
        int nodes() {
            return 1;
        }

        @Override
        int buffers() {
            return 2;
        }

        @Override
        void content(
                ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out) {
            long bytes = ((long) length * bits + 7) / 8;
            var values = in.nextBuffer(bytes);
            check(values, length, validity);
            out.buffer(values.slice(0, (int) bytes));
        }

        @Override
        ByteBuffer passed(ArrowPayload.Writer out, int first, int index) {
            var values = out.buffer(first + 1);
            if (bits == 1) {
                return ByteBuffer.wrap(new byte[] {(byte) (isSet(values, index) ? 1 : 0)});
            }
            return values.slice(index * (bits / 8), bits / 8);
        }

        /** Refuses values out of the type's range; by itself there are none. */
        void check(ByteBuffer values, int length, @Nullable ByteBuffer validity) {}

        @Override
        void nulls(int length, ArrowPayload.Writer out) {
            nullNode(length, out);
            out.buffer(zeros(((long) length * bits + 7) / 8));
        }
    }

    /** Days or microseconds, within the years 1 to 9999. */
    static final class OfTime extends OfFixed {
        private final Primitive type;
        private final boolean microseconds;

        OfTime(String name, boolean nullable, Primitive type, boolean microseconds) {
            super(name, nullable, type == Primitive.DATE ? 32 : 64);
            this.type = type;
            this.microseconds = microseconds;
        }

        @Override
        void check(ByteBuffer values, int length, @Nullable ByteBuffer validity) {
            boolean days = type == Primitive.DATE;
            long min = days ? IsoTime.DAYS_MIN : IsoTime.MICROS_MIN;
            long max = days ? IsoTime.DAYS_MAX : IsoTime.MICROS_MAX;
            for (int i = 0; i < length; i++) {
                long value = days ? values.getInt(4 * i) : values.getLong(8 * i);
                if ((value < min || value > max) && isSet(validity, i)) {
                    throw RefusedRow.value(
                            "takes %s, found %d in row %d of the batch"
                                    .formatted(type.sql(), value, i),
                            "its range are the years 1 to 9999");
                }
                if (microseconds
                        && value >= 0
                        && value < RowPolicy.MICROSECONDS_MIN
                        && isSet(validity, i)) {
                    throw TimeUnits.implausible(value);
                }
            }
        }
    }

    static final class OfDecimal extends OfFixed {
        private final DataType.Decimal type;
        private final BigInteger limit;

        OfDecimal(String name, boolean nullable, DataType.Decimal type) {
            super(name, nullable, 128);
            this.type = type;
            this.limit = BigInteger.TEN.pow(type.precision());
        }

        @Override
        void check(ByteBuffer values, int length, @Nullable ByteBuffer validity) {
            for (int i = 0; i < length; i++) {
                if (!fits(values, 16 * i) && isSet(validity, i)) {
                    throw RefusedRow.value(
                            "takes %s, found more digits in row %d of the batch"
                                    .formatted(type.sql(), i),
                            "it has at most %d".formatted(type.precision()));
                }
            }
        }

        private boolean fits(ByteBuffer values, int at) {
            long low = values.getLong(at);
            long high = values.getLong(at + 8);
            if (high == low >> 63) {
                return BigInteger.valueOf(low).abs().compareTo(limit) < 0;
            }
            var unsignedLow = new BigInteger(Long.toUnsignedString(low));
            var value = BigInteger.valueOf(high).shiftLeft(64).add(unsignedLow);
            return value.abs().compareTo(limit) < 0;
        }
    }

    /** Texts or bytes, behind offsets of 32 or 64 bits. */
    static final class OfBytes extends ArrowField {
        private final boolean large;
        private final boolean text;

        OfBytes(String name, boolean nullable, boolean large, boolean text) {
            super(name, nullable);
            this.large = large;
            this.text = text;
        }

        @Override
        int nodes() {
            return 1;
        }

        @Override
        int buffers() {
            return 3;
        }

        @Override
        void content(
                ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out) {
            var offsets = offsets(in, length, large);
            var data = in.nextBuffer(0);
            int end = offsets.getInt(4 * length);
            if (end > data.remaining()) {
                throw ArrowBatch.malformed("an offset of '%s' is out of bounds".formatted(name));
            }
            if (text) {
                checkText(data, offsets, length);
            }
            out.buffer(offsets);
            out.buffer(data.slice(0, end));
        }

        @Override
        ByteBuffer passed(ArrowPayload.Writer out, int first, int index) {
            var offsets = out.buffer(first + 1);
            int from = offsets.getInt(4 * index);
            return out.buffer(first + 2).slice(from, offsets.getInt(4 * (index + 1)) - from);
        }

        private static void checkText(ByteBuffer data, ByteBuffer offsets, int length) {
            var bytes = new byte[offsets.getInt(4 * length)];
            data.get(0, bytes);
            int at = 0;
            while (at < bytes.length && bytes[at] >= 0) {
                at++;
            }
            if (at == bytes.length) {
                return;
            }
            for (int i = 0; i < length; i++) {
                int from = offsets.getInt(4 * i);
                int count = offsets.getInt(4 * (i + 1)) - from;
                if (!UnsafeByteOperations.unsafeWrap(bytes, from, count).isValidUtf8()) {
                    throw RefusedRow.value(
                            "takes STRING, found bytes that are not UTF-8 in row %d of the batch"
                                    .formatted(i),
                            "send text as UTF-8");
                }
            }
        }

        @Override
        void nulls(int length, ArrowPayload.Writer out) {
            nullNode(length, out);
            out.buffer(zeros(4L * (length + 1)));
            out.buffer(none());
        }
    }

    /** Offsets of 32 bits that never fall; of nothing there may be no buffer at all. */
    private static ByteBuffer offsets(ArrowBatch in, int length, boolean large) {
        int width = large ? Long.BYTES : Integer.BYTES;
        var given = in.nextBuffer(length == 0 ? 0 : (long) width * (length + 1));
        var offsets = zeros(4L * (length + 1)).order(ByteOrder.LITTLE_ENDIAN);
        long before = 0;
        for (int i = 0; i <= length && given.hasRemaining(); i++) {
            long offset = large ? given.getLong(8 * i) : given.getInt(4 * i);
            if (offset < before || offset > RecordEncoder.PAYLOAD_BYTES_MAX) {
                throw ArrowBatch.malformed("an offset is out of bounds");
            }
            offsets.putInt(4 * i, (int) offset);
            before = offset;
        }
        return offsets;
    }

    static class OfList extends ArrowField {
        private final ArrowField element;

        OfList(String name, boolean nullable, ArrowField element) {
            super(name, nullable);
            this.element = element;
        }

        @Override
        int nodes() {
            return 1 + element.nodes();
        }

        @Override
        int buffers() {
            return 2 + element.buffers();
        }

        @Override
        void content(
                ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out) {
            var offsets = offsets(in, length, false);
            out.buffer(offsets);
            element.pass(in, offsets.getInt(4 * length), null, out);
        }

        @Override
        void nulls(int length, ArrowPayload.Writer out) {
            nullNode(length, out);
            out.buffer(zeros(4L * (length + 1)));
            element.nulls(0, out);
        }
    }

    /** Lists of structs of a key and its value; the keys of one differ. */
    static final class OfMap extends OfList {
        private final ArrowField key;

        OfMap(String name, boolean nullable, OfStruct entries) {
            super(name, nullable, entries);
            this.key = entries.fields.getFirst();
        }

        @Override
        void content(
                ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out) {
            int first = out.buffers();
            super.content(in, length, validity, out);
            var offsets = out.buffer(first);
            for (int i = 0; i < length; i++) {
                if (isSet(validity, i)) {
                    checkKeys(out, first + 2, offsets.getInt(4 * i), offsets.getInt(4 * (i + 1)));
                }
            }
        }

        /** Behind the offsets and the entries' validity comes the key's first buffer. */
        private void checkKeys(ArrowPayload.Writer out, int ofKey, int from, int to) {
            var seen = new HashSet<ByteBuffer>();
            for (int i = from; i < to && to - from > 1; i++) {
                var found = key.passed(out, ofKey, i);
                if (found != null && !seen.add(found)) {
                    throw RefusedRow.value(
                            "holds a key twice, in entry %d of the batch".formatted(i),
                            "send each key once");
                }
            }
        }
    }

    static final class OfStruct extends ArrowField {
        private final List<ArrowField> fields;

        OfStruct(String name, boolean nullable, List<ArrowField> fields) {
            super(name, nullable);
            this.fields = fields;
        }

        @Override
        int nodes() {
            return 1 + fields.stream().mapToInt(ArrowField::nodes).sum();
        }

        @Override
        int buffers() {
            return 1 + fields.stream().mapToInt(ArrowField::buffers).sum();
        }

        @Override
        void content(
                ArrowBatch in, int length, @Nullable ByteBuffer validity, ArrowPayload.Writer out) {
            for (var field : fields) {
                field.pass(in, length, validity, out);
            }
        }

        @Override
        void nulls(int length, ArrowPayload.Writer out) {
            nullNode(length, out);
            fields.forEach(field -> field.nulls(length, out));
        }
    }
}
