package dev.lakemill.bench;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.ingest.GrpcConfig;
import dev.lakemill.ingest.IngestConfig;
import dev.lakemill.wal.DelayedDisk;
import dev.lakemill.wal.Disk;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Clock;

/**
 * Ingest alone, with its usual limits and its log on a disk whose every sync takes {@value
 * #SYNC_DELAY_MILLIS} ms longer. Its argument is its folder. Prints its port; ends when its input
 * does.
 */
final class SlowDiskServer {
    private static final int SYNC_DELAY_MILLIS = 4;

    private SlowDiskServer() {}

    public static void main(String[] arguments) throws IOException {
        var clock = Clock.systemUTC();
        var port = Ports.free();
        var grpc = GrpcConfig.DEFAULT.withAddress("127.0.0.1", port);
        try (var _ =
                new FaultyNode(
                        Path.of(arguments[0]),
                        IngestConfig.of("slow-disk").withGrpc(grpc),
                        new DelayedDisk(Disk.real(), SlowDiskServer::delay),
                        (location, allocator) ->
                                DeltaTable.create(
                                        location,
                                        BenchRows.SCHEMA,
                                        DeltaConfig.DEFAULT,
                                        allocator,
                                        clock),
                        clock)) {
            System.out.println(port);
            System.in.transferTo(OutputStream.nullOutputStream());
        }
    }

    private static void delay() throws IOException {
        try {
            Thread.sleep(SYNC_DELAY_MILLIS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the disk synced");
        }
    }
}
