package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JournalTest {
    private static final TableName EVENTS = TableName.parse("c.b.events");

    @TempDir Path folder;
    private final Disk disk = new LocalDisk();

    @Test
    void whatWasAppendedIsReadAgain() {
        var journal = new Journal(folder, disk);
        journal.append(batch(1));
        journal.append(batch(2));
        assertThat(new Journal(folder, disk).records()).containsExactly(batch(1), batch(2));
    }

    @Test
    void trimForgetsTheOlder() {
        var journal = new Journal(folder, disk);
        for (int n = 1; n <= 4; n++) {
            journal.append(batch(n));
        }
        journal.trim(3);
        journal.append(batch(5));
        assertThat(new Journal(folder, disk).records()).containsExactly(batch(4), batch(5));
    }

    @Test
    void aLineTornAtAnyByteIsForgotten() throws IOException {
        var journal = new Journal(folder, disk);
        journal.append(batch(1));
        var whole = journal.sizeBytes();
        journal.append(batch(2));
        var bytes = Files.readAllBytes(file());
        for (int length = (int) whole; length < bytes.length; length++) {
            Files.write(file(), java.util.Arrays.copyOf(bytes, length));
            var torn = new Journal(folder, disk);
            assertThat(torn.records()).containsExactly(batch(1));
            torn.append(batch(2));
            assertThat(Files.readAllBytes(file())).isEqualTo(bytes);
        }
    }

    @Test
    void damageBeforeAWholeLineIsRefusedWithFileAndByte() throws IOException {
        var journal = new Journal(folder, disk);
        journal.append(batch(1));
        var second = journal.sizeBytes();
        journal.append(batch(2));
        journal.append(batch(3));
        var bytes = Files.readAllBytes(file());
        bytes[(int) second + 20] ^= 1;
        Files.write(file(), bytes);
        assertThatThrownBy(() -> new Journal(folder, disk))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
                            assertThat(e.problem()).contains(file().toString(), "byte " + second);
                            assertThat(e.hint()).contains("delete it");
                        });
    }

    @Test
    void aMissingLineIsDamageToo() throws IOException {
        var journal = new Journal(folder, disk);
        journal.append(batch(1));
        journal.append(batch(3));
        assertThatThrownBy(() -> new Journal(folder, disk)).isInstanceOf(LakemillException.class);
    }

    @Test
    void checkpointsComeBackAsTheyWere() throws IOException {
        var checkpoint =
                new Checkpoint(
                        7,
                        Instant.parse("2026-11-22T10:00:00.123456Z"),
                        Map.of(EVENTS, 99L),
                        12,
                        "hash",
                        Map.of(TableName.parse("c.s.events"), 7L),
                        Map.of(
                                EVENTS,
                                new TableCount(
                                        5,
                                        3,
                                        1,
                                        1,
                                        List.of(new TableCount.RuleCount("positive", 3, 2)))),
                        Set.of("past"));
        var checkpoints = new Checkpoints(folder, disk);
        checkpoints.write(checkpoint);
        checkpoints.write(Checkpoint.START);
        assertThat(checkpoints.read().whole()).containsExactly(Checkpoint.START, checkpoint);
        checkpoints.keepOnly(Set.of(7L));
        assertThat(checkpoints.read().whole()).containsExactly(checkpoint);
    }

    @Test
    void aDamagedCheckpointIsNamed() throws IOException {
        var checkpoints = new Checkpoints(folder, disk);
        checkpoints.write(Checkpoint.START);
        var file = folder.resolve("checkpoint-0");
        Files.write(file, new byte[] {1, 2, 3});
        assertThat(checkpoints.read()).isEqualTo(new Checkpoints.Found(List.of(), List.of(file)));
    }

    private Path file() {
        return folder.resolve("journal");
    }

    private static BatchRecord batch(long number) {
        return new BatchRecord(
                number, Instant.ofEpochSecond(number, 123_000), Map.of(EVENTS, number * 10));
    }
}
