package dev.lakemill.ingest;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import dev.lakemill.wal.LogConfig;
import dev.lakemill.wal.SimulatedDisk;
import dev.lakemill.wal.SteppedLog;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The way of rows from the log to Delta in one thread, so that a seed decides everything: the log
 * and the landings are the real ones, disk, Delta and clock are simulated. Two tables live several
 * lives, each ended at any operation of the disk by a kill, a power cut or a failed sync, while
 * Delta refuses commits or loses their answers and the clock jumps. At the end every acknowledged
 * row stands in Delta once, in the order of its stream, and the offsets of persistent streams are
 * there. For tests and benches; one thread uses it.
 */
public final class DrainSimulation implements AutoCloseable {
    private static final Path FOLDER = Path.of("/log");
    private static final TableSchema SCHEMA = TableSchema.of(Column.required("id", Primitive.LONG));
    static final String APPLICATION = "lakemill-log/simulation";
    private static final int DRAINS_MAX = 10_000;

    private final BufferAllocator allocator = new RootAllocator();

    /** An empty one, for the feeds, which nobody reads. */
    private final DeltaTable empty;

    /**
     * @param folder an empty one
     */
    public DrainSimulation(Path folder) {
        this.empty =
                DeltaTable.create(
                        folder.resolve("empty"),
                        SCHEMA,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC());
    }

    /** What happened in a run. */
    public record Outcome(long rows, long lives, long commits, long failedCommits) {
        public static final Outcome NONE = new Outcome(0, 0, 0, 0);

        public Outcome plus(Outcome other) {
            return new Outcome(
                    rows + other.rows,
                    lives + other.lives,
                    commits + other.commits,
                    failedCommits + other.failedCommits);
        }
    }

    /**
     * @throws IllegalStateException saying what broke, with the seed
     */
    public Outcome run(long seed) {
        try {
            return new Run(seed).run();
        } catch (IOException | InterruptedException | RuntimeException e) {
            throw new IllegalStateException("with the seed " + seed + ": " + e, e);
        }
    }

    /** Landings without threads, on a clock. */
    Landings landings(long pendingBytesMax, InstantSource now) {
        var surroundings =
                new Ingest.Surroundings(
                        new NoProducers(),
                        _ -> RowPolicy.REFUSE,
                        new Untold(),
                        allocator,
                        now.withZone(ZoneOffset.UTC));
        var config = LandingConfig.DEFAULT.with(Duration.ZERO, 2_000, pendingBytesMax);
        return new Landings(APPLICATION, config, surroundings);
    }

    /** Adds a table by its number; its feed is the caller's to close. */
    TableFeed add(Landings landings, int number, SimulatedTable bronze) {
        var table =
                new CatalogTable(
                        new UUID(0, number + 1),
                        name(number),
                        TableKind.INGESTED,
                        SCHEMA,
                        "file:///none",
                        "",
                        Map.of(),
                        Instant.EPOCH);
        var feed = new TableFeed(table.name(), empty, APPLICATION, 1 << 16);
        landings.add(new IngestTable(table, empty, feed), bronze);
        return feed;
    }

    static Landing landing(Landings landings, int number) {
        return landings.find(name(number)).orElseThrow();
    }

    private static TableName name(int number) {
        return new TableName("simulated", "bronze", "t" + number);
    }

    @Override
    public void close() {
        empty.close();
        allocator.close();
    }

    private final class Run {
        private final Random random;
        private final SimulatedDisk disk;
        private final LogConfig config;
        private final List<SimulatedTable> tables = new ArrayList<>();
        private long nextId;
        private long micros = 1_764_000_000_000_000L;
        private long lives;

        Run(long seed) {
            random = new Random(seed);
            disk = new SimulatedDisk(random);
            int segmentBytes = 10_000 + random.nextInt(8_000);
            config = new LogConfig(segmentBytes, segmentBytes * 5L, 1 << 20, 1_500);
            for (int i = 0; i < 2; i++) {
                tables.add(new SimulatedTable(APPLICATION, random));
            }
        }

        Outcome run() throws IOException, InterruptedException {
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                if (random.nextInt(4) > 0) {
                    disk.stopAfter(random.nextInt(150));
                }
                if (random.nextInt(4) == 0) {
                    disk.failSyncAfter(random.nextInt(12));
                }
                tables.forEach(table -> table.trouble(random.nextInt(3) * 0.2));
                live(false);
                disk.restart(
                        random.nextBoolean()
                                ? SimulatedDisk.End.KILL
                                : SimulatedDisk.End.POWER_CUT);
            }
            tables.forEach(table -> table.trouble(0));
            live(true);
            tables.forEach(SimulatedTable::check);
            return new Outcome(
                    tables.stream().mapToLong(SimulatedTable::rowCount).sum(),
                    lives,
                    tables.stream().mapToLong(SimulatedTable::commits).sum(),
                    tables.stream().mapToLong(SimulatedTable::failures).sum());
        }

        /** From a start to a crash; the last life ends when all is in Delta. */
        private void live(boolean last) throws IOException, InterruptedException {
            lives++;
            InstantSource now = () -> Instant.EPOCH.plusNanos(micros * 1_000);
            var landings = landings(random.nextBoolean() ? 6_000 : 1 << 20, now);
            var feeds = new ArrayList<TableFeed>();
            try {
                for (int i = 0; i < tables.size(); i++) {
                    feeds.add(add(landings, i, tables.get(i)));
                }
                live(landings, last);
            } catch (LakemillException | IOException e) {
                if (last || !tables.getFirst().isTrouble(e)) {
                    throw e;
                }
            } finally {
                landings.abandon();
                feeds.forEach(TableFeed::close);
            }
        }

        private void live(Landings landings, boolean last)
                throws IOException, InterruptedException {
            var told =
                    new SteppedLog.Told(
                            frame -> {
                                of(frame).replayed(frame.frame());
                                landings.replay(frame);
                            },
                            group -> {
                                group.forEach(frame -> of(frame).acknowledged(frame.frame()));
                                landings.durable(group);
                            },
                            () -> drain(landings));
            tables.forEach(SimulatedTable::restarted);
            var log = SteppedLog.open(FOLDER, config, disk, random, told);
            landings.attach(end(log));
            for (int i = random.nextInt(40); i > 0; i--) {
                step(landings, log);
            }
            if (last) {
                drain(landings);
            }
            if (random.nextBoolean()) {
                log.mark();
            }
        }

        private SimulatedTable of(Durable frame) {
            return tables.get((int) frame.frame().table().getLeastSignificantBits() - 1);
        }

        private static LogEnd end(SteppedLog log) {
            return new LogEnd() {
                @Override
                public long durableLsn() {
                    return log.durableLsn();
                }

                @Override
                public void release(long lsn) {
                    log.release(lsn);
                }
            };
        }

        private void step(Landings landings, SteppedLog log)
                throws IOException, InterruptedException {
            micros += random.nextInt(10) == 0 ? random.nextLong(-1L << 35, 1L << 35) : 1_000;
            var landing = landing(landings, random.nextInt(tables.size()));
            switch (random.nextInt(8)) {
                case 0, 1 -> landing.publishOnce();
                case 2, 3 -> attempt(landing);
                case 4 -> log.step();
                case 5 -> log.mark();
                default -> log.commit(frames(landings));
            }
        }

        private static void attempt(Landing landing) {
            try {
                landing.commitOnce();
            } catch (LakemillException e) {
                // The same rows are next again.
            }
        }

        /** Everything that is here goes to Delta, which is well again. */
        private void drain(Landings landings) {
            for (int i = 0; i < tables.size(); i++) {
                tables.get(i).trouble(0);
                var landing = landing(landings, i);
                for (int n = 0; landing.publishOnce() || landing.commitOnce(); n++) {
                    if (n == DRAINS_MAX) {
                        throw new IllegalStateException("it is never empty");
                    }
                }
            }
        }

        private List<Frame> frames(Landings landings) {
            var frames = new ArrayList<Frame>();
            for (int i = 1 + random.nextInt(8); i > 0; i--) {
                int number = random.nextInt(tables.size());
                int rows = random.nextInt(5);
                var out = new RowWriter(config.frameBytesMax());
                var ids = new ArrayList<Long>();
                for (int row = 0; row < rows; row++) {
                    ids.add(nextId);
                    int begin = out.beginLength();
                    out.tag(1, RowWriter.VARINT);
                    out.varint(nextId++);
                    out.endLength(begin);
                }
                var table = landing(landings, number).table().id();
                var frame = tables.get(number).offered(table, ids, out.toByteArray());
                landing(landings, number).expect(frame.payload().length);
                frames.add(frame);
            }
            return frames;
        }
    }

    private static final class NoProducers implements ProducerAccess {
        @Override
        public Producer authenticate(
                String door, @Nullable String authorization, String address, UUID stream) {
            throw new IllegalStateException("nobody comes");
        }

        @Override
        public AutoCloseable onChange(Runnable listener) {
            return () -> {};
        }
    }

    private static final class Untold implements IngestHistory {
        @Override
        public void stream(StreamEvent event) {}

        @Override
        public void landed(LandedEvent event) {}
    }
}
