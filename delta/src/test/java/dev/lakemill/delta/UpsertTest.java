package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaTable.Commit;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows that are replaced by their keys. */
final class UpsertTest {
    private static final TableSchema KEY = TableSchema.of(Column.nullable("id", Primitive.LONG));
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
    void randomUpsertsLeaveTheLastRowOfEachKeyInFewFiles() {
        var expected = new TreeMap<Long, String>();
        var random = new Random(7);
        try (var table = tables.create("t")) {
            for (int i = 1; i <= 40; i++) {
                var rows = new ArrayList<List<@Nullable Object>>();
                var keys = new ArrayList<List<@Nullable Object>>();
                for (long id = random.nextInt(50); id < 60; id += 1 + random.nextInt(9)) {
                    keys.add(List.of(id));
                    if (random.nextInt(3) > 0) {
                        rows.add(List.of(id, "v" + i));
                        expected.put(id, "v" + i);
                    } else {
                        expected.remove(id);
                    }
                }
                upsert(table, rows, keys, i);
            }
            var found = new TreeMap<Long, String>();
            for (var row : TableFolder.read(table.snapshot().read(List.of()))) {
                assertThat(found.put((Long) row.getFirst(), String.valueOf(row.getLast())))
                        .isNull();
            }
            assertThat(found).isEqualTo(expected);
            assertThat(table.snapshot().fileCount()).isLessThan(10);
            try (var keys =
                    RowsBuilder.rows(
                            KEY, tables.allocator, List.of(List.of(expected.firstKey())))) {
                var rows = table.find(keys);
                assertThat(rows).hasSize(1);
                assertThat(RowsBuilder.values(rows.getFirst()))
                        .containsExactly(
                                List.of(expected.firstKey(), expected.firstEntry().getValue()));
            }
        }
    }

    @Test
    void aRepeatedUpsertWritesNothingAndAKeyIsNeverNull() {
        try (var table = tables.create("t")) {
            upsert(table, List.of(List.of(1L, "a")), List.of(List.of(1L)), 5);
            var again = upsert(table, List.of(List.of(1L, "b")), List.of(List.of(1L)), 5);
            assertThat(again).isInstanceOf(Commit.Repeated.class);
            var nothing = new ArrayList<@Nullable Object>();
            nothing.add(null);
            assertThatThrownBy(() -> upsert(table, List.of(), List.of(nothing), 6))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("'id' is NULL");
            assertThat(TableFolder.read(table.snapshot().read(List.of())))
                    .containsExactly(List.of(1L, "a"));
        }
    }

    private Commit upsert(
            DeltaTable table,
            List<List<@Nullable Object>> rows,
            List<List<@Nullable Object>> keys,
            long version) {
        try (var newRows = RowsBuilder.rows(TableFolder.SCHEMA, tables.allocator, rows);
                var gone = RowsBuilder.rows(KEY, tables.allocator, keys)) {
            return table.upsert(newRows, gone, new Txn(TableFolder.APPLICATION, version));
        }
    }
}
