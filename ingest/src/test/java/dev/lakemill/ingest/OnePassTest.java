package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The quick ways through the encoders never say anything else than the whole ones. */
final class OnePassTest {
    private static final int DAMAGES = 20;

    /** What became of a record: its bytes, or why it is refused. */
    private interface Encoding {
        void encode(byte[] record, int from, int to, RowWriter out);
    }

    private static String outcome(Encoding encoder, byte[] record) {
        var out = new RowWriter(1 << 20);
        try {
            encoder.encode(record, 0, record.length, out);
            return Arrays.toString(out.toByteArray());
        } catch (RefusedRow e) {
            return e.problem();
        }
    }

    private static void assertSame(TableSchema schema, byte[] record) {
        var encoder = new JsonEncoder(schema);
        assertThat(outcome(encoder::encode, record))
                .as(new String(record, StandardCharsets.UTF_8))
                .isEqualTo(outcome(encoder::parse, record));
    }

    private static TableSchema simple(TableSchema schema) {
        return new TableSchema(
                schema.columns().stream()
                        .filter(c -> c.type() instanceof Primitive p && p != Primitive.BINARY)
                        .toList());
    }

    private static byte[] damaged(byte[] record, Random dice) {
        var damaged = record.clone();
        damaged[dice.nextInt(damaged.length)] =
                dice.nextBoolean()
                        ? (byte) "\"\\{}[]:,-+.eE0159 ntf\n\u0001".charAt(dice.nextInt(22))
                        : (byte) dice.nextInt();
        return dice.nextInt(8) == 0
                ? Arrays.copyOf(damaged, 1 + dice.nextInt(damaged.length))
                : damaged;
    }

    @Test
    void jsonIsReadAsTheWholeParserReadsIt() {
        Seeds.check(400, this::jsonIsReadAsTheWholeParserReadsIt);
    }

    private void jsonIsReadAsTheWholeParserReadsIt(long seed) {
        var random = new RandomRows(seed, false);
        var schema = simple(random.schema());
        if (schema.size() == 0) {
            return;
        }
        var texts = new RowTexts(seed);
        var dice = new Random(seed);
        for (var row : random.rows(schema, 3)) {
            var record = texts.json(schema.columns(), row).getBytes(StandardCharsets.UTF_8);
            assertSame(schema, record);
            for (int i = 0; i < DAMAGES; i++) {
                assertSame(schema, damaged(record, dice));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-0",
                "-0.0",
                "0.0",
                "-0e1",
                "00",
                "01",
                "-",
                "-a",
                "1.",
                ".5",
                "1.e5",
                "1e",
                "1e+",
                "1E+2",
                "1e-2",
                "1e0005",
                "1e00005",
                "1e400",
                "-1e400",
                "1e-400",
                "1e22",
                "1e23",
                "9007199254740993",
                "9007199254740993.0",
                "16777217",
                "16777217.0",
                "123456789012345678",
                "1234567890123456789",
                "9223372036854775808",
                "0.1",
                "45.300000000000004",
                "3.4028236e38",
                "3.4028235e38",
                "1.17549435e-38",
                "4.9e-324",
                "0.000000000000000000000000000000001",
                "true",
                "null",
                "\"NaN\"",
                "\"1\"",
                "1 2",
                "1,",
                "\"\\u0041\"",
                "\"\"",
                "\"a\u0001\"",
                "\"é水🌱\"",
                "\"1970-01-01\"",
                "[]",
                "{}",
                "nul",
                "tru",
                "\"1970-01-01T00:00:00.5Z\""
            })
    void aValueIsReadAlikeAsEveryType(String value) {
        for (var type : Primitive.values()) {
            for (var nullable : List.of(true, false)) {
                var schema = TableSchema.of(new Column("c", type, nullable, ""));
                var record = ("{ \"c\" :\t" + value + " }\n").getBytes(StandardCharsets.UTF_8);
                assertSame(schema, record);
            }
        }
    }

    @Test
    void decimalsAreReadToTheLastBit() {
        var schema =
                TableSchema.of(
                        Column.nullable("d", Primitive.DOUBLE),
                        Column.nullable("f", Primitive.FLOAT));
        var dice = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            var text =
                    switch (dice.nextInt(4)) {
                        case 0 -> Double.toString(Double.longBitsToDouble(dice.nextLong()));
                        case 1 -> Float.toString(Float.intBitsToFloat(dice.nextInt()));
                        case 2 -> dice.nextInt(100_000) + "." + dice.nextInt(10_000);
                        default -> dice.nextLong() + "e" + (dice.nextInt(60) - 30);
                    };
            var record = "{\"d\":%s,\"f\":%s}".formatted(text, text);
            assertSame(schema, record.getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void keysComeInAnyOrderAndTellTheirFaults() {
        var schema =
                TableSchema.of(
                        Column.required("a", Primitive.INTEGER),
                        Column.nullable("b", Primitive.STRING),
                        Column.nullable("ab", Primitive.BOOLEAN));
        for (var record :
                List.of(
                        "{\"a\":1,\"b\":\"x\",\"ab\":true}",
                        "{\"ab\":true,\"b\":\"x\",\"a\":1}",
                        "{\"b\":null,\"a\":1}",
                        "{\"b\":null,\"a\":1,\"b\":\"x\"}",
                        "{\"a\":1,\"a\":1}",
                        "{\"a\":null}",
                        "{\"A\":1}",
                        "{\"b\":\"x\"}",
                        "{}",
                        "{\"a\":1,}",
                        "{\"a\":1,\"c\":2}",
                        "{\"a\":1}{",
                        "")) {
            assertSame(schema, record.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** After some records that are not for it, a stream no longer tries each; it comes back. */
    @Test
    void aStreamOfOtherRecordsIsReadAllTheSame() {
        var schema = TableSchema.of(Column.nullable("c", Primitive.STRING));
        var encoder = new JsonEncoder(schema);
        var records = new ArrayList<String>();
        for (int i = 0; i < 300; i++) {
            records.add(i < 100 ? "{\"C\":\"%d\"}".formatted(i) : "{\"c\":\"%d\"}".formatted(i));
        }
        for (var record : records) {
            var bytes = record.getBytes(StandardCharsets.UTF_8);
            assertThat(outcome(encoder::encode, bytes)).isEqualTo(outcome(encoder::parse, bytes));
        }
    }

    @Test
    void aMessageThatPassesAtOncePassesTheWholeCheck() {
        Seeds.check(400, this::aMessageThatPassesAtOncePassesTheWholeCheck);
    }

    private void aMessageThatPassesAtOncePassesTheWholeCheck(long seed) {
        var random = new RandomRows(seed, true);
        var columns = withoutParts(random.schema());
        if (columns.isEmpty()) {
            return;
        }
        var schema = new TableSchema(columns);
        var texts = new RowTexts(seed);
        var type = type(inOrder(columns));
        var reader = ProtoSchema.reader("t", columns, type.toProto().toByteArray());
        var dice = new Random(seed);
        for (var row : random.rows(schema, 3)) {
            var message = texts.message(type, columns, row).toByteArray();
            for (int i = 0; i < DAMAGES && message.length > 0; i++) {
                var bytes = i == 0 ? message : damaged(message, dice);
                if (reader.passesAtOnce(bytes, 0, bytes.length)) {
                    assertThat(reader.check(bytes, 0, bytes.length)).isTrue();
                }
            }
        }
    }

    private static List<Column> withoutParts(TableSchema schema) {
        return schema.columns().stream().filter(c -> c.type() instanceof Primitive).toList();
    }

    @Test
    void everydayMessagesPassAtOnce() {
        var columns =
                List.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("name", Primitive.STRING),
                        Column.nullable("at", Primitive.TIMESTAMP));
        var reader = ProtoSchema.reader("t", columns, inOrder(columns).toByteArray());
        var message = new byte[] {8, 5, 18, 2, 'o', 'k', 24, 7};
        assertThat(reader.passesAtOnce(message, 0, message.length)).isTrue();
        assertThat(reader.passesAtOnce(message, 2, message.length)).isFalse();
        assertThat(reader.passesAtOnce(message, 0, message.length - 1)).isFalse();
    }

    /** A descriptor as the table's columns are, so that messages may pass. */
    private static DescriptorProto inOrder(List<Column> columns) {
        var type = DescriptorProto.newBuilder().setName("Row");
        var random = new RowTexts(1).descriptor(columns).toProto();
        for (int i = 0; i < columns.size(); i++) {
            var name = columns.get(i).name();
            type.addField(
                    random.getFieldList().stream()
                            .filter(f -> f.getName().equals(name))
                            .findFirst()
                            .orElseThrow()
                            .toBuilder()
                            .setNumber(i + 1));
        }
        return type.build();
    }

    private static Descriptor type(DescriptorProto proto) {
        var file = FileDescriptorProto.newBuilder().setName("row").addMessageType(proto).build();
        try {
            return FileDescriptor.buildFrom(file, new FileDescriptor[0])
                    .getMessageTypes()
                    .getFirst();
        } catch (DescriptorValidationException e) {
            throw new IllegalStateException(e);
        }
    }
}
