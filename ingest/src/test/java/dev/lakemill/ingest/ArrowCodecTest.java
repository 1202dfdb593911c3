package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.TimeStampMicroVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.UnionMode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Arrow's batches of random tables into payloads and back; what does not fit is refused. */
final class ArrowCodecTest {
    private static final TableName TABLE = TableName.parse("farm.bronze.random");
    private static final int ROWS = 13;
    private static final List<ArrowMessages.Packing> PACKINGS =
            List.of(ArrowMessages.Packing.values());

    static CatalogTable table(TableSchema schema) {
        return new CatalogTable(
                new UUID(0, 1),
                TABLE,
                TableKind.INGESTED,
                schema,
                "file:///none",
                "",
                Map.of(),
                Instant.EPOCH);
    }

    @Test
    void batchesComeOutAsTheyWereSentAmongRows() {
        Seeds.check(100, this::batchesComeOutAsTheyWereSentAmongRows);
    }

    private void batchesComeOutAsTheyWereSentAmongRows(long seed) {
        var random = new RandomRows(seed, false);
        var schema = random.schema();
        var rows = random.rows(schema, 3 * ROWS);
        var texts = new RowTexts(seed);
        var records = rows.stream().map(row -> texts.json(schema.columns(), row)).toList();
        var dice = new Random(seed);
        var packing = PACKINGS.get(dice.nextInt(3));
        try (BufferAllocator allocator = new RootAllocator()) {
            var payloads = new ArrayList<byte[]>();
            for (int i = 0; i < 3; i++) {
                var part = records.subList(i * ROWS, (i + 1) * ROWS);
                payloads.add(
                        dice.nextBoolean()
                                ? ArrowMessages.payload(schema, part)
                                : batch(schema, part, packing, dice, allocator));
            }
            assertThat(payloads.stream().mapToInt(RowDecoder::count).sum()).isEqualTo(3 * ROWS);
            try (var decoded = new RowDecoder(schema).decode(payloads, 3 * ROWS, allocator)) {
                VectorValues.assertSame(rows, VectorValues.rows(decoded));
            }
        }
    }

    /** The columns in any order. */
    private static byte[] batch(
            TableSchema schema,
            List<String> records,
            ArrowMessages.Packing packing,
            Random dice,
            BufferAllocator allocator) {
        try (var rows = ArrowMessages.rows(schema, records, allocator)) {
            var vectors = new ArrayList<>(rows.root().getFieldVectors());
            Collections.shuffle(vectors, dice);
            var shuffled = new VectorSchemaRoot(vectors);
            shuffled.setRowCount(rows.count());
            var message = ArrowMessages.batch(shuffled, packing, allocator);
            return new ArrowSchema(
                            table(schema),
                            RowPolicy.REFUSE,
                            ArrowMessages.schema(shuffled.getSchema()))
                    .payload(message.inbound(0))
                    .bytes();
        }
    }

    /** Damaged batches are refused or read as something; nothing else happens. */
    @Test
    void damagedBatchesDoNoHarm() {
        Seeds.check(30, this::damagedBatchesDoNoHarm);
    }

    private void damagedBatchesDoNoHarm(long seed) {
        var random = new RandomRows(seed, false);
        var schema = random.schema();
        var texts = new RowTexts(seed);
        var records =
                random.rows(schema, ROWS).stream()
                        .map(row -> texts.json(schema.columns(), row))
                        .toList();
        var dice = new Random(seed);
        try (BufferAllocator allocator = new RootAllocator();
                var rows = ArrowMessages.rows(schema, records, allocator)) {
            var packing = PACKINGS.get(dice.nextInt(3));
            var message = ArrowMessages.batch(rows.root(), packing, allocator);
            var reader =
                    new ArrowSchema(
                            table(schema),
                            RowPolicy.REFUSE,
                            ArrowMessages.schema(rows.root().getSchema()));
            for (int i = 0; i < 60; i++) {
                var header = message.header().clone();
                var body = message.body().clone();
                var target = body.length == 0 || dice.nextBoolean() ? header : body;
                target[dice.nextInt(target.length)] = (byte) dice.nextInt();
                var damaged = new ArrowMessages.Batch(header, body);
                try {
                    var payload = reader.payload(damaged.inbound(0));
                    new RowDecoder(schema)
                            .decode(List.of(payload.bytes()), payload.rows(), allocator)
                            .close();
                } catch (Refusal e) {
                    assertThat(e.message()).isNotBlank();
                }
            }
        }
    }

    /** Taken, it would stand in the log with a buffer of INTs, and nobody could decode it. */
    @Test
    void aColumnLongerThanItsBatchIsRefused() {
        var schema = TableSchema.of(Column.nullable("v", Primitive.SHORT));
        try (BufferAllocator allocator = new RootAllocator();
                var two =
                        ArrowMessages.rows(schema, List.of("{\"v\":1}", "{\"v\":2}"), allocator)) {
            var fields = two.root().getSchema().getFields();
            var one = new VectorSchemaRoot(fields, two.root().getFieldVectors(), 1);
            var message = ArrowMessages.batch(one, ArrowMessages.Packing.PLAIN, allocator);
            var reader =
                    new ArrowSchema(
                            table(schema), RowPolicy.REFUSE, ArrowMessages.schema(one.getSchema()));
            assertThatThrownBy(() -> reader.payload(message.inbound(0)))
                    .isInstanceOf(Refusal.class)
                    .hasMessageContainingAll("'v' has 2 values", "the batch has 1 rows");
        }
    }

    @Test
    void columnsThatTheTableGotLaterAreNull() {
        var before = TableSchema.of(Column.required("id", Primitive.LONG));
        var after =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("tags", DataType.parse("ARRAY<STRUCT<a:STRING>>")));
        try (BufferAllocator allocator = new RootAllocator()) {
            var payload =
                    batch(
                            before,
                            List.of("{\"id\":1}", "{\"id\":2}"),
                            ArrowMessages.Packing.PLAIN,
                            new Random(1),
                            allocator);
            try (var rows = new RowDecoder(after).decode(List.of(payload), 2, allocator)) {
                VectorValues.assertSame(
                        List.of(new Object[] {1L, null}, new Object[] {2L, null}),
                        VectorValues.rows(rows));
            }
        }
    }

    /** A map is a list of entries, so that a list can stand for what no honest library writes. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            textBlock =
                    """
                    STRING | "a" | "ab"
                    BIGINT | 1 | 256
                    BOOLEAN | true | false
                    DECIMAL(5,2) | 1.5 | 1.51
                    DOUBLE | 0.5 | 1.5
                    """)
    void aMapsKeysDiffer(String type, String one, String other) {
        assertThat(map(type, one, other).rows()).isEqualTo(4);
        assertThatThrownBy(() -> map(type, other, other))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("'m' holds a key twice, in entry 3 of the batch");
    }

    private static Payload map(String type, String one, String other) {
        var wanted =
                TableSchema.of(Column.nullable("m", DataType.parse("MAP<%s,INT>".formatted(type))));
        var list = "ARRAY<STRUCT<key:%s NOT NULL,value:INT>>".formatted(type);
        var sent = TableSchema.of(Column.nullable("m", DataType.parse(list)));
        var records =
                List.of(
                        "{\"m\":[{\"key\":%s}]}".formatted(one),
                        "{\"m\":[{\"key\":%s}]}".formatted(one),
                        "{}",
                        "{\"m\":[{\"key\":%s},{\"key\":%s,\"value\":7}]}".formatted(one, other));
        try (BufferAllocator allocator = new RootAllocator();
                var rows = ArrowMessages.rows(sent, records, allocator)) {
            var message = ArrowMessages.batch(rows.root(), ArrowMessages.Packing.PLAIN, allocator);
            return new ArrowSchema(
                            table(wanted),
                            RowPolicy.REFUSE,
                            ArrowMessages.schema(ArrowTypes.schema(wanted)))
                    .payload(message.inbound(0));
        }
    }

    @Test
    void aSchemaThatDoesNotFitIsRefusedByItsCause() {
        var schema =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("s", DataType.parse("STRUCT<a:INT,b:INT>")));
        var id = field("id", new ArrowType.Int(64, true));
        var a = field("a", new ArrowType.Int(32, true));
        var b = field("b", new ArrowType.Int(32, true));
        assertRefused(schema, "TYPE_INCOMPATIBLE", field("id", new ArrowType.Int(32, true)));
        assertRefused(schema, "TYPE_INCOMPATIBLE", field("id", new ArrowType.Int(64, false)));
        assertRefused(schema, "FIELD_NOT_IN_TABLE", id, field("x", ArrowType.Utf8.INSTANCE));
        assertRefused(schema, "FIELD_COUNT_MISMATCH", id, id);
        assertRefused(schema, "MISSING_REQUIRED_COLUMN", struct(a, b));
        assertRefused(schema, "FIELD_OUT_OF_ORDER", id, struct(b, a));
        assertRefused(schema, "FIELD_COUNT_MISMATCH", id, struct(a));
        var taken =
                new ArrowSchema(
                        table(schema),
                        RowPolicy.REFUSE,
                        ArrowMessages.schema(new Schema(List.of(id))));
        assertThat(taken).isNotNull();
    }

    /** Arrow's library would make room for as many types as the message claims. */
    @Test
    void aUnionOfTwoBillionTypesIsRefusedBeforeThereIsRoomForThem() {
        int id = 0x2A2B2C2D;
        var union = field("u", new ArrowType.Union(UnionMode.Dense, new int[] {id}));
        var message = ArrowMessages.schema(new Schema(List.of(union))).toByteArray();
        var bytes = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        while (bytes.getInt(at) != id) {
            at++;
        }
        bytes.putInt(at - Integer.BYTES, Integer.MAX_VALUE);
        assertThatThrownBy(() -> ArrowSchema.fields(ByteString.copyFrom(message)))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("a field is a union");
    }

    @Test
    void fieldsWithinFieldsHaveALimit() {
        var field = field("v", new ArrowType.Int(64, true));
        for (int i = 0; i < 64; i++) {
            field = struct(field);
        }
        var sent = ArrowMessages.schema(new Schema(List.of(field)));
        assertThatThrownBy(() -> ArrowSchema.fields(sent))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining("more than 64 within another");
    }

    private static Field field(String name, ArrowType type) {
        return Field.nullable(name, type);
    }

    private static Field struct(Field... fields) {
        return new Field("s", FieldType.nullable(ArrowType.Struct.INSTANCE), List.of(fields));
    }

    private static void assertRefused(TableSchema schema, String cause, Field... fields) {
        var sent = ArrowMessages.schema(new Schema(List.of(fields)));
        assertThatThrownBy(() -> new ArrowSchema(table(schema), RowPolicy.REFUSE, sent))
                .isInstanceOfSatisfying(
                        Refusal.class, e -> assertThat(e.causes()).isEqualTo(cause));
    }

    @Test
    void valuesThatDoNotFitAreRefusedByColumnAndRow() {
        var nulls = TableSchema.of(Column.required("v", Primitive.LONG));
        assertValueRefused(
                nulls,
                new ArrowType.Int(64, true),
                "'v' takes no NULL",
                v -> {
                    ((BigIntVector) v).setSafe(0, 7);
                    v.setNull(1);
                });
        var times = TableSchema.of(Column.nullable("v", Primitive.TIMESTAMP_NTZ));
        var micros = ArrowTypes.field(times.column(0)).getType();
        assertValueRefused(
                times,
                micros,
                "years 1 to 9999",
                v -> {
                    ((TimeStampMicroVector) v).setSafe(0, 7);
                    ((TimeStampMicroVector) v).setSafe(1, Long.MAX_VALUE);
                });
        var texts = TableSchema.of(Column.nullable("v", Primitive.STRING));
        assertValueRefused(
                texts,
                ArrowType.LargeUtf8.INSTANCE,
                "not UTF-8 in row 1",
                v -> {
                    ((LargeVarCharVector) v).setSafe(0, "ä".getBytes(StandardCharsets.UTF_8));
                    ((LargeVarCharVector) v).setSafe(1, new byte[] {(byte) 0xC3});
                });
        assertValueRefused(
                texts,
                ArrowType.Utf8.INSTANCE,
                "not UTF-8 in row 0",
                v -> {
                    // Whole only together: no value may end inside of a character.
                    ((VarCharVector) v).setSafe(0, new byte[] {(byte) 0xC3});
                    ((VarCharVector) v).setSafe(1, new byte[] {(byte) 0xA4});
                });
        var decimals = TableSchema.of(Column.nullable("v", new DataType.Decimal(3, 1)));
        assertValueRefused(
                decimals,
                new ArrowType.Decimal(3, 1, 128),
                "row 1",
                v -> {
                    ((DecimalVector) v).setSafe(0, -999);
                    ((DecimalVector) v).setSafe(1, -1000);
                });
    }

    private interface Filling {
        void fill(FieldVector vector);
    }

    private static void assertValueRefused(
            TableSchema schema, ArrowType type, String words, Filling filling) {
        var field = new Field("v", FieldType.nullable(type), null);
        try (BufferAllocator allocator = new RootAllocator();
                var root = VectorSchemaRoot.create(new Schema(List.of(field)), allocator)) {
            filling.fill(root.getVector(0));
            root.setRowCount(2);
            var reader =
                    new ArrowSchema(
                            table(schema),
                            RowPolicy.REFUSE,
                            ArrowMessages.schema(root.getSchema()));
            var message = ArrowMessages.batch(root, ArrowMessages.Packing.PLAIN, allocator);
            assertThatThrownBy(() -> reader.payload(message.inbound(4)))
                    .isInstanceOf(Refusal.class)
                    .hasMessageContainingAll("batch with offset 4", "row", words);
        }
    }
}
