package dev.lakemill.server.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A backup folder whose node was once restored to an earlier moment, and went on from there. */
final class RetentionTest {
    @TempDir Path folder;
    private BackupFolder backups = new BackupFolder(Path.of(""));

    /** Postgres left its first timeline in segment 6, and had gone as far as 9 on it. */
    @BeforeEach
    void goBack() throws IOException {
        backups = new BackupFolder(folder.resolve("backups"));
        backups.claim("1");
        for (int segment = 4; segment <= 9; segment++) {
            packed(wal(1, segment), "");
        }
        packed("00000002.history", "1\t0/6000028\tbefore 2026-01-03\n");
        for (int segment = 6; segment <= 8; segment++) {
            packed(wal(2, segment), "");
        }
    }

    private static String wal(int timeline, int segment) {
        return "%08X00000000%08X".formatted(timeline, segment);
    }

    private void packed(String name, String content) throws IOException {
        var file = Files.newOutputStream(backups.wal().resolve(name + ".gz"));
        try (var packed = new GZIPOutputStream(file)) {
            packed.write(content.getBytes(StandardCharsets.UTF_8));
        }
    }

    private void base(int day, String startWal) throws IOException {
        var time = "2026-01-0%dT00:00:00Z".formatted(day);
        var base = new Base("b" + day, time, time, startWal, startWal, List.of(), List.of());
        BackupFolder.write(backups.base(base.id()).resolve("manifest.json"), base);
    }

    private void mark(int day, String wal) throws IOException {
        var time = "2026-01-0%dT01:00:00Z".formatted(day);
        var mark =
                new Mark(
                        "m" + day,
                        time,
                        wal,
                        wal.substring(0, 8),
                        "data",
                        List.of(),
                        List.of(),
                        List.of());
        backups.add(mark);
    }

    @Test
    void theLogThatAnyKeptBackupNeedsStays() throws IOException {
        base(1, wal(1, 4));
        base(2, wal(1, 8));
        base(4, wal(2, 7));

        Retention.prune(backups, 2);

        assertThat(backups.bases()).extracting(Base::id).containsExactly("b2", "b4");
        assertThat(backups.walFiles())
                .containsExactly(
                        wal(1, 7), wal(1, 8), wal(1, 9), "00000002.history", wal(2, 7), wal(2, 8));
    }

    @Test
    void aFileOfATimelineThatWasGivenUpIsNoneOfTheOneThatIsRestored() throws IOException {
        base(1, wal(1, 4));
        mark(2, wal(1, 8));
        mark(4, wal(2, 8));
        Files.delete(backups.wal().resolve(wal(2, 7) + ".gz"));
        var order = new Restore.Order(backups.root(), folder.resolve("data"), null);
        var restore =
                new Restore(
                        order,
                        _ -> {
                            throw new IllegalStateException("the hole was not seen");
                        },
                        _ -> {});

        assertThatThrownBy(restore::run)
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
                            assertThat(e.problem()).contains("0000000000000007");
                        });
    }
}
