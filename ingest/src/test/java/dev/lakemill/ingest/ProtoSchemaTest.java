package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a descriptor is held against its table, and messages against their descriptor. */
final class ProtoSchemaTest {
    private static final FieldDescriptorProto.Label OPTIONAL =
            FieldDescriptorProto.Label.LABEL_OPTIONAL;
    private static final FieldDescriptorProto.Label REQUIRED =
            FieldDescriptorProto.Label.LABEL_REQUIRED;
    private static final FieldDescriptorProto.Label REPEATED =
            FieldDescriptorProto.Label.LABEL_REPEATED;
    private static final List<Column> COLUMNS =
            List.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("trays", Primitive.SHORT));

    private static FieldDescriptorProto.Builder field(
            String name, int number, FieldDescriptorProto.Label label, String type) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setLabel(label)
                .setType(FieldDescriptorProto.Type.valueOf("TYPE_" + type));
    }

    private static DescriptorProto.Builder type(FieldDescriptorProto.Builder... fields) {
        var type = DescriptorProto.newBuilder().setName("Row");
        for (var field : fields) {
            type.addField(field);
        }
        return type;
    }

    private static ProtoMessage reader(List<Column> columns, DescriptorProto.Builder type) {
        return ProtoSchema.reader("farm.bronze.t", columns, type.build().toByteArray());
    }

    private static void assertRefused(
            List<Column> columns, DescriptorProto.Builder type, String message) {
        assertThatThrownBy(() -> reader(columns, type))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining(message)
                .hasMessageContaining("; hint: ");
    }

    @Test
    void nullableColumnsMayBeMissing() {
        assertThat(reader(COLUMNS, type(field("id", 1, REQUIRED, "INT64"))).passes()).isTrue();
    }

    @Test
    void aNotNullColumnMayNotBeMissing() {
        assertRefused(
                COLUMNS,
                type(field("name", 1, OPTIONAL, "STRING")),
                "column 'id' of farm.bronze.t is NOT NULL, but the descriptor does not have it");
    }

    @Test
    void aFieldWithoutColumnIsRefused() {
        assertRefused(
                COLUMNS,
                type(field("id", 1, REQUIRED, "INT64"), field("more", 2, OPTIONAL, "STRING")),
                "field 'more' is not a column of farm.bronze.t");
    }

    @Test
    void typesMustBeTheColumnsOwn() {
        assertRefused(
                COLUMNS,
                type(field("id", 1, REQUIRED, "INT32")),
                "column 'id' is BIGINT and is sent as int64, but the descriptor has int32");
    }

    @Test
    void optionalityMustBeTheColumnsOwn() {
        assertRefused(
                COLUMNS,
                type(field("id", 1, OPTIONAL, "INT64")),
                "column 'id' is BIGINT NOT NULL, but the descriptor's field is optional");
        assertRefused(
                COLUMNS,
                type(field("id", 1, REQUIRED, "INT64"), field("name", 2, REQUIRED, "STRING")),
                "column 'name' is STRING, but the descriptor's field is required");
        assertRefused(
                COLUMNS,
                type(field("id", 1, REPEATED, "INT64")),
                "the descriptor's field is repeated");
    }

    @Test
    void namesAndNumbersStandOnce() {
        assertRefused(
                COLUMNS,
                type(field("id", 1, REQUIRED, "INT64"), field("ID", 2, REQUIRED, "INT64")),
                "'ID' stands twice in the descriptor");
        assertRefused(
                COLUMNS,
                type(field("id", 1, REQUIRED, "INT64"), field("name", 1, OPTIONAL, "STRING")),
                "field 'name' has the number 1, which is not its own");
    }

    @Test
    void aMessageTypeMustBeNestedInTheDescriptor() {
        var columns =
                List.of(Column.nullable("place", DataType.parse("STRUCT<rack:INT,slot:INT>")));
        assertRefused(
                columns,
                type(field("place", 1, OPTIONAL, "MESSAGE").setTypeName(".farm.Place")),
                "uses the message \".farm.Place\", which is not nested in the descriptor");
        var nested =
                type(field("rack", 1, OPTIONAL, "INT32"), field("slot", 2, OPTIONAL, "INT32"))
                        .setName("Place");
        for (var name : List.of(".farm.Row.Place", "Row.Place", "Place", ".Row.Place")) {
            var row =
                    type(field("place", 1, OPTIONAL, "MESSAGE").setTypeName(name))
                            .addNestedType(nested);
            assertThat(reader(columns, row).passes()).as(name).isTrue();
        }
    }

    @Test
    void arraysOfArraysCannotBeSentAsProto() {
        assertRefused(
                List.of(Column.nullable("grid", DataType.parse("ARRAY<ARRAY<INT>>"))),
                type(field("grid", 1, REPEATED, "INT32")),
                "column 'grid' is ARRAY<INT>, which PROTO records cannot carry");
    }

    @Test
    void whatIsNoDescriptorIsRefused() {
        assertThatThrownBy(
                        () ->
                                ProtoSchema.reader(
                                        "farm.bronze.t", COLUMNS, new byte[] {0x0A, 99, 1}))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("is not a serialized DescriptorProto");
    }

    @Test
    void valuesOutOfRangeAreRefusedByColumn() {
        var reader =
                reader(
                        COLUMNS,
                        type(
                                field("id", 1, REQUIRED, "INT64"),
                                field("name", 2, OPTIONAL, "STRING"),
                                field("trays", 3, OPTIONAL, "INT32")));
        assertRowRefused(
                reader,
                "column 'trays' takes SMALLINT, found 32768",
                0x08,
                1,
                0x18,
                0x80,
                0x80,
                0x02);
        assertRowRefused(reader, "column 'id' is NOT NULL, but has no value", 0x18, 1);
        assertRowRefused(
                reader,
                "column 'name' takes STRING, found bytes that are not UTF-8",
                0x08,
                1,
                0x12,
                1,
                0xFF);
        assertRowRefused(reader, "the record holds field 9, which", 0x08, 1, 0x48, 1);
        assertRowRefused(reader, "column 'id' came with wire type 2", 0x0A, 0);
        assertRowRefused(reader, "the record ends in the middle of a field", 0x08);
        assertRowRefused(reader, "the record ends in the middle of a field", 0x12, 5, 'x');
        assertRowRefused(reader, "the record holds 0 where a field begins", 0x00);
    }

    private static void assertRowRefused(ProtoMessage reader, String problem, int... bytes) {
        var record = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            record[i] = (byte) bytes[i];
        }
        assertThatThrownBy(() -> reader.append(record, 0, record.length, new RowWriter(1_000)))
                .isInstanceOfSatisfying(
                        RefusedRow.class, e -> assertThat(e.problem()).startsWith(problem));
    }

    @Test
    void bytesOfTheLogsOwnFormPassUnchangedAndOthersAreWrittenAnew() {
        var same =
                reader(
                        COLUMNS,
                        type(
                                field("name", 2, OPTIONAL, "STRING"),
                                field("id", 1, REQUIRED, "INT64")));
        assertThat(same.passes()).isTrue();
        assertThat(appended(same, 0x12, 1, 'x', 0x08, 7)).containsExactly(0x12, 1, 'x', 0x08, 7);
        // The id comes twice: the last one counts.
        assertThat(appended(same, 0x08, 1, 0x08, 7)).containsExactly(0x08, 7);
        var renumbered =
                reader(
                        COLUMNS,
                        type(
                                field("name", 1, OPTIONAL, "STRING"),
                                field("id", 5, REQUIRED, "INT64")));
        assertThat(renumbered.passes()).isFalse();
        assertThat(appended(renumbered, 0x0A, 1, 'x', 0x28, 7))
                .containsExactly(0x12, 1, 'x', 0x08, 7);
    }

    private static byte[] appended(ProtoMessage reader, int... bytes) {
        var record = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            record[i] = (byte) bytes[i];
        }
        var out = new RowWriter(1_000);
        reader.append(record, 0, record.length, out);
        return out.toByteArray();
    }
}
