package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.server.backup.Restore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What backups leave in their folder, and what becomes of them when it is full. */
@Timeout(300)
final class BackupRoomTest {
    @TempDir Path folder;

    private TestNode start(Path backups) throws Exception {
        return new TestNode(
                folder,
                Map.of(
                        "LAKEMILL_BACKUP_FOLDER",
                        backups.toString(),
                        "LAKEMILL_BACKUP_INTERVAL_S",
                        "1"));
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }

    private static List<String> listed(TestNode node) {
        return list(node).path("backups").findValuesAsText("id");
    }

    private static JsonNode list(TestNode node) {
        return node.admin().get("/api/2.0/backups");
    }

    @Test
    void onlyWhatKeptBackupsNeedStays() throws Exception {
        var backups = folder.resolve("backups");
        try (var node = start(backups)) {
            node.run(0, "backup", "--keep", "2");
            var first = listed(node).getFirst();
            var firstWal = names(backups.resolve("wal")).getFirst();
            var gone = Files.createDirectories(backups.resolve("lake/tables/c/b/gone/id-t"));
            Files.writeString(gone.resolve("index.jsonl"), "");
            Files.writeString(backups.resolve("files").resolve("unnamed"), "x");
            Files.createDirectories(backups.resolve("bases/killed/data/base"));
            var early = Instant.now();
            awaitMark(node, early);

            node.run(0, "backup", "--keep", "2");
            assertThat(listed(node)).hasSize(2).contains(first);
            assertThat(gone).doesNotExist();
            assertThat(backups.resolve("files").resolve("unnamed")).doesNotExist();
            assertThat(names(backups.resolve("bases"))).doesNotContain("killed");
            assertThat(names(backups.resolve("wal"))).contains(firstWal);

            awaitMark(node, Instant.now());
            node.run(0, "backup", "--keep", "1");
            assertThat(listed(node)).hasSize(1).doesNotContain(first);
            assertThat(names(backups.resolve("bases"))).isEqualTo(listed(node));
            assertThat(names(backups.resolve("wal"))).doesNotContain(firstWal);
            var ended = Instant.parse(list(node).at("/backups/0/ended").asText());
            assertThat(names(backups.resolve("marks")).getFirst()).isLessThan(mark(ended));
            assertThat(names(backups.resolve("marks")).get(1)).isGreaterThan(mark(ended));
        }
        var config = Config.load(folder, Map.of());
        var restored =
                new Restore(
                                new Restore.Order(backups, folder.resolve("again"), null),
                                at -> NodeSettings.postgresIn(config, at),
                                _ -> {})
                        .run();
        assertThat(restored.tables()).isPositive();
    }

    /** As a mark of that time is called. */
    private static String mark(Instant time) {
        return DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS")
                .withZone(ZoneOffset.UTC)
                .format(time);
    }

    private static void awaitMark(TestNode node, Instant after) throws InterruptedException {
        TestNode.await(
                () -> {
                    var newest = list(node).path("last_mark").asText();
                    return !newest.isEmpty() && Instant.parse(newest).isAfter(after);
                });
    }

    @Test
    void aFullDiskLeavesNoHalfBackupAndRoomMendsIt() throws Exception {
        var disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(
                mount("-t", "tmpfs", "-o", "size=12m", "tmpfs", disk.toString()),
                "a small disk takes the right to mount one");
        try {
            var backups = disk.resolve("backups");
            try (var node = start(backups)) {
                assertThat(node.run(1, "backup"))
                        .contains("the backup failed", "No space left on device")
                        .contains(
                                "hint: see that the backup folder can be written and its disk has"
                                        + " room");
                assertThat(listed(node)).isEmpty();
                assertThat(names(backups.resolve("bases"))).isEmpty();
                fill(disk.resolve("others"));
                assertThat(node.run(1, "backup"))
                        .contains("the backup failed", "No space left on device");
                Files.delete(disk.resolve("others"));
                // The node goes on.
                assertThat(node.rows("1")).containsExactly("1");

                assertThat(mount("-o", "remount,size=400m", disk.toString())).isTrue();
                TestNode.await(() -> list(node).path("problem").asText().isEmpty());
                node.run(0, "backup");
                assertThat(listed(node)).hasSize(1);
            }
            var config = Config.load(folder, Map.of());
            new Restore(
                            new Restore.Order(backups, folder.resolve("again"), null),
                            at -> NodeSettings.postgresIn(config, at),
                            _ -> {})
                    .run();
            assertThat(folder.resolve("again")).isDirectory();
        } finally {
            new ProcessBuilder("umount", disk.toString()).start().waitFor();
        }
    }

    /** Takes all the room that is left. */
    private static void fill(Path file) throws IOException {
        try (var out = Files.newOutputStream(file)) {
            while (true) {
                out.write(new byte[4_096]);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    private static boolean mount(String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).start().waitFor() == 0;
    }
}
