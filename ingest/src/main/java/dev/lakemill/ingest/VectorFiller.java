package dev.lakemill.ingest;

import dev.lakemill.types.DataType;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.BitVectorHelper;
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
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;

/** Reads values in the log's row form into one Arrow vector. What is not read stays null. */
abstract class VectorFiller {
    /** Reads the value that the reader stands at, behind its tag, into a slot of the vector. */
    abstract void read(WireReader in, int slot);

    static VectorFiller of(DataType type, FieldVector vector) {
        return switch (type) {
            case DataType.Primitive primitive -> of(primitive, vector);
            case DataType.Decimal _ -> new OfDecimal((DecimalVector) vector);
            case DataType.Array array -> new OfArray(array, (ListVector) vector);
            case DataType.Map map -> new OfMap(map, (MapVector) vector);
            case DataType.Struct struct -> new OfStruct(struct, (StructVector) vector);
        };
    }

    private static VectorFiller of(DataType.Primitive type, FieldVector vector) {
        return switch (type) {
            case BOOLEAN -> {
                var bits = (BitVector) vector;
                yield filler((in, slot) -> bits.setSafe(slot, in.varint() != 0 ? 1 : 0));
            }
            case BYTE -> {
                var bytes = (TinyIntVector) vector;
                yield filler((in, slot) -> bytes.setSafe(slot, (int) in.varint()));
            }
            case SHORT -> {
                var shorts = (SmallIntVector) vector;
                yield filler((in, slot) -> shorts.setSafe(slot, (int) in.varint()));
            }
            case INTEGER -> {
                var ints = (IntVector) vector;
                yield filler((in, slot) -> ints.setSafe(slot, (int) in.varint()));
            }
            case LONG -> {
                var longs = (BigIntVector) vector;
                yield filler((in, slot) -> longs.setSafe(slot, in.varint()));
            }
            case FLOAT -> {
                var floats = (Float4Vector) vector;
                yield filler(
                        (in, slot) -> floats.setSafe(slot, Float.intBitsToFloat(in.fixed32())));
            }
            case DOUBLE -> {
                var doubles = (Float8Vector) vector;
                yield filler(
                        (in, slot) -> doubles.setSafe(slot, Double.longBitsToDouble(realBits(in))));
            }
            case STRING -> new OfString((VarCharVector) vector);
            case BINARY -> new OfBinary((VarBinaryVector) vector);
            case DATE -> {
                var days = (DateDayVector) vector;
                yield filler((in, slot) -> days.setSafe(slot, (int) in.varint()));
            }
            case TIMESTAMP, TIMESTAMP_NTZ -> {
                var micros = (TimeStampVector) vector;
                yield filler((in, slot) -> micros.setSafe(slot, in.varint()));
            }
        };
    }

    /** A frame of a stream that knew the column as FLOAT has 32 bits. */
    static long realBits(WireReader in) {
        return in.wireType() == RowWriter.FIXED32
                ? Double.doubleToRawLongBits(Float.intBitsToFloat(in.fixed32()))
                : in.fixed64();
    }

    /** Reads an unscaled value, as wide as vectors have it. */
    static void readDecimal(WireReader in, byte[] wide) {
        int length = in.length();
        var bytes = in.bytes();
        byte sign = (byte) (bytes[in.at() + length - 1] >> 7);
        for (int i = 0; i < wide.length; i++) {
            wide[i] = i < length ? bytes[in.at() + i] : sign;
        }
        in.skip(length);
    }

    private interface Reading {
        void read(WireReader in, int slot);
    }

    private static VectorFiller filler(Reading reading) {
        return new VectorFiller() {
            @Override
            void read(WireReader in, int slot) {
                reading.read(in, slot);
            }
        };
    }

    private static final class OfString extends VectorFiller {
        private final VarCharVector texts;

        OfString(VarCharVector texts) {
            this.texts = texts;
        }

        @Override
        void read(WireReader in, int slot) {
            int length = in.length();
            texts.setSafe(slot, in.bytes(), in.at(), length);
            in.skip(length);
        }
    }

    private static final class OfBinary extends VectorFiller {
        private final VarBinaryVector values;

        OfBinary(VarBinaryVector values) {
            this.values = values;
        }

        @Override
        void read(WireReader in, int slot) {
            int length = in.length();
            values.setSafe(slot, in.bytes(), in.at(), length);
            in.skip(length);
        }
    }

    private static final class OfDecimal extends VectorFiller {
        private final DecimalVector values;
        private final byte[] wide = new byte[DecimalVector.TYPE_WIDTH];

        OfDecimal(DecimalVector values) {
            this.values = values;
        }

        @Override
        void read(WireReader in, int slot) {
            readDecimal(in, wide);
            while (slot >= values.getValueCapacity()) {
                values.reAlloc();
            }
            BitVectorHelper.setBit(values.getValidityBuffer(), slot);
            values.getDataBuffer().setBytes((long) slot * DecimalVector.TYPE_WIDTH, wide);
        }
    }

    private static final class OfArray extends VectorFiller {
        private final ListVector lists;
        private final VectorFiller element;

        OfArray(DataType.Array type, ListVector lists) {
            this.lists = lists;
            this.element = of(type.element(), lists.getDataVector());
        }

        @Override
        void read(WireReader in, int slot) {
            int end = in.beginNested();
            int first = lists.startNewValue(slot);
            int count = 0;
            while (in.hasMore()) {
                if (in.tag() >>> 3 == JsonNested.ELEMENT) {
                    element.read(in, first + count);
                    count++;
                } else {
                    count += (int) in.varint();
                }
            }
            lists.endValue(slot, count);
            in.endNested(end);
        }
    }

    private static final class OfMap extends VectorFiller {
        private final MapVector maps;
        private final StructVector entries;
        private final VectorFiller key;
        private final VectorFiller value;

        OfMap(DataType.Map type, MapVector maps) {
            this.maps = maps;
            this.entries = (StructVector) maps.getDataVector();
            this.key = of(type.key(), entries.getChildrenFromFields().get(0));
            this.value = of(type.value(), entries.getChildrenFromFields().get(1));
        }

        @Override
        void read(WireReader in, int slot) {
            int end = in.beginNested();
            int next = maps.startNewValue(slot);
            int first = next;
            while (in.hasMore()) {
                if (in.tag() >>> 3 == JsonNested.ELEMENT) {
                    entries.setIndexDefined(next);
                    key.read(in, next);
                    next++;
                } else {
                    value.read(in, next - 1);
                }
            }
            maps.endValue(slot, next - first);
            in.endNested(end);
        }
    }

    private static final class OfStruct extends VectorFiller {
        private final StructVector structs;
        private final VectorFiller[] fields;

        OfStruct(DataType.Struct type, StructVector structs) {
            this.structs = structs;
            this.fields = new VectorFiller[type.fields().size()];
            for (int i = 0; i < fields.length; i++) {
                fields[i] = of(type.fields().get(i).type(), structs.getChildrenFromFields().get(i));
            }
        }

        @Override
        void read(WireReader in, int slot) {
            int end = in.beginNested();
            structs.setIndexDefined(slot);
            while (in.hasMore()) {
                fields[(in.tag() >>> 3) - 1].read(in, slot);
            }
            in.endNested(end);
        }
    }
}
