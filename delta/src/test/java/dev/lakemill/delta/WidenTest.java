package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Columns that come into a table that has rows. */
final class WidenTest {
    private static final Column ID = Column.required("id", Primitive.LONG);
    private static final Column NAME = Column.nullable("name", Primitive.STRING);
    private static final Column MORE = Column.nullable("more", Primitive.DOUBLE);
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
    void rowsBeforeHaveNoValueAndCommitsGoOn() {
        var wide = TableSchema.of(ID, MORE, NAME);
        try (var table = tables.create("t")) {
            tables.append(table, 1, 2, 10);
            var before = table.snapshot();
            table.widen(wide);
            table.widen(wide);
            assertThat(table.snapshot().version()).isEqualTo(2);
            assertThat(table.schema()).isEqualTo(wide);
            append(table, wide, List.of(3L, 1.5, "c"), 11);
            assertThat(before.schema()).isEqualTo(TableFolder.SCHEMA);
        }
        try (var table = tables.open("t")) {
            append(table, wide, List.of(4L, 2.5, "d"), 12);
            table.checkpoint();
            assertThat(table.schema()).isEqualTo(wide);
            assertThat(table.transaction(TableFolder.APPLICATION)).hasValue(12);
            var rows = TableFolder.read(table.snapshot().read(List.of()));
            assertThat(rows).hasSize(4);
            assertThat(rows.getFirst().get(1)).isNull();
            assertThat(rows.getLast()).isEqualTo(List.of(4L, 2.5, "d"));
            assertThat(TableFolder.ids(table.snapshot(1))).isEqualTo(TableFolder.range(1, 2));
        }
    }

    @Test
    void anotherChangeIsRefused() {
        try (var table = tables.create("t")) {
            assertThatThrownBy(() -> table.widen(TableSchema.of(ID)))
                    .hasMessageContaining("name STRING");
            var other = Column.nullable("name", Primitive.LONG);
            assertThatThrownBy(() -> table.widen(TableSchema.of(ID, other)))
                    .hasMessageContaining("name STRING");
            var required = Column.required("more", Primitive.LONG);
            assertThatThrownBy(() -> table.widen(TableSchema.of(ID, NAME, required)))
                    .hasMessageContaining("more NOT NULL");
            var reserved = Column.nullable("_Position", Primitive.LONG);
            assertThatThrownBy(() -> table.widen(TableSchema.of(ID, NAME, reserved)))
                    .hasMessageContaining("keeps the name");
            assertThat(table.snapshot().version()).isZero();
        }
    }

    @Test
    void typesBecomeWiderAndRowsKeepTheirValues() {
        var narrow =
                TableSchema.of(
                        ID,
                        Column.nullable("whole", Primitive.INTEGER),
                        Column.nullable("real", Primitive.FLOAT));
        var wide =
                TableSchema.of(
                        ID,
                        Column.nullable("whole", Primitive.LONG),
                        Column.nullable("real", Primitive.DOUBLE));
        try (var table = tables.create("t", narrow)) {
            append(table, narrow, List.of(1L, 7, 0.5f), 10);
            table.widen(wide);
            table.widen(wide);
            assertThat(table.snapshot().version()).isEqualTo(2);
            append(table, wide, List.of(2L, 1L << 40, 1e300), 11);
        }
        try (var table = tables.open("t")) {
            assertThat(table.schema()).isEqualTo(wide);
            table.compact();
            table.checkpoint();
            assertThat(TableFolder.read(table.snapshot().read(List.of())))
                    .containsExactly(List.of(1L, 7L, 0.5), List.of(2L, 1L << 40, 1e300));
            assertThatThrownBy(() -> table.widen(narrow)).hasMessageContaining("whole BIGINT");
        }
    }

    private void append(DeltaTable table, TableSchema schema, List<?> row, long txn) {
        try (var rows = RowsBuilder.rows(schema, tables.allocator, List.of(row))) {
            table.append(List.of(rows), new long[] {txn}, new Txn(TableFolder.APPLICATION, txn));
        }
    }
}
