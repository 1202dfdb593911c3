package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One field of a message: its number there, its column here, and how often it may come. Belongs to
 * one stream; not thread-safe.
 */
abstract class ProtoField {
    final String name;
    final int number;
    final int column;
    final boolean required;

    ProtoField(String name, int number, int column, boolean required) {
        this.name = name;
        this.number = number;
        this.column = column;
        this.required = required;
    }

    /** Whether the field may stand on the wire so. */
    abstract boolean takes(int wireType);

    /** Whether bytes may pass unchanged as far as this field goes. */
    abstract boolean passes();

    /** The type of a value without parts that may pass; null otherwise. */
    ProtoType.@Nullable Simple simple() {
        return null;
    }

    /** Checks the one value of a message that may pass; false when it may not after all. */
    abstract boolean check(ProtoSpans spans, int field);

    /** Writes what the spans of the field hold, with tag; the message may have none of them. */
    abstract void write(ProtoSpans spans, int field, RowWriter out);

    /** A field with one value: of several on the wire the last one counts, structs are merged. */
    static final class Single extends ProtoField {
        private final ProtoType type;

        Single(String name, int number, int column, boolean required, ProtoType type) {
            super(name, number, column, required);
            this.type = type;
        }

        @Override
        boolean takes(int wireType) {
            return wireType == type.wireType();
        }

        @Override
        boolean passes() {
            return number == column + 1 && type.passes();
        }

        @Override
        ProtoType.@Nullable Simple simple() {
            return passes() ? type.simple() : null;
        }

        @Override
        boolean check(ProtoSpans spans, int field) {
            int span = spans.last(field);
            return spans.first(field) == span
                    && type.check(spans.bytes(), spans.from(span), spans.to(span));
        }

        @Override
        void write(ProtoSpans spans, int field, RowWriter out) {
            int span = spans.last(field);
            if (span == ProtoSpans.NONE) {
                return;
            }
            out.tag(column + 1, type.wireType());
            if (spans.first(field) != span && type instanceof ProtoType.OfStruct) {
                var merged = spans.merged(field);
                type.write(merged, 0, merged.length, out);
            } else {
                type.write(spans.bytes(), spans.from(span), spans.to(span), out);
            }
        }
    }

    /** An array: any number of values, one by one or packed. None is an empty array. */
    static final class Repeated extends ProtoField {
        private final ProtoType element;
        private final WireReader packed = new WireReader();

        Repeated(String name, int number, int column, ProtoType element) {
            super(name, number, column, false);
            this.element = element;
        }

        @Override
        boolean takes(int wireType) {
            return wireType == element.wireType() || wireType == RowWriter.LENGTH;
        }

        @Override
        boolean passes() {
            return false;
        }

        @Override
        boolean check(ProtoSpans spans, int field) {
            return false;
        }

        @Override
        void write(ProtoSpans spans, int field, RowWriter out) {
            out.tag(column + 1, RowWriter.LENGTH);
            int begin = out.beginLength();
            int span = spans.first(field);
            while (span != ProtoSpans.NONE) {
                if (spans.isLength(span) && element.wireType() != RowWriter.LENGTH) {
                    writePacked(spans.bytes(), spans.from(span), spans.to(span), out);
                } else {
                    writeElement(spans.bytes(), spans.from(span), spans.to(span), out);
                }
                span = spans.next(span);
            }
            out.endLength(begin);
        }

        private void writePacked(byte[] bytes, int from, int to, RowWriter out) {
            packed.on(bytes, from, to);
            while (packed.hasMore()) {
                int start = packed.at();
                switch (element.wireType()) {
                    case RowWriter.VARINT -> packed.varint();
                    case RowWriter.FIXED32 -> packed.fixed32();
                    default -> packed.fixed64();
                }
                writeElement(bytes, start, packed.at(), out);
            }
        }

        private void writeElement(byte[] bytes, int from, int to, RowWriter out) {
            out.count(element.cells());
            out.tag(JsonNested.ELEMENT, element.wireType());
            element.write(bytes, from, to, out);
        }
    }

    /** A map: entries in any number; of several with one key the last one counts. */
    static final class OfMap extends ProtoField {
        private final ProtoType key;
        private final ProtoType value;
        private final ProtoMessage entry;

        /** {@code entry} reads a key as column 0 and a value as column 1. */
        OfMap(String name, int number, int column, ProtoMessage entry, ProtoType[] keyAndValue) {
            super(name, number, column, false);
            this.entry = entry;
            this.key = keyAndValue[0];
            this.value = keyAndValue[1];
        }

        @Override
        boolean takes(int wireType) {
            return wireType == RowWriter.LENGTH;
        }

        @Override
        boolean passes() {
            return false;
        }

        @Override
        boolean check(ProtoSpans spans, int field) {
            return false;
        }

        @Override
        void write(ProtoSpans spans, int field, RowWriter out) {
            var entries = new LinkedHashMap<ByteString, byte[]>();
            for (int span = spans.first(field); span != ProtoSpans.NONE; span = spans.next(span)) {
                entry.scan(spans.bytes(), spans.from(span), spans.to(span));
                var keyBytes = entry.lastValue(0, key);
                entries.put(ByteString.copyFrom(keyBytes), entry.lastValue(1, value));
            }
            out.tag(column + 1, RowWriter.LENGTH);
            int begin = out.beginLength();
            entries.forEach((k, v) -> writeEntry(k.toByteArray(), v, out));
            out.endLength(begin);
        }

        private void writeEntry(byte[] keyBytes, byte[] valueBytes, RowWriter out) {
            out.count(key.cells() + value.cells());
            out.tag(JsonNested.ELEMENT, key.wireType());
            key.write(keyBytes, 0, keyBytes.length, out);
            out.tag(JsonNested.VALUE, value.wireType());
            value.write(valueBytes, 0, valueBytes.length, out);
        }
    }
}
