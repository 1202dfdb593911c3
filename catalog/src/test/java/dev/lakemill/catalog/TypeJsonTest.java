package dev.lakemill.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TypeJsonTest {
    @Test
    void everyTypeComesBackAsItWas() throws Exception {
        for (var primitive : Primitive.values()) {
            comesBack(primitive);
        }
        comesBack(new DataType.Decimal(38, 18));
        comesBack(new DataType.Array(Primitive.STRING, false));
        comesBack(new DataType.Map(Primitive.STRING, new DataType.Decimal(5, 0), false));
        comesBack(
                new DataType.Struct(
                        List.of(
                                new Column("a", Primitive.LONG, false, "grams"),
                                new Column(
                                        "b",
                                        new DataType.Array(
                                                new DataType.Struct(
                                                        List.of(
                                                                Column.nullable(
                                                                        "c", Primitive.DATE))),
                                                true),
                                        true,
                                        ""))));
    }

    @Test
    void textIsDeltasSchemaForm() {
        assertThat(TypeJson.write(new DataType.Array(Primitive.INTEGER, true)))
                .hasToString(
                        "{\"type\":\"array\",\"containsNull\":true,\"elementType\":\"integer\"}");
        assertThat(TypeJson.write(new DataType.Decimal(10, 2))).hasToString("\"decimal(10,2)\"");
    }

    private static void comesBack(DataType type) throws Exception {
        var text = TypeJson.write(type).toString();
        assertThat(TypeJson.read(new ObjectMapper().readTree(text))).isEqualTo(type);
    }
}
