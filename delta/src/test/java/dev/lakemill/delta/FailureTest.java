package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FailureTest {
    private final FailingDisk disk = new FailingDisk();
    private TableFolder tables;

    @BeforeEach
    void setUp(@TempDir Path folder) {
        tables = new TableFolder(folder);
        tables.disk = disk;
    }

    @AfterEach
    void nothingIsLeftAllocated() {
        tables.close();
    }

    @Test
    void aFullDiskFailsTheCommitWholeAndARetryWorks() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            var before = files(table.location());
            for (long free = 0; disk.freeBytes == Long.MAX_VALUE || free < 20_000; free += 100) {
                disk.freeBytes = free;
                try {
                    tables.append(table, 4, 6, 2);
                    break;
                } catch (LakemillException e) {
                    assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
                    assertThat(e.hint()).contains("free space");
                    assertThat(files(table.location())).isEqualTo(before);
                    assertThat(table.snapshot().version()).isEqualTo(1);
                }
            }
            assertThat(table.snapshot().version()).isEqualTo(2);
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 6));
        }
        disk.freeBytes = Long.MAX_VALUE;
        try (var table = tables.open("t")) {
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 6));
        }
    }

    /** Every operation of an append fails once, in turn; the rows are there once in the end. */
    @Test
    void whicheverOperationFailsARepeatedAppendLandsOnce() {
        try (var table = tables.create("t")) {
            long id = 1;
            for (int failing = 0; ; failing++) {
                var left = new AtomicInteger(failing);
                disk.fault =
                        (operation, file) ->
                                left.getAndDecrement() == 0
                                        ? new IOException("injected into " + operation)
                                        : null;
                try {
                    tables.append(table, id, id, id);
                } catch (LakemillException e) {
                    assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
                }
                disk.fault = FailingDisk.NONE;
                tables.append(table, id, id, id);
                assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, id));
                if (left.get() >= 0) {
                    break;
                }
                id++;
            }
            assertThat(id).isGreaterThan(8);
            try (var again = tables.open("t")) {
                assertThat(TableFolder.ids(again.snapshot())).isEqualTo(TableFolder.range(1, id));
                assertThat(again.snapshot().files()).isEqualTo(table.snapshot().files());
            }
        }
    }

    @Test
    void aCommitWhoseSyncFailedIsNotTakenForOneThatLasts() {
        try (var table = tables.create("t")) {
            var log = table.location().resolve("_delta_log");
            disk.fault =
                    (operation, file) ->
                            operation.equals("syncFolder") && file.equals(log)
                                    ? new IOException("Input/output error")
                                    : null;
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> tables.append(table, 1, 1, 1))
                        .isInstanceOfSatisfying(
                                LakemillException.class,
                                e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE));
            }
            var synced = new AtomicInteger();
            disk.fault =
                    (operation, file) -> {
                        if (operation.equals("syncFolder") && file.equals(log)) {
                            synced.incrementAndGet();
                        }
                        return null;
                    };
            assertThat(tables.append(table, 1, 1, 1))
                    .isInstanceOf(DeltaTable.Commit.Repeated.class);
            assertThat(synced.get()).isPositive();
            disk.fault = FailingDisk.NONE;
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 1));
        }
    }

    @Test
    void aFailedReplaceLeavesTheOldRowsAndNoFiles() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 3, 1);
            var before = files(table.location());
            disk.freeBytes = 100;
            assertThatThrownBy(
                            () ->
                                    table.replace(
                                            List.of(tables.ids(7, 9)).iterator(),
                                            new Txn(TableFolder.APPLICATION, 2)))
                    .isInstanceOf(LakemillException.class);
            disk.freeBytes = Long.MAX_VALUE;
            assertThat(files(table.location())).isEqualTo(before);
            assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 3));
        }
    }

    /** After each operation in turn the process is gone; what it left is opened anew. */
    @ParameterizedTest
    @ValueSource(strings = {"append", "replace", "compact", "checkpoint"})
    void aKillAtAnyOperationLeavesAWholeTable(String work) throws IOException {
        for (int operations = 0; ; operations++) {
            var name = work + operations;
            try (var table = tables.create(name)) {
                tables.append(table, 1, 3, 1);
                tables.append(table, 4, 6, 2);
            }
            var left = new AtomicInteger(operations);
            var killed = tables.open(name);
            disk.fault =
                    (operation, file) ->
                            left.getAndDecrement() > 0 ? null : new IOException("killed");
            try {
                run(work, killed);
            } catch (LakemillException e) {
                assertThat(left.get()).isNegative();
            }
            disk.fault = FailingDisk.NONE;
            boolean finished = left.get() >= 0;
            checkWhole(work, name);
            if (finished) {
                assertThat(operations).isPositive();
                return;
            }
        }
    }

    private void run(String work, DeltaTable table) {
        switch (work) {
            case "append" -> tables.append(table, 7, 9, 3);
            case "replace" ->
                    table.replace(
                            Stream.of(1).map(_ -> tables.ids(1, 9)).iterator(),
                            new Txn(TableFolder.APPLICATION, 3));
            case "compact" -> table.compact();
            case "checkpoint" -> table.checkpoint();
            default -> throw new IllegalArgumentException(work);
        }
    }

    private void checkWhole(String work, String name) throws IOException {
        try (var table = tables.open(name)) {
            var changed = table.transaction(TableFolder.APPLICATION).getAsLong() == 3;
            assertThat(TableFolder.ids(table.snapshot()))
                    .as(name)
                    .isEqualTo(TableFolder.range(1, changed ? 9 : 6));
            run(work, table);
            tables.append(table, 7, 9, 3);
            assertThat(TableFolder.ids(table.snapshot()))
                    .as(name)
                    .isEqualTo(TableFolder.range(1, 9));
            table.vacuum(Duration.ZERO);
            assertThat(files(table.location()))
                    .as(name)
                    .filteredOn(file -> file.contains(".lakemill-") || file.endsWith(".parquet"))
                    .filteredOn(file -> !file.endsWith("checkpoint.parquet"))
                    .hasSize(table.snapshot().fileCount());
        }
    }

    @Test
    void aCreationThatFailedCanBeRepeated() {
        for (int operations = 0; ; operations++) {
            var left = new AtomicInteger(operations);
            disk.fault =
                    (operation, file) -> left.getAndDecrement() > 0 ? null : FailingDisk.full();
            try {
                tables.create("t" + operations).close();
            } catch (LakemillException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
            }
            disk.fault = FailingDisk.NONE;
            if (left.get() >= 0) {
                return;
            }
            try (var table = createOrOpen("t" + operations)) {
                tables.append(table, 1, 1, 1);
                assertThat(TableFolder.ids(table.snapshot())).isEqualTo(TableFolder.range(1, 1));
            }
        }
    }

    private DeltaTable createOrOpen(String name) {
        return DeltaTable.exists(tables.folder.resolve(name))
                ? tables.open(name)
                : tables.create(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"denied", "read only"})
    void aFolderThatIsNotWritableIsAClearError(String how) {
        try (var table = tables.create("t")) {
            disk.fault =
                    (operation, file) ->
                            how.equals("denied")
                                    ? new AccessDeniedException(file.toString())
                                    : new IOException("Read-only file system");
            assertThatThrownBy(() -> tables.append(table, 1, 1, 1))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> {
                                assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                                assertThat(e.hint()).contains("may write to");
                            });
            disk.fault = FailingDisk.NONE;
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsAClearError() throws IOException {
        Files.writeString(tables.folder.resolve("file"), "not a folder");
        assertThatThrownBy(() -> tables.create("file/t"))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                            assertThat(e.hint()).contains("may write to");
                        });
    }

    @Test
    void aDamagedDataFileIsReportedNotRead() throws IOException {
        try (var table = tables.create("t")) {
            tables.append(table, 1, 1000, 1);
            var file = table.snapshot().files().getFirst().in(table.location());
            var bytes = Files.readAllBytes(file);
            bytes[100] ^= 1;
            Files.write(file, bytes);
            assertThatThrownBy(() -> TableFolder.read(table.snapshot().read(List.of())))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS));
            Files.delete(file);
            assertThatThrownBy(() -> TableFolder.read(table.snapshot().read(List.of())))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS));
        }
    }

    private static List<String> files(Path folder) throws IOException {
        try (var found = Files.walk(folder)) {
            var names = new ArrayList<String>();
            found.filter(Files::isRegularFile).forEach(file -> names.add(file.toString()));
            names.sort(null);
            return names;
        }
    }
}
