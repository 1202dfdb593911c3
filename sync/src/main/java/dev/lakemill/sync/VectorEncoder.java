package dev.lakemill.sync;

import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.complex.ListVector;
import org.jspecify.annotations.Nullable;

/**
 * Arrays of numbers as pgvector's types (vector_recv and halfvec_recv of pgvector's source): the
 * number of dimensions, two bytes of nothing, and the numbers, which are finite.
 */
record VectorEncoder(int dimensions, boolean isHalf) implements ValueEncoder {
    @Override
    public @Nullable SkipReason put(FieldVector vector, int row, ByteArray out) {
        var arrays = (ListVector) vector;
        var elements = arrays.getDataVector();
        var from = arrays.getElementStartIndex(row);
        if (arrays.getElementEndIndex(row) - from != dimensions) {
            return SkipReason.WRONG_VECTOR;
        }
        out.putShort(dimensions);
        out.putShort(0);
        for (var i = from; i < from + dimensions; i++) {
            if (elements.isNull(i) || !put(number(elements, i), out)) {
                return SkipReason.WRONG_VECTOR;
            }
        }
        return null;
    }

    private static float number(FieldVector elements, int index) {
        return elements instanceof Float4Vector floats
                ? floats.get(index)
                : (float) ((Float8Vector) elements).get(index);
    }

    private boolean put(float number, ByteArray out) {
        if (isHalf) {
            var half = Float.floatToFloat16(number);
            out.putShort(half);
            return Float.isFinite(Float.float16ToFloat(half));
        }
        out.putInt(Float.floatToIntBits(number));
        return Float.isFinite(number);
    }
}
