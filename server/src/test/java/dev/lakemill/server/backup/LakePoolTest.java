package dev.lakemill.server.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table's files in the backup folder, and the table made out of them again. */
final class LakePoolTest {
    private static final TableSchema SCHEMA =
            new TableSchema(List.of(Column.required("id", Primitive.LONG)));

    @TempDir Path folder;
    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void allMemoryIsBack() {
        allocator.close();
    }

    private Rows row(long id) {
        var rows = Rows.empty(SCHEMA, allocator);
        ((BigIntVector) rows.vector(0)).setSafe(0, id);
        rows.root().setRowCount(1);
        return rows;
    }

    private List<Long> ids(Path table) {
        try (var open = DeltaTable.open(table, DeltaConfig.DEFAULT, allocator, Clock.systemUTC());
                var reader = open.snapshot().read(List.of());
                var rows = Objects.requireNonNull(reader.next())) {
            assertThat(open.snapshot().rowCount()).isEqualTo(1);
            return List.of(((BigIntVector) rows.vector(0)).get(0));
        }
    }

    /** A table of one row, which each version puts in place of the one before. */
    private Path replaced(int times) {
        var at = folder.resolve("table");
        try (var table =
                DeltaTable.create(at, SCHEMA, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            for (long version = 1; version <= times; version++) {
                table.replace(List.of(row(version)).iterator(), new Txn("test", version));
            }
            assertThat(table.snapshot().version()).isEqualTo(times);
        }
        return at;
    }

    @Test
    void aFirstCopyNeedsNoFileThatAVacuumDeleted() throws IOException {
        var at = replaced(2);
        try (var table = DeltaTable.open(at, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            table.vacuum(Duration.ZERO);
        }
        var pool = LakePool.open(folder.resolve("pool"));

        pool.copy(at, 2, _ -> {});
        pool.restore(2, folder.resolve("restored"), _ -> {});

        assertThat(ids(folder.resolve("restored"))).containsExactly(2L);
    }

    @Test
    void changesThatAVacuumDeletedAreNotMissed() throws IOException {
        var at = replaced(1);
        Files.writeString(
                at.resolve("_delta_log/00000000000000000002.json"),
                "{\"cdc\":{\"path\":\"_change_data/cdc-1.parquet\",\"size\":1}}\n");
        var pool = LakePool.open(folder.resolve("pool"));

        pool.copy(at, 2, _ -> {});

        assertThat(pool.entries().keySet()).filteredOn(p -> p.endsWith(".parquet")).hasSize(1);
    }

    @Test
    void aFileThatIsThereIsCopiedForOneThatStepsBack() throws IOException {
        var at = replaced(2);
        var pool = LakePool.open(folder.resolve("pool"));

        pool.copy(at, 2, _ -> {});

        assertThat(pool.entries().keySet()).filteredOn(p -> p.endsWith(".parquet")).hasSize(2);
    }

    @Test
    void aFileThatTheVersionHasIsMissed() throws IOException {
        var at = replaced(2);
        try (var files = Files.list(at)) {
            for (var file : files.filter(f -> f.toString().endsWith(".parquet")).toList()) {
                Files.delete(file);
            }
        }
        var pool = LakePool.open(folder.resolve("pool"));

        assertThatThrownBy(() -> pool.copy(at, 2, _ -> {})).isInstanceOf(NoSuchFileException.class);
    }
}
