package dev.lakemill.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The binary forms of pgvector's types, as its receive functions read them. */
final class VectorEncoderTest {
    @Test
    void numbersFollowTheNumberOfDimensions() {
        assertThat(encoded("FLOAT", false, 1.0f, -2.5f)).isEqualTo("00020000" + "3f800000c0200000");
        assertThat(encoded("DOUBLE", false, 1.0, -2.5)).isEqualTo("00020000" + "3f800000c0200000");
        assertThat(encoded("FLOAT", true, 1.0f, -2.5f)).isEqualTo("00020000" + "3c00c100");
    }

    @Test
    void whatIsNoVectorOfTheseDimensionsIsSetAside() {
        assertThat(encoded("FLOAT", false, 1.0f)).isEqualTo("WRONG_VECTOR");
        assertThat(encoded("FLOAT", false, 1.0f, 2.0f, 3.0f)).isEqualTo("WRONG_VECTOR");
        assertThat(encoded("FLOAT", false, 1.0f, null)).isEqualTo("WRONG_VECTOR");
        assertThat(encoded("FLOAT", false, 1.0f, Float.NaN)).isEqualTo("WRONG_VECTOR");
        assertThat(encoded("DOUBLE", false, 1.0, 1e300)).isEqualTo("WRONG_VECTOR");
        assertThat(encoded("FLOAT", true, 1.0f, 1e6f)).isEqualTo("WRONG_VECTOR");
    }

    /** The value in hexadecimal digits, or the reason why there is none; of two dimensions. */
    private static String encoded(String element, boolean isHalf, @Nullable Object... numbers) {
        var schema =
                TableSchema.of(
                        Column.nullable("v", DataType.parse("ARRAY<%s>".formatted(element))));
        try (var allocator = new RootAllocator();
                var rows =
                        TestRows.of(schema, List.of(List.of(Arrays.asList(numbers))), allocator)) {
            var out = new ByteArray();
            var reason = new VectorEncoder(2, isHalf).put(rows.vector(0), 0, out);
            return reason == null ? HexFormat.of().formatHex(out.copyFrom(0)) : reason.toString();
        }
    }
}
