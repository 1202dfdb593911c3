package dev.lakemill.delta;

import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;

/** Reads the values of a type without parts; {@link LeafDecoders} makes them. */
final class LeafDecoder<V extends ValueVector> extends ColumnDecoder {
    /** Puts the reader's current value into the vector. */
    @FunctionalInterface
    interface Value<V> {
        void read(V vector, int index);
    }

    private final ColumnReader reader;
    private final Class<V> vectorType;
    private final Value<V> value;
    private final int present;

    @SuppressWarnings("NullAway.Init") // bind comes before any read
    private V vector;

    LeafDecoder(ColumnDescriptor column, ColumnReader reader, Class<V> vectorType, Value<V> value) {
        this.reader = reader;
        this.vectorType = vectorType;
        this.value = value;
        this.present = column.getMaxDefinitionLevel();
    }

    @Override
    void bind(ValueVector next) {
        vector = vectorType.cast(next);
    }

    @Override
    void read(int index) {
        if (reader.getCurrentDefinitionLevel() == present) {
            value.read(vector, index);
        } else if (vector instanceof BaseFixedWidthVector fixed) {
            fixed.setNull(index);
        }
        reader.consume();
    }

    @Override
    void skip() {
        reader.consume();
    }

    @Override
    ColumnReader leaf() {
        return reader;
    }
}
