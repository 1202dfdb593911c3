package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The log's parts on a simulated disk, in one thread, so that a seed decides everything: many lives
 * of one log, each ended at any operation by a kill, a power cut or a failed sync.
 */
final class CrashTest {
    private static final Path FOLDER = Path.of("/log");

    @Test
    void acknowledgedFramesSurviveAnyNumberOfCrashes() {
        Seeds.check(4000, this::acknowledgedFramesSurviveAnyNumberOfCrashes);
    }

    private void acknowledgedFramesSurviveAnyNumberOfCrashes(long seed) throws Exception {
        new Lives(seed).run();
    }

    /** As above with the log's own threads, and many producers: here the seed decides less. */
    @Test
    void acknowledgedFramesSurviveAlsoWithManyThreads() {
        Seeds.check(100, this::acknowledgedFramesSurviveAlsoWithManyThreads);
    }

    private void acknowledgedFramesSurviveAlsoWithManyThreads(long seed) throws Exception {
        Random random = new Random(seed);
        SimulatedDisk disk = new SimulatedDisk(random);
        Promises promises = new Promises();
        AtomicLong offsets = new AtomicLong();
        for (int life = 0; life < 4; life++) {
            disk.stopAfter(life == 3 ? Long.MAX_VALUE : 50 + random.nextInt(300));
            live(disk, promises, offsets);
            disk.restart(
                    random.nextBoolean() ? SimulatedDisk.End.KILL : SimulatedDisk.End.POWER_CUT);
        }
    }

    private static void live(SimulatedDisk disk, Promises promises, AtomicLong offsets)
            throws InterruptedException {
        LogConfig config = new LogConfig(12_000, 36_000, 8_000, 2_000);
        Surroundings surroundings = new Surroundings(disk, new Random()::nextLong, 1, 1);
        List<Durable> replayed = new ArrayList<>();
        List<Thread> producers = new ArrayList<>();
        Promised listener = new Promised(promises, new AtomicReference<>());
        try (Log log = Log.open(FOLDER, config, surroundings, replayed::add, listener)) {
            promises.replayed(replayed);
            listener.log.set(log);
            listener.release(promises.newestLsn());
            for (int i = 0; i < 4; i++) {
                producers.add(Thread.startVirtualThread(() -> produce(log, promises, offsets)));
            }
            while (!disk.isStopped() && producers.stream().anyMatch(Thread::isAlive)) {
                producers.getFirst().join(Duration.ofMillis(1));
            }
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.DATA_LOSS) {
                throw e;
            }
        }
        for (Thread producer : producers) {
            producer.join();
        }
    }

    private static void produce(Log log, Promises promises, AtomicLong offsets) {
        try {
            for (int i = 0; i < 100; i++) {
                long offset = offsets.getAndIncrement();
                Frame frame = Frames.frame(offset, (int) (offset % 500));
                promises.offered(frame);
                if (offset % 3 == 0) {
                    Frames.offer(log, frame);
                } else {
                    Frames.offerAndFlush(log, frame);
                }
            }
        } catch (LakemillException e) {
            // The disk has stopped.
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Releases every frame as soon as it is durable, but for the newest ones. */
    private record Promised(Promises promises, AtomicReference<@Nullable Log> log)
            implements Log.Listener {
        @Override
        public void durable(List<Durable> group) {
            promises.acknowledged(group);
            release(group.getLast().lsn());
        }

        void release(long newestLsn) {
            Log releasing = log.get();
            if (releasing != null) {
                long lsn = Math.max(0, newestLsn - 5_000);
                promises.released(lsn);
                releasing.release(lsn);
            }
        }

        @Override
        public void failed(Throwable cause) {
            // The promises tell what matters.
        }
    }

    private static final class Lives {
        private final Random random;
        private final SimulatedDisk disk;
        private final Promises promises = new Promises();
        private final LogConfig config;
        private final Surroundings surroundings;
        private final boolean equalFrames;
        private long nextOffset;

        Lives(long seed) {
            random = new Random(seed);
            disk = new SimulatedDisk(random);
            equalFrames = random.nextBoolean();
            int frameBytesMax = 200 + random.nextInt(3_000);
            int segmentBytes = frameBytesMax + 8_192 + random.nextInt(10_000);
            long totalBytesMax = segmentBytes * (2L + random.nextInt(4));
            config = new LogConfig(segmentBytes, totalBytesMax, 1 << 20, frameBytesMax);
            surroundings = new Surroundings(disk, random::nextLong, 1_000, 1);
        }

        void run() throws Exception {
            int lives = 2 + random.nextInt(6);
            for (int i = 0; i < lives; i++) {
                if (random.nextInt(4) > 0) {
                    disk.stopAfter(random.nextInt(120));
                }
                if (random.nextInt(4) == 0) {
                    disk.failSyncAfter(random.nextInt(12));
                }
                live();
                disk.restart(
                        random.nextBoolean()
                                ? SimulatedDisk.End.KILL
                                : SimulatedDisk.End.POWER_CUT);
            }
            live();
        }

        private void live() throws Exception {
            try {
                List<Durable> replayed = new ArrayList<>();
                Recovery recovery = new Recovery(FOLDER, disk);
                recovery.run();
                SegmentPool pool = SegmentPool.open(FOLDER, config, surroundings, recovery);
                recovery.replay(replayed::add);
                promises.replayed(replayed);
                LogWriter writer =
                        LogWriter.open(
                                pool,
                                recovery,
                                () -> spare(pool),
                                (group, bytes, nanos) -> promises.acknowledged(group));
                work(pool, writer);
            } catch (LakemillException e) {
                if (e.code() == ErrorCode.DATA_LOSS) {
                    throw e;
                }
            } catch (IOException e) {
                // The life ends here, as the disk was told.
            }
        }

        private void work(SegmentPool pool, LogWriter writer) throws Exception {
            int steps = random.nextInt(30);
            for (int i = 0; i < steps; i++) {
                switch (random.nextInt(6)) {
                    case 0 -> release(pool, someLsn());
                    case 1 -> pool.step();
                    case 2 -> writer.mark();
                    default -> writer.commit(frames());
                }
            }
            if (random.nextBoolean()) {
                writer.mark();
            }
        }

        private Path spare(SegmentPool pool) throws IOException {
            while (pool.step()) {}
            return pool.poll().orElseGet(() -> spareAfterRelease(pool));
        }

        private Path spareAfterRelease(SegmentPool pool) {
            release(pool, promises.newestLsn());
            while (pool.step()) {}
            return pool.poll().orElseThrow(() -> stopped());
        }

        private LakemillException stopped() {
            if (disk.isStopped()) {
                return new LakemillException(ErrorCode.UNAVAILABLE, "the disk has stopped", "");
            }
            throw new AssertionError("no spare though everything is released");
        }

        private void release(SegmentPool pool, long lsn) {
            promises.released(lsn);
            pool.release(lsn);
        }

        private long someLsn() {
            long newest = promises.newestLsn();
            return newest == 0 ? 0 : random.nextLong(newest + 1);
        }

        private List<Frame> frames() {
            List<Frame> frames = new ArrayList<>();
            int count = 1 + random.nextInt(12);
            for (int i = 0; i < count; i++) {
                byte[] payload = new byte[payloadBytes()];
                random.nextBytes(payload);
                UUID table = new UUID(random.nextLong(), random.nextLong());
                UUID stream = new UUID(random.nextLong(), random.nextLong());
                Frame frame = new Frame(table, stream, nextOffset++, payload);
                promises.offered(frame);
                frames.add(frame);
            }
            return frames;
        }

        private int payloadBytes() {
            if (equalFrames) {
                return 100;
            }
            int max = config.frameBytesMax();
            return random.nextInt(4) == 0 ? random.nextInt(max + 1) : random.nextInt(100);
        }
    }
}
