package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MaintenanceTest {
    private static final Duration WEEK = Duration.ofDays(7);
    private TableFolder tables;

    @BeforeEach
    void setUp(@TempDir Path folder) {
        tables = new TableFolder(folder);
    }

    @AfterEach
    void nothingIsLeftAllocated() {
        tables.close();
    }

    private static Clock later(Duration by) {
        return Clock.offset(Clock.system(ZoneOffset.UTC), by);
    }

    @Test
    void compactionJoinsFilesAndKeepsRowsOrderAndPositions() {
        try (var table = tables.create("t")) {
            for (int i = 0; i < 20; i++) {
                tables.append(table, i * 10L + 1, i * 10L + 10, i);
            }
            var maintenance = table.compact();
            assertThat(maintenance.filesBefore()).isEqualTo(20);
            assertThat(maintenance.filesAfter()).isEqualTo(1);
            assertThat(maintenance.bytesFreed()).isPositive();
            checkCompacted(table.snapshot());
            tables.append(table, 201, 210, 20);
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 210));
            try (var again = tables.open("t")) {
                assertThat(again.snapshot().files()).isEqualTo(table.snapshot().files());
                assertThat(TableFolder.ids(again.snapshot().readPositions(195, 205)))
                        .isEqualTo(TableFolder.range(196, 205));
            }
            assertThat(table.transaction(TableFolder.APPLICATION)).hasValue(20);
        }
    }

    private static void checkCompacted(DeltaSnapshot snapshot) {
        assertThat(snapshot.fileCount()).isEqualTo(1);
        assertThat(snapshot.rowCount()).isEqualTo(200);
        assertThat(TableFolder.ids(snapshot)).isEqualTo(TableFolder.range(1, 200));
        assertThat(TableFolder.ids(snapshot.readPositions(55, 65)))
                .isEqualTo(TableFolder.range(56, 65));
    }

    @Test
    void compactionJoinsOnlyNeighboursAndNeverFilesThatAreLargeEnough() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 10, 1);
            tables.append(table, 11, 20, 2);
            tables.append(table, 21, 5_000, 3);
            tables.append(table, 5_001, 5_010, 4);
            tables.append(table, 5_011, 5_020, 5);
            var sizes = table.snapshot().files().stream().map(DataFile::sizeBytes).toList();
            tables.config = new DeltaConfig(2 * sizes.get(2), 100, WEEK, WEEK);
            try (var small = tables.open("t")) {
                assertThat(small.compact().filesAfter()).isEqualTo(3);
                assertThat(TableFolder.ids(small.snapshot()))
                        .isEqualTo(TableFolder.range(1, 5_020));
                assertThat(small.compact().filesAfter()).isEqualTo(3);
            }
        }
    }

    @Test
    void aLargeFirstFileIsNotRewrittenForAFewSmallOnes() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 50_000, 1);
            for (int i = 0; i < 5; i++) {
                tables.append(table, 50_001 + i, 50_001 + i, 2 + i);
            }
            assertThat(table.compact().filesAfter()).isEqualTo(2);
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 50_005));
        }
    }

    /** Row groups that are large go on as they are, between what is written anew. */
    @Test
    void largeRowGroupsAreCopiedWithTheirPageBoundsAndTheVersionOfTheirRows() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 40_000, 1);
            tables.append(table, 40_001, 40_010, 2);
            tables.append(table, 40_011, 90_000, 3);
            tables.append(table, 90_001, 90_010, 4);
            tables.append(table, 90_011, 140_000, 5);
            var before = groups(table.snapshot());
            var versions = versions(table.snapshot());
            assertThat(table.compact().filesAfter()).isEqualTo(1);
            var snapshot = table.snapshot();
            var after = groups(snapshot);
            assertThat(after).hasSize(5);
            for (int i = 0; i < 5; i++) {
                assertThat(after.get(i).getRowCount()).isEqualTo(before.get(i).getRowCount());
                var size = after.get(i).getColumns().get(1).getTotalSize();
                assertThat(size).isEqualTo(before.get(i).getColumns().get(1).getTotalSize());
            }
            checkPageBounds(snapshot);
            assertThat(versions(snapshot)).isEqualTo(versions);
            assertThat(TableFolder.ids(snapshot)).isEqualTo(TableFolder.range(1, 140_000));
            assertThat(TableFolder.ids(snapshot.readPositions(89_990, 90_020)))
                    .isEqualTo(TableFolder.range(89_991, 90_020));
            assertThat(table.compact().filesAfter()).isEqualTo(1);
        }
    }

    private static List<BlockMetaData> groups(DeltaSnapshot snapshot) {
        return snapshot.files().stream()
                .flatMap(
                        file -> {
                            try (var input = ParquetInput.open(file.in(location(snapshot)))) {
                                return input.rowGroups().stream();
                            }
                        })
                .toList();
    }

    private static Path location(DeltaSnapshot snapshot) {
        return snapshot.table().location();
    }

    /** Of every row, whether its file says it or a column does. */
    private static List<Object> versions(DeltaSnapshot snapshot) {
        var name =
                Objects.requireNonNull(
                        snapshot.kernel()
                                .getTableProperties()
                                .get("delta.rowTracking.materializedRowCommitVersionColumnName"));
        var column = new TableSchema(List.of(Column.nullable(name, Primitive.LONG)));
        var versions = new ArrayList<>();
        try (var scan = new FileScan(snapshot.table(), snapshot.files(), column, _ -> true)) {
            for (var root = scan.next(); root != null; root = scan.next()) {
                try (var batch = root) {
                    for (int i = 0; i < batch.getRowCount(); i++) {
                        var own = batch.getVector(0).getObject(i);
                        versions.add(own != null ? own : scan.file().commitVersion().orElseThrow());
                    }
                }
            }
        }
        return versions;
    }

    /** The pages' smallest ids, and where the first page stands. */
    private static void checkPageBounds(DeltaSnapshot snapshot) throws IOException {
        long first = 1;
        try (var input = ParquetInput.open(snapshot.files().getFirst().in(location(snapshot)))) {
            for (var group : input.rowGroups()) {
                var ids = group.getColumns().getFirst();
                var places = Objects.requireNonNull(input.offsetIndex(ids));
                var bounds = Objects.requireNonNull(input.columnIndex(ids));
                assertThat(places.getOffset(0)).isEqualTo(ids.getFirstDataPageOffset());
                for (int page = 0; page < places.getPageCount(); page++) {
                    var min = bounds.getMinValues().get(page).order(ByteOrder.LITTLE_ENDIAN);
                    assertThat(min.getLong(0)).isEqualTo(first + places.getFirstRowIndex(page));
                }
                first += group.getRowCount();
            }
        }
    }

    @Test
    void aTableIsReadFromItsCheckpoint() {
        tables.config = new DeltaConfig(64L << 20, 10, WEEK, WEEK);
        try (var table = tables.create("t")) {
            for (int i = 1; i <= 9; i++) {
                tables.append(table, i, i, i);
            }
            table.checkpoint();
            tables.append(table, 10, 10, 10);
        }
        assertThat(tables.folder.resolve("t/_delta_log/_last_checkpoint")).exists();
        try (var table = tables.open("t")) {
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 10));
            assertThat(TableFolder.ids(table.snapshot().readPositions(4, 6)))
                    .isEqualTo(TableFolder.range(5, 6));
            assertThat(table.transaction(TableFolder.APPLICATION)).hasValue(10);
            assertThat(tables.append(table, 9, 9, 9))
                    .isInstanceOf(DeltaTable.Commit.Repeated.class);
            table.checkpoint();
            table.checkpoint();
        }
    }

    @Test
    void checkpointsAreWrittenBesideTheCommits() {
        tables.config = new DeltaConfig(64L << 20, 5, WEEK, WEEK);
        try (var table = tables.create("t")) {
            for (int i = 1; i <= 5; i++) {
                tables.append(table, i, i, i);
            }
        }
        assertThat(tables.folder.resolve("t/_delta_log/00000000000000000005.checkpoint.parquet"))
                .exists();
    }

    @Test
    void theLogIsCleanedBehindACheckpoint() throws IOException {
        tables.config = new DeltaConfig(64L << 20, 1000, Duration.ofHours(1), WEEK);
        try (var table = tables.create("t")) {
            for (int i = 1; i <= 5; i++) {
                tables.append(table, i, i, i);
            }
            table.checkpoint();
        }
        tables.clock = later(Duration.ofHours(2));
        try (var table = tables.open("t")) {
            tables.append(table, 6, 6, 6);
            table.checkpoint();
            var log = table.location().resolve("_delta_log");
            assertThat(log.resolve("00000000000000000004.json")).doesNotExist();
            assertThat(log.resolve("00000000000000000004.crc")).doesNotExist();
            assertThat(log.resolve("00000000000000000006.json")).exists();
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 6));
            assertThatThrownBy(() -> table.snapshot(2))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
            tables.append(table, 7, 7, 7);
        }
        try (var table = tables.open("t")) {
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 7));
        }
    }

    @Test
    void vacuumDeletesWhatNoSnapshotWithinTheRetentionNeeds() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            replace(table, 4, 6, 2);
            Files.write(table.location().resolve("part-orphan.parquet"), new byte[10]);
            Files.write(table.location().resolve("_delta_log/.lakemill-x.tmp"), new byte[10]);
            Files.write(table.location().resolve("notes.txt"), new byte[10]);
            assertThat(table.vacuum(Duration.ofHours(1)))
                    .isEqualTo(new DeltaTable.Maintenance(3, 3, 0));
            assertThat(TableFolder.ids(table.snapshot(1))).isEqualTo(TableFolder.range(1, 3));
        }
        tables.clock = later(Duration.ofHours(2));
        try (var table = tables.open("t")) {
            replace(table, 7, 9, 3);
            var maintenance = table.vacuum(Duration.ofHours(1));
            assertThat(maintenance.filesBefore()).isEqualTo(4);
            assertThat(maintenance.filesAfter()).isEqualTo(2);
            assertThat(maintenance.bytesFreed()).isPositive();
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(7, 9));
            assertThat(TableFolder.ids(table.snapshot(2))).isEqualTo(TableFolder.range(4, 6));
            assertThat(table.location().resolve("_delta_log/.lakemill-x.tmp")).doesNotExist();
            assertThat(table.location().resolve("notes.txt")).exists();
            assertThatThrownBy(() -> table.vacuum(Duration.ofDays(8)))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("retention");
        }
    }

    /** The kernel's checkpoints forget what was removed before the last one. */
    @Test
    void vacuumKeepsForTheRetentionWhatCheckpointsForgot() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
        }
        tables.clock = later(Duration.ofHours(2));
        try (var table = tables.open("t")) {
            tables.append(table, 4, 6, 2);
            replace(table, 7, 9, 3);
            table.checkpoint();
            tables.append(table, 10, 12, 4);
            table.checkpoint();
            tables.append(table, 13, 15, 5);
            assertThat(table.vacuum(Duration.ofHours(1)).filesAfter()).isEqualTo(5);
            assertThat(TableFolder.ids(table.snapshot(2))).isEqualTo(TableFolder.range(1, 6));
        }
        tables.clock = later(Duration.ofHours(4));
        try (var table = tables.open("t")) {
            assertThat(table.vacuum(Duration.ofHours(1)).filesAfter()).isEqualTo(3);
        }
    }

    @Test
    void vacuumLeavesFilesThatAreBeingWritten() throws IOException {
        try (var table = tables.create("t")) {
            var batches = List.of(tables.ids(1, 3), tables.ids(4, 6)).iterator();
            var vacuumed =
                    new java.util.Iterator<dev.lakemill.types.Rows>() {
                        @Override
                        public boolean hasNext() {
                            table.vacuum(Duration.ZERO);
                            return batches.hasNext();
                        }

                        @Override
                        public dev.lakemill.types.Rows next() {
                            return batches.next();
                        }
                    };
            table.replace(vacuumed, new Txn(TableFolder.APPLICATION, 1));
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 6));
        }
    }

    @Test
    void whatIsKeptOutlivesVacuumAndTheCleaningOfTheLog() {
        tables.config = new DeltaConfig(64L << 20, 1000, Duration.ofHours(1), WEEK);
        try (var table = tables.create("t")) {
            replace(table, 1, 3, 1);
            table.checkpoint();
        }
        tables.clock = later(Duration.ofDays(1));
        try (var table = tables.open("t")) {
            table.keep(table.snapshot(), new Txn(TableFolder.APPLICATION, 1));
            for (int i = 2; i <= 4; i++) {
                replace(table, i, i, i);
            }
            table.checkpoint();
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(2);
            assertThat(ids(table, 1)).isEqualTo(TableFolder.range(1, 3));
            table.keep(table.snapshot(), new Txn(TableFolder.APPLICATION, 4));
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(1);
        }
        try (var table = tables.open("t")) {
            replace(table, 5, 5, 5);
            table.checkpoint();
            assertThatThrownBy(() -> table.snapshot(1)).isInstanceOf(LakemillException.class);
        }
    }

    @Test
    void whatIsKeptOutlivesCompactions() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 1, 1);
            tables.append(table, 2, 100, 2);
            var round = table.snapshot();
            table.keep(round, new Txn(TableFolder.APPLICATION, 2));
            assertThat(table.compact().filesAfter()).isEqualTo(1);
            tables.append(table, 101, 300, 3);
            assertThat(table.compact().filesAfter()).isEqualTo(1);
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(4);
            assertThat(TableFolder.ids(round)).isEqualTo(TableFolder.range(1, 100));
            assertThat(ids(table, 2)).isEqualTo(TableFolder.range(1, 100));
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 300));
        }
    }

    @Test
    void filesOutliveVacuumAsLongAsTheyAreRead() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            tables.append(table, 4, 6, 2);
            var read = table.snapshot().read(List.of("id"));
            var snapshot = table.snapshot();
            var held = HeldFiles.of(List.of(snapshot));
            replace(table, 7, 9, 3);
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(3);
            held.close();
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(3);
            assertThat(TableFolder.ids(read)).isEqualTo(TableFolder.range(1, 6));
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(1);
        }
    }

    @Test
    void aTableOfOthersIsReadWithoutAWrite() throws IOException {
        var month = Duration.ofDays(30);
        tables.config = new DeltaConfig(64L << 20, 7, month, month);
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            tables.append(table, 4, 6, 2);
            Files.delete(table.location().resolve("_delta_log/00000000000000000002.crc"));
            var before = files(table.location());
            var read = DeltaTable.read(table.location(), tables.allocator);
            assertThat(read.version()).isEqualTo(2);
            assertThat(TableFolder.ids(read)).isEqualTo(TableFolder.range(1, 6));
            assertThat(TableFolder.ids(DeltaTable.read(table.location(), 1, tables.allocator)))
                    .isEqualTo(TableFolder.range(1, 3));
            assertThat(files(table.location())).isEqualTo(before);
        }
        assertThatThrownBy(() -> DeltaTable.read(tables.folder.resolve("no"), tables.allocator))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.NOT_FOUND));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (var found = Files.walk(folder)) {
            return found.sorted().toList();
        }
    }

    @Test
    void aSnapshotStepsBackToATransaction() {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 1, 10);
            tables.append(table, 2, 2, 20);
            table.compact();
            tables.append(table, 3, 3, 30);
            table.compact();
            table.checkpoint();
            assertThat(ids(table, 30)).isEqualTo(TableFolder.range(1, 3));
            assertThat(ids(table, 99)).isEqualTo(TableFolder.range(1, 3));
            assertThat(ids(table, 29)).isEqualTo(TableFolder.range(1, 2));
            assertThat(ids(table, 20)).isEqualTo(TableFolder.range(1, 2));
            assertThat(ids(table, 19)).isEqualTo(TableFolder.range(1, 1));
            assertThat(ids(table, 9)).isEmpty();
            assertThat(table.snapshotAt("another", 0).version())
                    .isEqualTo(table.snapshot().version());
        }
    }

    private static List<Object> ids(DeltaTable table, long txn) {
        return TableFolder.ids(table.snapshotAt(TableFolder.APPLICATION, txn));
    }

    private void replace(DeltaTable table, long from, long to, long txn) {
        table.replace(
                List.of(tables.ids(from, to)).iterator(), new Txn(TableFolder.APPLICATION, txn));
    }

    @Test
    void aForeignCommitInBetweenIsBuiltUpon() {
        try (var ours = tables.create("t");
                var theirs = tables.open("t")) {
            tables.append(ours, 1, 1, 1);
            tables.append(ours, 2, 2, 2);
            tables.append(theirs, 3, 3, 3);
            theirs.compact();
            tables.append(ours, 4, 4, 4);
            assertThat(TableFolder.ids(ours.snapshot())).isEqualTo(TableFolder.range(1, 4));
            replace(theirs, 9, 9, 9);
            replace(ours, 10, 11, 10);
            assertThat(TableFolder.ids(ours.snapshot())).isEqualTo(TableFolder.range(10, 11));
            assertThat(tables.append(theirs, 4, 4, 4))
                    .isInstanceOf(DeltaTable.Commit.Repeated.class);
        }
    }

    @Test
    void aChangedConfigurationIsWrittenToTheTable() {
        tables.create("t").close();
        tables.config = new DeltaConfig(1L << 20, 7, WEEK, Duration.ofHours(3));
        try (var table = tables.open("t")) {
            assertThat(table.snapshot().version()).isEqualTo(1);
            assertThat(table.snapshot().kernel().getTableProperties())
                    .containsEntry("delta.checkpointInterval", "7")
                    .containsEntry(
                            "delta.deletedFileRetentionDuration", "interval 10800000 milliseconds");
        }
        try (var table = tables.open("t")) {
            assertThat(table.snapshot().version()).isEqualTo(1);
        }
    }

    @Test
    void manyCommitsInTwoTablesKeepTheirOrder() {
        tables.config = new DeltaConfig(64L << 20, 20, WEEK, WEEK);
        try (var one = tables.create("one");
                var two = tables.create("two with space % and ü")) {
            for (int i = 1; i <= 150; i++) {
                tables.append(one, i, i, i);
                tables.append(two, 2L * i - 1, 2L * i, i);
                if (i % 50 == 0) {
                    one.compact();
                }
            }
            assertThat(TableFolder.ids(one.snapshot())).isEqualTo(TableFolder.range(1, 150));
            assertThat(TableFolder.ids(two.snapshot())).isEqualTo(TableFolder.range(1, 300));
        }
        try (var two = tables.open("two with space % and ü")) {
            assertThat(TableFolder.ids(two.snapshot())).isEqualTo(TableFolder.range(1, 300));
            assertThat(Objects.requireNonNull(two.location().getFileName()).toString())
                    .contains("%");
        }
    }
}
