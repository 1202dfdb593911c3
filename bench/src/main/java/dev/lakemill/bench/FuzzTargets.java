package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.ingest.RecordEncoder;
import dev.lakemill.ingest.WireInput;
import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import dev.lakemill.wal.Log;
import dev.lakemill.wal.LogConfig;
import dev.lakemill.wal.SimulatedDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.apache.arrow.memory.RootAllocator;

/**
 * What {@code ./lakemill bench fuzz} throws bytes at. A target may refuse them with a
 * LakemillException; anything else that comes out of it is a finding.
 */
public final class FuzzTargets {
    private static final CatalogTable TABLE =
            new CatalogTable(
                    new UUID(0, 1),
                    WideRows.NAME,
                    TableKind.INGESTED,
                    WideRows.SCHEMA,
                    "file:///nowhere",
                    "",
                    Map.of(),
                    Instant.EPOCH);

    private FuzzTargets() {}

    /** Something that reads bytes. */
    private interface Reading {
        void read() throws IOException;
    }

    private static void read(Reading reading) {
        try {
            reading.read();
        } catch (LakemillException e) {
            if (e.problem().isBlank()) {
                throw new AssertionError("refused without a word", e);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<ByteString> record(byte[] bytes) {
        return List.of(ByteString.copyFrom(bytes));
    }

    /** Records that are JSON objects. */
    public static final class Json {
        private static final RecordEncoder ENCODER = RecordEncoder.json(WideRows.SCHEMA);

        private Json() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            read(() -> ENCODER.rows(record(bytes)));
        }
    }

    /** Records that are messages of one descriptor. */
    public static final class Proto {
        private static final RecordEncoder ENCODER =
                RecordEncoder.proto(WideRows.NAME, WideRows.SCHEMA, WideRows.type().toByteArray());

        private Proto() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            read(() -> ENCODER.rows(record(bytes)));
        }
    }

    /** Descriptors, and a record of theirs. */
    public static final class Descriptor {
        private Descriptor() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            var encoded = WideRows.type().toByteArray();
            read(() -> RecordEncoder.proto(WideRows.NAME, WideRows.SCHEMA, bytes));
            read(
                    () -> {
                        var mixed = edited(encoded, bytes);
                        RecordEncoder.proto(WideRows.NAME, WideRows.SCHEMA, mixed)
                                .rows(WideRows.messages(1));
                    });
        }
    }

    /** Messages of streams. */
    public static final class Messages {
        private Messages() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            read(() -> WireInput.zerobus(bytes, false));
            read(() -> WireInput.zerobus(bytes, true));
        }
    }

    /** Messages of Arrow Flight: the schema is whole or what the fuzzer says, as is the batch. */
    public static final class Flight {
        private static final byte[] SCHEMA = FlightRows.schema(WideRows.SCHEMA);
        private static final byte[] BATCH = FlightRows.batch(WideRows.SCHEMA);

        private Flight() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            try (var allocator = new RootAllocator(64L << 20)) {
                read(() -> WireInput.flight(TABLE, bytes, BATCH, allocator));
                read(() -> WireInput.flight(TABLE, SCHEMA, bytes, allocator));
                var schema = edited(SCHEMA, bytes);
                read(() -> WireInput.flight(TABLE, schema, BATCH, allocator));
                var batch = edited(BATCH, bytes);
                read(() -> WireInput.flight(TABLE, SCHEMA, batch, allocator));
            }
        }
    }

    /** Descriptors and schemas of Arrow's that are newer than their table. */
    public static final class Growth {
        private static final byte[] DESCRIPTOR = WideRows.type().toByteArray();
        private static final byte[] SCHEMA = FlightRows.schema(WideRows.SCHEMA);

        private Growth() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) {
            read(() -> WireInput.growth(TABLE, bytes, SCHEMA));
            read(() -> WireInput.growth(TABLE, DESCRIPTOR, bytes));
            var descriptor = edited(DESCRIPTOR, bytes);
            read(() -> WireInput.growth(TABLE, descriptor, SCHEMA));
            var schema = edited(SCHEMA, bytes);
            read(() -> WireInput.growth(TABLE, DESCRIPTOR, schema));
        }
    }

    /** A log of a few frames, edited; opened, it says what is damaged or replays what is whole. */
    public static final class Frames {
        private static final Path FOLDER = Path.of("/log");
        private static final LogConfig CONFIG = new LogConfig(16 << 10, 64 << 10, 4 << 10, 1 << 10);

        private Frames() {}

        /** Called by the fuzzer. */
        public static void fuzzerTestOneInput(byte[] bytes) throws InterruptedException {
            var disk = new SimulatedDisk(new Random(1));
            write(disk);
            read(() -> edit(disk, bytes));
            read(() -> open(disk, new CountDownLatch(0)).close());
        }

        private static Log open(SimulatedDisk disk, CountDownLatch durable) {
            return Log.open(
                    FOLDER,
                    CONFIG,
                    disk,
                    _ -> {},
                    new Log.Listener() {
                        @Override
                        public void durable(List<Durable> group) {
                            group.forEach(_ -> durable.countDown());
                        }

                        @Override
                        public void failed(Throwable cause) {
                            throw new AssertionError(cause);
                        }
                    });
        }

        private static void write(SimulatedDisk disk) throws InterruptedException {
            var durable = new CountDownLatch(3);
            try (var log = open(disk, durable)) {
                for (int i = 0; i < 3; i++) {
                    log.offer(new Frame(new UUID(0, 1), new UUID(0, 2), i, new byte[50]));
                }
                durable.await();
            }
        }

        private static void edit(SimulatedDisk disk, byte[] bytes) throws IOException {
            for (var file : disk.list(FOLDER)) {
                try (var handle = disk.open(file)) {
                    var content = ByteBuffer.allocate((int) handle.size());
                    handle.read(content, 0);
                    handle.write(ByteBuffer.wrap(edited(content.array(), bytes)), 0);
                }
            }
        }
    }

    /**
     * Bytes with edits, which the fuzzer's bytes tell four by four: two for the place, one for how
     * it changes, one for the value.
     */
    static byte[] edited(byte[] original, byte[] edits) {
        var bytes = original.clone();
        for (int i = 0; i + 4 <= edits.length && bytes.length > 0; i += 4) {
            int at = ((edits[i] & 0xFF) << 8 | (edits[i + 1] & 0xFF)) % bytes.length;
            switch (edits[i + 2] & 3) {
                case 0 -> bytes[at] = edits[i + 3];
                case 1 -> bytes[at] ^= (byte) (1 << (edits[i + 3] & 7));
                case 2 -> bytes[at] += edits[i + 3];
                default -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
            }
        }
        return bytes;
    }
}
