package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The quick way of columns without parts into vectors never says anything else than the other. */
final class RowDecoderTest {
    /** A column of each type without parts. */
    private static final TableSchema FLAT =
            new TableSchema(
                    Stream.concat(
                                    Arrays.stream(Primitive.values()),
                                    Stream.of(DataType.parse("DECIMAL(38,3)")))
                            .map(type -> Column.nullable("c_" + type, type))
                            .toList());

    private static final int DAMAGES = 20;

    private interface Decoding {
        List<@Nullable Object[]> decode(BufferAllocator allocator);
    }

    /** Nothing is left of it, whatever happens. */
    private static List<@Nullable Object[]> decoded(Decoding decoding) {
        try (var allocator = new RootAllocator()) {
            return decoding.decode(allocator);
        }
    }

    private static List<@Nullable Object[]> quickly(TableSchema schema, byte[] payload, int rows) {
        return decoded(
                allocator -> {
                    var decoder = new RowDecoder(schema);
                    try (var all = decoder.decode(List.of(payload), rows, allocator)) {
                        assertTextsStandBehindOneAnother(all);
                        return VectorValues.rows(all);
                    }
                });
    }

    /** Nulls, too, begin and end somewhere. */
    private static void assertTextsStandBehindOneAnother(Rows rows) {
        for (var vector : rows.root().getFieldVectors()) {
            if (vector instanceof BaseVariableWidthVector texts) {
                assertThat(texts.getLastSet()).isEqualTo(rows.count() - 1);
                int end = 0;
                for (int row = 0; row < rows.count(); row++) {
                    assertThat(texts.getStartOffset(row)).isEqualTo(end);
                    assertThat(texts.getEndOffset(row)).isGreaterThanOrEqualTo(end);
                    end = texts.getEndOffset(row);
                }
                assertThat(texts.getDataBuffer().writerIndex()).isEqualTo(end);
            }
        }
    }

    /** By the fillers of parts, which check all that they write. */
    private static List<@Nullable Object[]> safely(TableSchema schema, byte[] payload, int rows) {
        return decoded(
                allocator -> {
                    var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
                    try (var all = new Rows(schema, root)) {
                        fill(all, payload);
                        root.setRowCount(rows);
                        return VectorValues.rows(all);
                    }
                });
    }

    private static void fill(Rows rows, byte[] payload) {
        rows.root().allocateNew();
        var in = new WireReader().on(payload, 0, payload.length);
        for (int row = 0; in.hasMore(); row++) {
            int end = in.beginNested();
            while (in.hasMore()) {
                int column = (in.tag() >>> 3) - 1;
                VectorFiller.of(rows.schema().column(column).type(), rows.root().getVector(column))
                        .read(in, row);
            }
            in.endNested(end);
        }
    }

    /** Rows as JSON's encoder writes them, each by itself. */
    private static List<byte[]> encoded(TableSchema schema, List<@Nullable Object[]> rows) {
        var texts = new RowTexts(1);
        var encoder = new JsonEncoder(schema);
        var encoded = new ArrayList<byte[]>();
        for (var row : rows) {
            var json = texts.json(schema.columns(), row).getBytes(StandardCharsets.UTF_8);
            var out = new RowWriter(1 << 24);
            encoder.encode(json, 0, json.length, out);
            encoded.add(out.toByteArray());
        }
        return encoded;
    }

    private static byte[] payload(List<byte[]> rows) {
        var out = new RowWriter(1 << 28);
        for (var row : rows) {
            int begin = out.beginLength();
            out.bytes(row, 0, row.length);
            out.endLength(begin);
        }
        return out.toByteArray();
    }

    private static void assertBothWays(TableSchema schema, byte[] payload, int rows) {
        VectorValues.assertSame(safely(schema, payload, rows), quickly(schema, payload, rows));
    }

    @Test
    void rowsOfAllTypesComeOutAsTheyWentIn() {
        Seeds.check(50, this::rowsOfAllTypesComeOutAsTheyWentIn);
    }

    private void rowsOfAllTypesComeOutAsTheyWentIn(long seed) {
        var rows = new RandomRows(seed, false).rows(FLAT, 100);
        var payload = payload(encoded(FLAT, rows));
        VectorValues.assertSame(rows, quickly(FLAT, payload, rows.size()));
        assertBothWays(FLAT, payload, rows.size());
    }

    /** Bytes and fields that no encoder writes, among them two values of a column in one row. */
    @Test
    void damagedRowsDoTheSameHarmEitherWay() {
        Seeds.check(100, this::damagedRowsDoTheSameHarmEitherWay);
    }

    private void damagedRowsDoTheSameHarmEitherWay(long seed) {
        var dice = new Random(seed);
        var rows = encoded(FLAT, new RandomRows(seed, false).rows(FLAT, 5));
        for (int i = 0; i < DAMAGES; i++) {
            var some = new ArrayList<>(rows);
            some.set(dice.nextInt(5), joined(rows.get(dice.nextInt(5)), rows.get(dice.nextInt(5))));
            var damaged = payload(some);
            for (int damages = dice.nextInt(4); damages > 0; damages--) {
                damaged[dice.nextInt(damaged.length)] = (byte) dice.nextInt();
            }
            var bytes = Arrays.copyOf(damaged, damaged.length - dice.nextInt(2) * dice.nextInt(20));
            assertThat(outcome(() -> quickly(FLAT, bytes, RowDecoder.count(bytes))))
                    .isEqualTo(outcome(() -> safely(FLAT, bytes, RowDecoder.count(bytes))));
        }
    }

    private static byte[] joined(byte[] first, byte[] second) {
        var joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    private interface Outcome {
        List<@Nullable Object[]> rows();
    }

    private static String outcome(Outcome outcome) {
        try {
            return Arrays.deepToString(outcome.rows().toArray());
        } catch (RefusedRow e) {
            return e.problem();
        } catch (IndexOutOfBoundsException e) {
            return "no such column";
        }
    }

    @Test
    void theLastOfTwoValuesOfAColumnStays() {
        for (int column = 0; column < FLAT.size(); column++) {
            var rows = new RandomRows(column, false).rows(FLAT, 40);
            for (int other = 0; other < FLAT.size(); other++) {
                if (other != column) {
                    int cleared = other;
                    rows.forEach(row -> row[cleared] = null);
                }
            }
            var encoded = encoded(FLAT, rows);
            var twice = new ArrayList<byte[]>();
            for (int i = 0; i < rows.size(); i += 2) {
                twice.add(joined(encoded.get(i), encoded.get(i + 1)));
            }
            var last = new ArrayList<@Nullable Object[]>();
            for (int i = 0; i < rows.size(); i += 2) {
                last.add(rows.get(rows.get(i + 1)[column] == null ? i : i + 1));
            }
            VectorValues.assertSame(last, quickly(FLAT, payload(twice), twice.size()));
        }
    }

    private static final TableSchema TEXTS =
            TableSchema.of(
                    Column.nullable("s", Primitive.STRING),
                    Column.nullable("n", Primitive.LONG),
                    Column.nullable("b", Primitive.BINARY),
                    Column.nullable("t", Primitive.BOOLEAN));

    /** {@code present} has a character for each row: a dot is all nulls, 0 an empty text. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "0",
                "x",
                ".x",
                "x.",
                "..x",
                "x..",
                ".....",
                "x...x",
                "0.0",
                ".0.",
                "xx.xx",
                "xxxxxxxx.",
                ".......x",
                "........x",
                "x.......x",
                "0x0x.0x0x"
            })
    void nullsStandWhereTheyDo(String present) {
        var rows = new ArrayList<@Nullable Object[]>();
        for (int i = 0; i < present.length(); i++) {
            var text = present.charAt(i) == '0' ? "" : "text " + i;
            rows.add(
                    present.charAt(i) == '.'
                            ? new @Nullable Object[4]
                            : new @Nullable Object[] {
                                text, (long) -i, text.getBytes(StandardCharsets.UTF_8), i % 2 == 0
                            });
        }
        var encoded = encoded(TEXTS, rows);
        VectorValues.assertSame(rows, quickly(TEXTS, payload(encoded), rows.size()));
        // And with other rows around them, and empty ones behind.
        var more = new ArrayList<>(encoded);
        more.addAll(encoded.reversed());
        more.addAll(encoded);
        assertBothWays(TEXTS, payload(more), more.size());
        more.addAll(Collections.nCopies(20, new byte[0]));
        assertBothWays(TEXTS, payload(more), more.size());
    }

    /** Who offers a frame says how many rows it holds. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4})
    void rowsAreAsManyAsWereSaid(int said) {
        var rows = List.<@Nullable Object[]>of(new @Nullable Object[4], new @Nullable Object[4]);
        var payload = payload(encoded(TEXTS, rows));
        assertThatThrownBy(() -> quickly(TEXTS, payload, said))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rows");
    }

    @Test
    void textsGrowOverManyRows() {
        int count = 70_000;
        var rows = new ArrayList<@Nullable Object[]>();
        for (int i = 0; i < count; i++) {
            var bytes = "%d ".formatted(i).repeat(i / 3_000).getBytes(StandardCharsets.UTF_8);
            rows.add(
                    new @Nullable Object[] {
                        i % 7 == 0 ? null : "" + i,
                        i % 5 == 0 ? null : (long) i << i % 60,
                        i % 11 == 0 ? null : bytes,
                        i % 3 == 0 ? null : i % 2 == 0
                    });
        }
        var payload = payload(encoded(TEXTS, rows));
        assertThat(RowDecoder.count(payload)).isEqualTo(count);
        var values = quickly(TEXTS, payload, count);
        for (int i = 0; i < count; i++) {
            assertThat(values.get(i)).as("row %d", i).isEqualTo(rows.get(i));
        }
    }

    /** Memory is limited: a column does not take what another one needs. */
    @Test
    void textsTakeMemoryByTheirOwnBytes() {
        var schema =
                TableSchema.of(
                        Column.nullable("short", Primitive.STRING),
                        Column.nullable("long", Primitive.STRING),
                        Column.nullable("first", Primitive.STRING));
        int count = 10_000;
        var rows = new ArrayList<@Nullable Object[]>();
        for (int i = 0; i < count; i++) {
            var first = i == 0 ? "f".repeat(1 << 20) : "";
            rows.add(new @Nullable Object[] {"123", "l".repeat(200), first});
        }
        var payload = payload(encoded(schema, rows));
        try (var allocator = new RootAllocator();
                var all = new RowDecoder(schema).decode(List.of(payload), count, allocator)) {
            var capacities =
                    all.root().getFieldVectors().stream()
                            .map(vector -> vector.getDataBuffer().capacity())
                            .toList();
            assertThat(capacities.get(0)).isLessThanOrEqualTo(1 << 17);
            assertThat(capacities.get(1)).isLessThanOrEqualTo(1 << 22);
            // What is to come is taken for as long, but never for more than there is.
            assertThat(capacities.get(2)).isLessThanOrEqualTo(1 << 22);
        }
        VectorValues.assertSame(rows, quickly(schema, payload, count));
    }

    @Test
    void aDoubleMayHaveComeAsAFloat() {
        var schema = TableSchema.of(Column.nullable("d", Primitive.DOUBLE));
        var out = new RowWriter(1 << 10);
        for (var value : new float[] {0.1f, -0.0f, Float.NaN, Float.MIN_VALUE}) {
            out.tag(1, RowWriter.FIXED32);
            out.fixed32(Float.floatToRawIntBits(value));
            var decoded = quickly(schema, payload(List.of(out.toByteArray())), 1);
            assertThat(decoded.getFirst()).containsExactly((double) value);
            out.clear();
        }
    }

    @Test
    void moreRowsThanWereCountedAreNotWritten() {
        var row =
                encoded(
                        TEXTS,
                        Collections.singletonList(
                                new @Nullable Object[] {"s", 1L, new byte[1], true}));
        var payload = payload(Collections.nCopies(9, row.getFirst()));
        assertThat(quickly(TEXTS, payload, 9)).hasSize(9);
        assertThatThrownBy(() -> quickly(TEXTS, payload, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more rows than were counted");
    }
}
