package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
