package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectFileTest {
    private static final int FILE_BYTES = 8 << 20;

    @TempDir private Path folder;

    @Test
    void whatIsWrittenBehindOneAnotherStandsThere() throws IOException {
        var random = new Random(5);
        var expected = new byte[FILE_BYTES];
        random.nextBytes(expected);
        var file = Files.write(folder.resolve("file"), new byte[FILE_BYTES]);
        int at = 0;
        while (at < FILE_BYTES) {
            try (var handle = open(file)) {
                // Each life of the handle goes on where the last one stopped, within a block.
                for (int i = 0; i < 20 && at < FILE_BYTES; i++) {
                    int most = random.nextInt(10) == 0 ? 3 << 20 : 9_000;
                    int count = Math.min(1 + random.nextInt(most), FILE_BYTES - at);
                    handle.write(ByteBuffer.wrap(expected, at, count), at);
                    handle.sync();
                    at += count;
                    if (i == 0) {
                        assertThat(Arrays.equals(content(file, at), Arrays.copyOf(expected, at)))
                                .isTrue();
                    }
                }
            }
        }
        assertThat(Arrays.equals(Files.readAllBytes(file), expected)).isTrue();
    }

    @Test
    void aFileOfABrokenBlockIsNotForIt() throws IOException {
        var file = Files.write(folder.resolve("file"), new byte[5_000]);
        assertThat(DirectFile.open(file)).isEmpty();
        try (var handle = Disk.real().openAppending(file)) {
            handle.write(ByteBuffer.wrap(new byte[] {7}), 4_999);
            handle.sync();
        }
        assertThat(Files.readAllBytes(file)).hasSize(5_000).endsWith(7);
    }

    private static byte[] content(Path file, int bytes) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return in.readNBytes(bytes);
        }
    }

    private static Disk.Handle open(Path file) throws IOException {
        var handle = DirectFile.open(file);
        assumeTrue(handle.isPresent(), "the file system knows no direct writes");
        return handle.get();
    }
}
