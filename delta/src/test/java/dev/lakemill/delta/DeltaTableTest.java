package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeltaTableTest {
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
    void noHadoopIsOnTheClassPath() {
        assertThatThrownBy(() -> Class.forName("org.apache.hadoop.conf.Configuration"))
                .isInstanceOf(ClassNotFoundException.class);
    }

    @Test
    void appendedRowsAreReadInCommitOrder() {
        try (var table = tables.create("t")) {
            assertThat(table.snapshot().version()).isZero();
            assertThat(tables.append(table, 1, 3, 10)).isEqualTo(new DeltaTable.Commit.Done(1));
            assertThat(tables.append(table, 4, 5, 11)).isEqualTo(new DeltaTable.Commit.Done(2));
            var snapshot = table.snapshot();
            assertThat(snapshot.rowCount()).isEqualTo(5);
            assertThat(snapshot.fileCount()).isEqualTo(2);
            assertThat(snapshot.sizeBytes()).isPositive();
            assertThat(TableFolder.read(snapshot.read(List.of())))
                    .startsWith(List.of(1L, "name 1"))
                    .hasSize(5);
            assertThat(TableFolder.ids(snapshot)).isEqualTo(TableFolder.range(1, 5));
        }
        try (var table = tables.open("t")) {
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 5));
            assertThat(table.schema()).isEqualTo(TableFolder.SCHEMA);
        }
    }

    @Test
    void aTransactionIsCommittedOnce() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 10);
            assertThat(tables.append(table, 1, 3, 10)).isEqualTo(new DeltaTable.Commit.Repeated(1));
            assertThat(tables.append(table, 1, 3, 9)).isEqualTo(new DeltaTable.Commit.Repeated(1));
            assertThat(table.transaction(TableFolder.APPLICATION)).isEqualTo(OptionalLong.of(10));
            assertThat(table.transaction("another")).isEmpty();
        }
        try (var table = tables.open("t")) {
            assertThat(tables.append(table, 1, 3, 10)).isEqualTo(new DeltaTable.Commit.Repeated(1));
            assertThat(table.snapshot().rowCount()).isEqualTo(3);
        }
    }

    @Test
    void replacingLeavesOnlyTheNewRows() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            tables.append(table, 4, 6, 2);
            table.replace(
                    List.of(tables.ids(7, 8), tables.ids(9, 9)).iterator(),
                    new Txn(TableFolder.APPLICATION, 3));
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(7, 9));
            assertThat(TableFolder.ids(table.snapshot(2))).isEqualTo(TableFolder.range(1, 6));
            table.replace(Collections.<Rows>emptyIterator(), new Txn(TableFolder.APPLICATION, 4));
            assertThat(TableFolder.ids(table.snapshot())).isEmpty();
        }
    }

    @Test
    void aNullInANotNullColumnIsRefusedBeforeTheCommit() {
        try (var table = tables.create("t")) {
            var row = new ArrayList<Object>();
            row.add(null);
            row.add("x");
            try (var rows = RowsBuilder.rows(TableFolder.SCHEMA, tables.allocator, List.of(row))) {
                assertThatThrownBy(
                                () ->
                                        table.append(
                                                List.of(rows),
                                                new long[0],
                                                new Txn(TableFolder.APPLICATION, 1)))
                        .isInstanceOfSatisfying(
                                LakemillException.class,
                                e -> {
                                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
                                    assertThat(e).hasMessageContaining("'id' is NOT NULL");
                                });
            }
            assertThat(table.snapshot().version()).isZero();
            assertThat(tables.folder.resolve("t").toFile().list()).containsExactly("_delta_log");
        }
    }

    @Test
    void theNameOfThePositionColumnIsReserved() {
        var schema = TableSchema.of(Column.nullable("_Position", Primitive.LONG));
        assertThatThrownBy(() -> DeltaTable.create(tables.context("t"), schema))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("reserved");
    }

    @Test
    void aTableIsCreatedOnce() {
        try (var table = tables.create("t")) {
            assertThat(DeltaTable.exists(table.location())).isTrue();
            assertThatThrownBy(() -> tables.create("t"))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.ALREADY_EXISTS));
        }
        assertThat(DeltaTable.exists(tables.folder.resolve("u"))).isFalse();
        assertThatThrownBy(() -> tables.open("u"))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
    }

    @Test
    void positionsAreReadBackByRange() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 10, 1);
            tables.append(table, 11, 20, 2);
            tables.append(table, 21, 30, 3);
            var snapshot = table.snapshot();
            assertThat(TableFolder.ids(snapshot.readPositions(0, 30)))
                    .isEqualTo(TableFolder.range(1, 30));
            assertThat(TableFolder.ids(snapshot.readPositions(5, 15)))
                    .isEqualTo(TableFolder.range(6, 15));
            assertThat(TableFolder.ids(snapshot.readPositions(10, 20)))
                    .isEqualTo(TableFolder.range(11, 20));
            assertThat(TableFolder.ids(snapshot.readPositions(30, 99))).isEmpty();
            try (var reader = snapshot.readPositions(28, 99)) {
                Objects.requireNonNull(reader.next()).close();
                assertThat(reader.positions()).containsExactly(29, 30);
            }
        }
    }

    @Test
    void positionsAscendOverTheTablesLife() {
        try (var table = tables.create("t")) {
            tables.append(table, 11, 20, 1);
            assertThatThrownBy(() -> tables.append(table, 1, 10, 2))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("positions ascend");
            assertThatThrownBy(() -> tables.append(table, 20, 30, 2))
                    .isInstanceOf(LakemillException.class);
            tables.append(table, 21, 30, 2);
        }
    }

    @Test
    void appendingNothingNotesTheTransaction() {
        try (var table = tables.create("t")) {
            table.append(List.of(), new long[0], new Txn(TableFolder.APPLICATION, 7));
            assertThat(table.transaction(TableFolder.APPLICATION)).hasValue(7);
            assertThat(table.snapshot().fileCount()).isZero();
        }
    }

    @Test
    void readersSeeWholeCommitsBesideMaintenance() throws Exception {
        tables.config = new DeltaConfig(64L << 20, 10, Duration.ofHours(1), Duration.ofHours(1));
        try (var table = tables.create("t");
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var done = new AtomicBoolean();
            var maintenance =
                    threads.submit(
                            () -> {
                                while (!done.get()) {
                                    table.compact();
                                    table.vacuum(Duration.ofMinutes(1));
                                }
                            });
            var reader =
                    threads.submit(
                            () -> {
                                while (!done.get()) {
                                    var ids = TableFolder.ids(table.snapshot());
                                    assertThat(ids).isEqualTo(TableFolder.range(1, ids.size()));
                                    assertThat(ids.size() % 3).isZero();
                                }
                            });
            try {
                for (int i = 0; i < 120; i++) {
                    tables.append(table, 3L * i + 1, 3L * i + 3, i);
                }
            } finally {
                done.set(true);
            }
            maintenance.get();
            reader.get();
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 360));
        }
    }

    @Test
    void aLargeReplacementIsWrittenAsSeveralFilesInOrder() {
        tables.config = new DeltaConfig(20_000, 10, Duration.ofHours(1), Duration.ofHours(1));
        try (var table = tables.create("t")) {
            for (int txn = 0; txn < 2; txn++) {
                var batches = IntStream.range(0, 10).mapToObj(i -> ids(i * 1000L)).iterator();
                table.replace(batches, new Txn(TableFolder.APPLICATION, txn));
                assertThat(table.snapshot().fileCount()).isBetween(2, 9);
                assertThat(TableFolder.ids(table.snapshot()))
                        .isEqualTo(TableFolder.range(1, 10_000));
            }
            try (var again = tables.open("t")) {
                assertThat(again.snapshot().files()).isEqualTo(table.snapshot().files());
            }
        }
    }

    private Rows ids(long after) {
        return tables.ids(after + 1, after + 1000);
    }

    @Test
    void aFileOfSeveralRowGroupsIsReadWholeAndByRange() {
        try (var table = tables.create("t");
                var rows = wide(40_000)) {
            var positions = LongStream.rangeClosed(1, rows.count()).toArray();
            table.append(List.of(rows), positions, new Txn(TableFolder.APPLICATION, 1));
            var file = table.snapshot().files().getFirst();
            try (var parquet = ParquetInput.open(file.in(table.location()))) {
                assertThat(parquet.rowGroups()).hasSizeGreaterThan(1);
            }
            assertThat(TableFolder.ids(table.snapshot()))
                    .isEqualTo(TableFolder.range(1, rows.count()));
            assertThat(TableFolder.ids(table.snapshot().readPositions(39_990, 39_995)))
                    .isEqualTo(TableFolder.range(39_991, 39_995));
        }
    }

    /** Rows of more than a kilobyte that does not compress. */
    private Rows wide(int count) {
        var random = new Random(7);
        var bytes = new byte[1100];
        var rows = new ArrayList<List<?>>();
        for (long id = 1; id <= count; id++) {
            random.nextBytes(bytes);
            rows.add(List.of(id, Base64.getEncoder().encodeToString(bytes)));
        }
        return RowsBuilder.rows(TableFolder.SCHEMA, tables.allocator, rows);
    }
}
