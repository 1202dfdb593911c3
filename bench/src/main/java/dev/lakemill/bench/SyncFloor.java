package dev.lakemill.bench;

import dev.lakemill.wal.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the disk alone takes to make one row last, written as the log writes: below it is no durable
 * acknowledgement.
 */
final class SyncFloor {
    private static final int FILE_BYTES = 16 << 20;
    private static final int ROW_BYTES = 256;
    private static final int ROWS = 4_000;

    private final Path file;
    private final List<Double> rounds = new ArrayList<>();

    private SyncFloor(Path file) {
        this.file = file;
    }

    /** Makes the file that it writes into. */
    static SyncFloor create(Path file) throws IOException {
        try (var made = Disk.real().create(file)) {
            made.write(ByteBuffer.allocate(FILE_BYTES), 0);
            made.sync();
        }
        return new SyncFloor(file);
    }

    void measure() throws IOException {
        var micros = new ArrayList<Double>();
        try (var handle = Disk.real().openAppending(file)) {
            var row = ByteBuffer.allocateDirect(ROW_BYTES);
            for (int i = 0; i < ROWS; i++) {
                var from = System.nanoTime();
                handle.write(row.clear(), (long) i * ROW_BYTES);
                handle.sync();
                micros.add((System.nanoTime() - from) / 1e3);
            }
        }
        rounds.add(Report.median(micros));
    }

    /** The median of the rounds' medians. */
    double p50Micros() {
        return Report.median(rounds);
    }
}
