package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log on the machine's own disk. */
final class LogTest {
    @TempDir Path folder;

    @Test
    void whatIsAcknowledgedIsReplayedOnceAndInOrder() throws Exception {
        Acknowledged first = new Acknowledged();
        try (Log log = open(first)) {
            for (int i = 0; i < 100; i++) {
                log.offer(frame(i));
            }
            first.awaitFrames(100);
        }
        List<Durable> replayed = new ArrayList<>();
        Acknowledged second = new Acknowledged();
        try (Log log = Log.open(folder, LogConfig.DEFAULT, Disk.real(), replayed::add, second)) {
            log.offer(frame(100));
            second.awaitFrames(1);
        }
        assertThat(replayed).usingRecursiveComparison().isEqualTo(first.frames());
    }

    private Log open(Acknowledged acknowledged) {
        return Log.open(folder, LogConfig.DEFAULT, Disk.real(), durable -> {}, acknowledged);
    }

    static Frame frame(int number) {
        byte[] payload = ("row " + number).getBytes(StandardCharsets.UTF_8);
        return new Frame(new UUID(1, 2), new UUID(3, 4), number, payload);
    }
}
