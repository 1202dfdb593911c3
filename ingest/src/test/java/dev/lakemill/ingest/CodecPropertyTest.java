package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Random tables and rows, through both encoders and the decoder. A seed reproduces a failure. */
final class CodecPropertyTest {
    private static final TableName TABLE = TableName.parse("farm.bronze.random");
    private static final int ROWS = 17;

    @Test
    void jsonRowsComeOutAsTheyWereSent() {
        Seeds.check(400, this::jsonRowsComeOutAsTheyWereSent);
    }

    private void jsonRowsComeOutAsTheyWereSent(long seed) {
        var random = new RandomRows(seed, false);
        var schema = random.schema();
        var rows = random.rows(schema, ROWS);
        var texts = new RowTexts(seed);
        var records = new ArrayList<byte[]>();
        for (var row : rows) {
            records.add(texts.json(schema.columns(), row).getBytes(StandardCharsets.UTF_8));
        }
        VectorValues.assertSame(rows, decoded(schema, new JsonEncoder(schema), records));
    }

    @Test
    void protoRowsComeOutAsTheyWereSent() {
        Seeds.check(400, this::protoRowsComeOutAsTheyWereSent);
    }

    private void protoRowsComeOutAsTheyWereSent(long seed) {
        var random = new RandomRows(seed, true);
        var schema = random.schema();
        var rows = random.rows(schema, ROWS);
        var texts = new RowTexts(seed);
        var type = texts.descriptor(schema.columns());
        var records = new ArrayList<byte[]>();
        for (var row : rows) {
            records.add(texts.message(type, schema.columns(), row).toByteArray());
        }
        var descriptor = type.toProto().toByteArray();
        VectorValues.assertSame(
                rows, decoded(schema, new ProtoEncoder(TABLE, schema, descriptor), records));
    }

    /** Whatever order, split and merging the wire format allows, the row is the same. */
    @Test
    void aMessageSentAsTwoHalvesIsTheirMerger() {
        Seeds.check(200, this::aMessageSentAsTwoHalvesIsTheirMerger);
    }

    private void aMessageSentAsTwoHalvesIsTheirMerger(long seed) {
        var random = new RandomRows(seed, true);
        var schema = random.schema();
        var rows = random.rows(schema, 2);
        var texts = new RowTexts(seed);
        var type = texts.descriptor(schema.columns());
        var first = texts.message(type, schema.columns(), rows.get(0));
        var second = texts.message(type, schema.columns(), rows.get(1));
        var merged = first.toBuilder().mergeFrom(second).build();
        var encoder = new ProtoEncoder(TABLE, schema, type.toProto().toByteArray());
        var behindOneAnother = first.toByteString().concat(second.toByteString()).toByteArray();
        VectorValues.assertSame(
                decoded(schema, encoder, List.of(merged.toByteArray())),
                decoded(schema, encoder, List.of(behindOneAnother)));
    }

    /** Damaged messages are refused or read as something; nothing else happens. */
    @Test
    void damagedMessagesDoNoHarm() {
        Seeds.check(400, this::damagedMessagesDoNoHarm);
    }

    private void damagedMessagesDoNoHarm(long seed) {
        var random = new RandomRows(seed, true);
        var schema = random.schema();
        var texts = new RowTexts(seed);
        var type = texts.descriptor(schema.columns());
        var row = random.rows(schema, 1).getFirst();
        var bytes = texts.message(type, schema.columns(), row).toByteArray();
        var encoder = new ProtoEncoder(TABLE, schema, type.toProto().toByteArray());
        var dice = new java.util.Random(seed);
        for (int i = 0; i < 50 && bytes.length > 0; i++) {
            var damaged = java.util.Arrays.copyOf(bytes, 1 + dice.nextInt(bytes.length));
            damaged[dice.nextInt(damaged.length)] = (byte) dice.nextInt();
            try {
                decoded(schema, encoder, List.of(damaged));
            } catch (RefusedRow e) {
                assertThat(e.problem()).isNotBlank();
            }
        }
    }

    private static List<@Nullable Object[]> decoded(
            TableSchema schema, RowEncoder encoder, List<byte[]> records) {
        var out = new RowWriter(1 << 24);
        for (var record : records) {
            int begin = out.beginLength();
            encoder.encode(record, 0, record.length, out);
            out.endLength(begin);
        }
        var payload = out.toByteArray();
        assertThat(RowDecoder.count(payload)).isEqualTo(records.size());
        try (BufferAllocator allocator = new RootAllocator();
                var rows =
                        new RowDecoder(schema)
                                .decode(List.of(payload), records.size(), allocator)) {
            return VectorValues.rows(rows);
        }
    }
}
