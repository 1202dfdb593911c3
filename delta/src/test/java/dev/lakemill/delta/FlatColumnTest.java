package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.function.IntFunction;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.api.Binary;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Parquet's own reader makes of columns that we encode. */
final class FlatColumnTest {
    private static final Comparator<String> AS_BYTES =
            (a, b) ->
                    Arrays.compareUnsigned(
                            a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));

    private final Random random = new Random(5);
    private TableFolder tables;

    @BeforeEach
    void setUp(@TempDir Path folder) {
        tables = new TableFolder(folder);
    }

    @AfterEach
    void nothingIsLeftAllocated() {
        tables.close();
    }

    @Test
    void numbersOfEveryDistribution() {
        longs("constant", 60_000, _ -> 7L);
        longs("few", 60_000, i -> (long) random.nextInt(9) - 4);
        longs("runs", 60_000, i -> i / 100L);
        longs("different", 60_000, i -> i * 31L);
        longs("moreAndMore", 160_000, i -> i < 21_000 ? i % 5L : i);
        longs("nulls", 60_000, _ -> null);
        longs("nullsFirst", 30_000, i -> i < 25_000 ? null : i % 7L);
        longs("nullsBetween", 30_000, i -> i % 3 == 1 ? null : Long.MIN_VALUE + i % 11);
        longs("nullsInRuns", 30_000, i -> i / 1_000 % 2 == 0 ? null : i % 11L);
    }

    private void longs(String name, int count, IntFunction<@Nullable Long> value) {
        var chunks = check(name, Primitive.LONG, count, value);
        var values = values(count, value);
        assertThat(chunks).hasSize(1);
        var statistics = chunks.getFirst().getStatistics();
        assertThat(statistics.getNumNulls()).isEqualTo(count - values.size());
        if (!values.isEmpty()) {
            assertThat((Object) statistics.genericGetMin())
                    .isEqualTo(values.stream().min(Long::compare).orElseThrow());
            assertThat((Object) statistics.genericGetMax())
                    .isEqualTo(values.stream().max(Long::compare).orElseThrow());
        }
    }

    @Test
    void otherNumbers() {
        check("int", Primitive.INTEGER, 50_000, i -> i % 5 == 0 ? null : -i);
        check("date", Primitive.DATE, 50_000, i -> i % 400 - 200);
        check("time", Primitive.TIMESTAMP, 50_000, i -> 1_795_000_000_000_000L + i);
        var doubles = new double[] {0.0, -0.0, Double.NaN, 1e300, Double.NEGATIVE_INFINITY, 0.1};
        check("double", Primitive.DOUBLE, 50_000, i -> doubles[i % 6]);
        check("double2", Primitive.DOUBLE, 50_000, _ -> random.nextGaussian());
        check("float", Primitive.FLOAT, 50_000, i -> i % 2 == 0 ? Float.NaN : i * 0.25f);
    }

    @Test
    void textsOfEveryDistribution() {
        texts("constant", 60_000, _ -> "a");
        texts("empty", 60_000, i -> i % 2 == 0 ? "" : null);
        texts("few", 60_000, _ -> "device " + random.nextInt(300));
        texts("different", 60_000, i -> "a text that nobody else has, number " + i);
        texts(
                "moreAndMore",
                60_000,
                i -> i < 21_000 ? "x" + i % 5 : "long enough " + "y".repeat(50) + i);
        texts("prefixes", 30_000, i -> "\u00e9\0".repeat(i % 20) + (i % 3 == 0 ? "" : "\uffff"));
        // Parquet writes no bounds of such a size.
        check(
                "large",
                Primitive.STRING,
                40,
                i -> i % 3 == 0 ? null : "z".repeat(i * 20_000) + i % 5);
        texts("nullsInRuns", 30_000, i -> i / 1_000 % 2 == 0 ? null : "n" + i % 11);
    }

    private void texts(String name, int count, IntFunction<@Nullable String> value) {
        var known = new ArrayList<@Nullable String>();
        for (int i = 0; i < count; i++) {
            known.add(value.apply(i));
        }
        var chunks = check(name, Primitive.STRING, count, known::get);
        var values = values(count, known::get);
        var min = values.stream().min(AS_BYTES).orElseThrow();
        var max = values.stream().max(AS_BYTES).orElseThrow();
        var statistics = chunks.getFirst().getStatistics();
        assertThat(((Binary) statistics.genericGetMin()).toStringUsingUTF8()).isEqualTo(min);
        assertThat(((Binary) statistics.genericGetMax()).toStringUsingUTF8()).isEqualTo(max);
    }

    @Test
    void whatRepeatsIsNumberedAndWhatDoesNotIsPlain() {
        assertThat(encodings("few", i -> "device " + i % 300)).contains(Encoding.RLE_DICTIONARY);
        assertThat(encodings("different", i -> "text " + i * 7_919))
                .doesNotContain(Encoding.RLE_DICTIONARY);
    }

    private Iterable<Encoding> encodings(String name, IntFunction<@Nullable String> value) {
        return check(name, Primitive.STRING, 30_000, value).getFirst().getEncodings();
    }

    @Test
    void aNullIsRefusedWhereTheColumnForbidsIt() {
        var schema = TableSchema.of(Column.required("v", Primitive.LONG));
        var rows = new ArrayList<List<?>>();
        rows.add(List.of(1L));
        rows.add(Arrays.asList((Object) null));
        try (var table = DeltaTable.create(tables.context("required"), schema);
                var batch = RowsBuilder.rows(schema, tables.allocator, rows)) {
            assertThatThrownBy(() -> table.append(List.of(batch), new long[0], txn(1)))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("column 'v' is NOT NULL");
        }
    }

    private static <T> List<T> values(int count, IntFunction<@Nullable T> value) {
        var values = new ArrayList<T>();
        for (int i = 0; i < count; i++) {
            var next = value.apply(i);
            if (next != null) {
                values.add(next);
            }
        }
        return values;
    }

    /** Writes a column in batches, reads it again, and gives its chunks. */
    private List<ColumnChunkMetaData> check(
            String name, Primitive type, int count, IntFunction<? extends @Nullable Object> value) {
        var schema = TableSchema.of(Column.nullable("v", type));
        var rows = new ArrayList<List<@Nullable Object>>();
        for (int i = 0; i < count; i++) {
            rows.add(Arrays.asList((Object) value.apply(i)));
        }
        try (var table = DeltaTable.create(tables.context(name + type), schema)) {
            var half = count / 2;
            try (var first = RowsBuilder.rows(schema, tables.allocator, rows.subList(0, half));
                    var second =
                            RowsBuilder.rows(schema, tables.allocator, rows.subList(half, count))) {
                table.append(List.of(first, second), new long[0], txn(1));
            }
            var snapshot = table.snapshot();
            var read = TableFolder.read(snapshot.read(List.of()));
            assertThat(read).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertThat(read.get(i)).as(name + " of row " + i).isEqualTo(rows.get(i));
            }
            return chunks(table, snapshot.files().getFirst());
        }
    }

    private static List<ColumnChunkMetaData> chunks(DeltaTable table, DataFile file) {
        var location = Objects.requireNonNull(table.location());
        try (var input = ParquetInput.open(file.in(location))) {
            return input.rowGroups().stream().flatMap(g -> g.getColumns().stream()).toList();
        }
    }

    private static Txn txn(long version) {
        return new Txn(TableFolder.APPLICATION, version);
    }
}
