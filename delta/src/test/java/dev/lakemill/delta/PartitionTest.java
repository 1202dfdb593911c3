package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables in files of one value each of some columns. */
final class PartitionTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("kind", Primitive.STRING),
                    Column.nullable("day", Primitive.DATE),
                    Column.nullable("price", new DataType.Decimal(8, 2)),
                    Column.nullable("parts", new DataType.Array(Primitive.STRING, true)));

    private final Random random = new Random(7);
    private TableFolder tables;

    @BeforeEach
    void setUp(@TempDir Path folder) {
        tables = new TableFolder(folder);
        tables.config =
                new DeltaConfig(
                                1L << 20,
                                5,
                                tables.config.logRetention(),
                                tables.config.fileRetention())
                        .with(new TableLayout(List.of("kind", "day", "price"), List.of()));
    }

    @AfterEach
    void nothingIsLeftAllocated() {
        tables.close();
    }

    @Test
    void eachFileHoldsOneValueAndRowsComeBackAsTheyWere() {
        var all = new ArrayList<List<@Nullable Object>>();
        try (var table = DeltaTable.create(tables.context("t"), SCHEMA)) {
            for (int txn = 1; txn <= 12; txn++) {
                append(table, txn, all);
            }
            check(table, all);
            var before = table.snapshot().fileCount();
            assertThat(table.compact().filesAfter()).isLessThan(before);
            check(table, all);
            append(table, 13, all);
            var _ = table.compact();
            check(table, all);
        }
        try (var table = tables.open("t")) {
            assertThat(table.snapshot().partitionedBy()).containsExactly("kind", "day", "price");
            check(table, all);
            var fresh = List.of(some(), some());
            table.replace(
                    fresh.stream().map(this::rows).iterator(),
                    new Txn(TableFolder.APPLICATION, 14));
            all.clear();
            fresh.forEach(all::addAll);
            check(table, all);
        }
    }

    @Test
    void rowsAndColumnsAreReplacedInOneCommit() {
        var all = new ArrayList<List<@Nullable Object>>();
        var other =
                TableSchema.of(
                        Column.nullable("day", Primitive.DATE),
                        Column.nullable("kind", Primitive.STRING),
                        Column.nullable("id", Primitive.STRING),
                        Column.nullable("price", new DataType.Decimal(8, 2)));
        List<@Nullable Object> row = Arrays.asList(1, "k", "text", null);
        try (var table = DeltaTable.create(tables.context("t"), SCHEMA)) {
            append(table, 1, all);
            var rows = RowsBuilder.rows(other, tables.allocator, List.of(row));
            assertThat(
                            table.replace(
                                    other,
                                    List.of(rows).iterator(),
                                    new Txn(TableFolder.APPLICATION, 2)))
                    .isEqualTo(new DeltaTable.Commit.Done(2));
            assertThat(TableFolder.read(table.snapshot(1).read(List.of())))
                    .containsExactlyInAnyOrderElementsOf(all);
            try (var more = RowsBuilder.rows(other, tables.allocator, List.of(row))) {
                table.append(List.of(more), new long[0], new Txn(TableFolder.APPLICATION, 3));
            }
        }
        try (var table = tables.open("t")) {
            assertThat(table.schema()).isEqualTo(other);
            assertThat(table.transaction(TableFolder.APPLICATION)).hasValue(3);
            assertThat(TableFolder.read(table.snapshot().read(List.of())))
                    .containsExactly(row, row);
            assertThat(table.snapshot().version()).isEqualTo(3);
        }
    }

    @Test
    void aFileWithoutThePartitionColumnsIsReadByTheLogsValues() throws IOException {
        var foreign = tables.folder.resolve("foreign");
        tables.config = DeltaConfig.DEFAULT;
        var plain = TableSchema.of(Column.required("id", Primitive.LONG));
        try (var table = DeltaTable.create(tables.context("plain"), plain);
                var rows = RowsBuilder.rows(plain, tables.allocator, List.of(List.of(1L)))) {
            table.append(List.of(rows), new long[0], new Txn(TableFolder.APPLICATION, 1));
        }
        tables.config =
                DeltaConfig.DEFAULT.with(new TableLayout(List.of("kind", "day"), List.of()));
        DeltaTable.create(
                        TableContext.of(
                                foreign,
                                tables.config,
                                tables.allocator,
                                tables.clock,
                                tables.disk),
                        SCHEMA)
                .close();
        Path data;
        try (var files = Files.list(tables.folder.resolve("plain"))) {
            data = files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
        }
        Files.copy(data, foreign.resolve("part.parquet"));
        Files.writeString(
                foreign.resolve("_delta_log/00000000000000000001.json"),
                """
                {"commitInfo":{"timestamp":1,"inCommitTimestamp":4000000000000,"operation":"WRITE"}}
                {"add":{"path":"part.parquet","partitionValues":{"kind":"é x","day":"2026-02-03"},\
                "size":%d,"modificationTime":1,"dataChange":true,"baseRowId":0,\
                "defaultRowCommitVersion":1}}
                """
                        .formatted(Files.size(data)));
        try (var table = tables.open("foreign")) {
            assertThat(TableFolder.read(table.snapshot().read(List.of("day", "id", "kind"))))
                    .containsExactly(
                            List.of((int) LocalDate.of(2026, 2, 3).toEpochDay(), 1L, "é x"));
        }
    }

    @Test
    void clusteringColumnsAreInTheLogAndCanChange() {
        tables.config = DeltaConfig.DEFAULT.with(new TableLayout(List.of(), List.of("kind")));
        try (var table = DeltaTable.create(tables.context("t"), SCHEMA)) {
            assertThat(table.snapshot().clusteredBy()).containsExactly("kind");
            var all = new ArrayList<List<@Nullable Object>>();
            append(table, 1, all);
            table.cluster(List.of("day", "id"));
            append(table, 2, all);
            assertThat(table.snapshot().clusteredBy()).containsExactly("day", "id");
            assertThat(TableFolder.read(table.snapshot().read(List.of())))
                    .containsExactlyInAnyOrderElementsOf(all);
            table.cluster(List.of());
            assertThat(table.snapshot().clusteredBy()).isEmpty();
        }
    }

    @Test
    void aPartitionOfATypeThatTheLogCannotTellIsRefused() {
        tables.config = DeltaConfig.DEFAULT.with(new TableLayout(List.of("x"), List.of()));
        var schema =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("x", Primitive.TIMESTAMP));
        assertThatThrownBy(() -> DeltaTable.create(tables.context("t"), schema))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.UNIMPLEMENTED))
                .hasMessageContaining("is partitioned by x TIMESTAMP");
    }

    private void append(DeltaTable table, long txn, List<List<@Nullable Object>> all) {
        var values = some();
        try (var rows = rows(values)) {
            table.append(List.of(rows), new long[0], new Txn(TableFolder.APPLICATION, txn));
        }
        all.addAll(values);
    }

    private static void check(DeltaTable table, List<List<@Nullable Object>> all) {
        var snapshot = table.snapshot();
        assertThat(snapshot.rowCount()).isEqualTo(all.size());
        assertThat(TableFolder.read(snapshot.read(List.of())))
                .containsExactlyInAnyOrderElementsOf(all);
        for (var file : snapshot.files()) {
            assertThat(file.partition()).containsOnlyKeys("kind", "day", "price");
        }
        assertThat(new HashSet<>(snapshot.files().stream().map(DataFile::partition).toList()))
                .hasSameSizeAs(new HashSet<>(all.stream().map(row -> row.subList(1, 4)).toList()));
    }

    private List<List<@Nullable Object>> some() {
        var rows = new ArrayList<List<@Nullable Object>>();
        for (int i = 0; i < 40; i++) {
            rows.add(
                    Arrays.asList(
                            random.nextLong(),
                            random.nextInt(5) == 0 ? null : "kind / = " + random.nextInt(2),
                            random.nextInt(5) == 0 ? null : random.nextInt(2) - 1,
                            random.nextInt(5) == 0 ? null : new BigDecimal("1.50"),
                            List.of("a", "b" + i)));
        }
        return rows;
    }

    private Rows rows(List<List<@Nullable Object>> values) {
        return RowsBuilder.rows(SCHEMA, tables.allocator, values);
    }
}
