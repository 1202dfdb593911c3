package dev.lakemill.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/** JSON values with parts. Their form in the log is told in docs/internals/row-format.md. */
final class JsonNested {
    /** The field of an array's element and of a map's key. */
    static final int ELEMENT = 1;

    /** The field that counts nulls between an array's elements. */
    static final int NULLS = 2;

    /** The field of a map's value; after its key. */
    static final int VALUE = 2;

    private JsonNested() {}

    /** Values that no key of JSON can be. */
    abstract static class Parted extends JsonType {
        @Override
        void writeKey(String key, RowWriter out) {
            throw RefusedRow.value("has parts", "JSON cannot write such keys; send Arrow batches");
        }
    }

    static final class OfArray extends Parted {
        private final DataType.Array type;
        private final JsonType element;

        OfArray(DataType.Array type) {
            this.type = type;
            this.element = JsonType.of(type.element());
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                throw wrong(type, json, "write it in square brackets");
            }
            int begin = out.beginLength();
            for (int i = 0; json.nextToken() != JsonToken.END_ARRAY; i++) {
                try {
                    writeElement(json, out);
                } catch (RefusedRow e) {
                    throw e.inside("[" + i + "]");
                }
            }
            out.endLength(begin);
        }

        private void writeElement(JsonParser json, RowWriter out) throws IOException {
            out.count(element.cells());
            if (!isNull(json)) {
                out.tag(ELEMENT, element.wireType());
                element.write(json, out);
            } else if (type.containsNull()) {
                out.tag(NULLS, RowWriter.VARINT);
                out.varint(1);
            } else {
                throw RefusedRow.value("takes no null elements", "leave the element out");
            }
        }
    }

    static final class OfMap extends Parted {
        private final DataType.Map type;
        private final JsonType key;
        private final JsonType value;

        OfMap(DataType.Map type) {
            this.type = type;
            this.key = JsonType.of(type.key());
            this.value = JsonType.of(type.value());
        }

        @Override
        int wireType() {
            return RowWriter.LENGTH;
        }

        @Override
        void write(JsonParser json, RowWriter out) throws IOException {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw wrong(type, json, "write an object in braces");
            }
            var keys = new HashSet<String>();
            int begin = out.beginLength();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                var name = json.currentName();
                out.count(key.cells() + value.cells());
                out.tag(ELEMENT, key.wireType());
                writeKey(name, keys, out);
                json.nextToken();
                try {
                    writeValue(json, out);
                } catch (RefusedRow e) {
                    throw e.inside("[" + RefusedRow.shown(name) + "]");
                }
            }
            out.endLength(begin);
        }

        /** Keys are told apart by what they stand for: 1 and 01 are one BIGINT. */
        private void writeKey(String name, Set<String> keys, RowWriter out) throws IOException {
            int begin = out.size();
            try {
                key.writeKey(name, out);
            } catch (RefusedRow e) {
                var found = RefusedRow.shown(name);
                throw RefusedRow.value(
                        "takes %s keys, found %s".formatted(type.key().sql(), found), e.hint());
            }
            if (!keys.add(type.key() == Primitive.STRING ? name : out.since(begin))) {
                throw RefusedRow.value(
                        "holds the key %s twice".formatted(RefusedRow.shown(name)),
                        "send each key once");
            }
        }

        private void writeValue(JsonParser json, RowWriter out) throws IOException {
            if (!isNull(json)) {
                out.tag(VALUE, value.wireType());
                value.write(json, out);
            } else if (!type.valueContainsNull()) {
                throw RefusedRow.value("takes no null values", "leave the key out");
            }
        }
    }

    static final class OfStruct extends Parted {
        private final JsonColumns fields;
        private final int cells;

        OfStruct(DataType.Struct type) {
            this.fields = JsonColumns.ofStruct(type.fields());
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
        void write(JsonParser json, RowWriter out) throws IOException {
            int begin = out.beginLength();
            fields.write(json, out);
            out.endLength(begin);
        }
    }
}
