package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** What the log does when a queue, the log or the disk is full, and when the disk fails. */
final class BackPressureTest {
    private static final Path FOLDER = Path.of("/log");
    private static final int SEGMENT_BYTES = 20_000;
    private static final LogConfig CONFIG = new LogConfig(SEGMENT_BYTES, 60_000, 30_000, 4_000);

    private final SimulatedDisk disk = new SimulatedDisk(new Random(1));

    @Test
    void aFullQueueRefusesUntilTheWriterHasCaughtUp() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        Gated listener = new Gated(gate);
        Log log = open(listener);
        try (log) {
            int offered =
                    offerUntilRefused(
                            log,
                            () -> log.stats().queuedBytes() >= CONFIG.queuedBytesMax() - 1_064);
            assertThat(log.stats().queuedBytes())
                    .isBetween(CONFIG.queuedBytesMax() - 1_064, CONFIG.queuedBytesMax());
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            assertThat(space.getCount()).isEqualTo(1);
            gate.countDown();
            assertThat(space.await(1, TimeUnit.MINUTES)).isTrue();
            listener.acknowledged.awaitFrames(offered);
        }
        assertThat(log.stats().queuedBytes()).isZero();
    }

    private record Gated(CountDownLatch gate, Acknowledged acknowledged) implements Log.Listener {
        Gated(CountDownLatch gate) {
            this(gate, new Acknowledged());
        }

        @Override
        public void durable(List<Durable> group) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            acknowledged.durable(group);
        }

        @Override
        public void failed(Throwable cause) {
            acknowledged.failed(cause);
        }
    }

    @Test
    void aFullLogRefusesUntilFramesAreReleasedAndLosesNothing() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        int offered;
        try (Log log = open(acknowledged)) {
            offered = offerUntilRefused(log, segments(3));
            assertThat(disk.files(Segment.SEGMENT)).hasSize(3);
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            assertThat(space.getCount()).isEqualTo(1);
            assertThat(log.sizeBytes()).isEqualTo(60_000);
            log.release(log.durableLsn());
            assertThat(space.await(1, TimeUnit.MINUTES)).isTrue();
            acknowledged.awaitFrames(offered);
        }
        assertThat(acknowledged.frames())
                .extracting(durable -> durable.frame().offset())
                .isSorted()
                .hasSize(offered);
    }

    @Test
    void aFailedSyncOfTheFolderIsTriedAgainWhenASegmentIsFreed() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        int offered;
        try (Log log = open(acknowledged)) {
            offered = offerUntilRefused(log, segments(3));
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            disk.failFolderSyncAfter(0);
            log.release(log.durableLsn());
            assertThat(space.await(1, TimeUnit.MINUTES)).isTrue();
            acknowledged.awaitFrames(offered);
        }
    }

    @Test
    void memoryThatIsShortForAMomentIsWaitedFor() throws Exception {
        AtomicInteger creations = new AtomicInteger();
        Disk shortOnce =
                (Disk)
                        Proxy.newProxyInstance(
                                Disk.class.getClassLoader(),
                                new Class<?>[] {Disk.class},
                                (_, method, arguments) -> {
                                    if (method.getName().equals("create")
                                            && creations.incrementAndGet() == 2) {
                                        throw new OutOfMemoryError("Direct buffer memory");
                                    }
                                    try {
                                        return method.invoke(disk, arguments);
                                    } catch (InvocationTargetException e) {
                                        throw e.getTargetException();
                                    }
                                });
        Surroundings surroundings = new Surroundings(shortOnce, new Random(2)::nextLong, 1_000, 1);
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = Log.open(FOLDER, CONFIG, surroundings, _ -> {}, acknowledged)) {
            int offered = offerUntilRefused(log, segments(3));
            assertThat(disk.files(Segment.SEGMENT)).hasSize(3);
            log.release(log.durableLsn());
            acknowledged.awaitFrames(offered);
        }
        assertThat(creations).hasValueGreaterThan(2);
    }

    @Test
    void aFullDiskRefusesUntilThereIsSpaceAndLosesNothing() throws Exception {
        disk.capacity(SEGMENT_BYTES * 2L + 5_000);
        LogConfig large = new LogConfig(SEGMENT_BYTES, 600_000, 30_000, 4_000);
        Acknowledged acknowledged = new Acknowledged();
        int offered;
        try (Log log = open(large, acknowledged)) {
            offered = offerUntilRefused(log, segments(2));
            assertThat(disk.files(Segment.SEGMENT)).hasSize(2);
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            assertThat(space.getCount()).isEqualTo(1);
            disk.capacity(Long.MAX_VALUE);
            assertThat(space.await(1, TimeUnit.MINUTES)).isTrue();
            acknowledged.awaitFrames(offered);
        }
        assertThat(Frames.told(replayed())).isEqualTo(Frames.told(acknowledged.frames()));
    }

    @Test
    void aLogClosedWhileFullEndsAndTellsWhatItCouldNotKeep() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        Log log = open(acknowledged);
        offerUntilRefused(log, segments(3));
        log.close();
        assertThat(acknowledged.awaitFailure())
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.RESOURCE_EXHAUSTED));
        assertThat(Frames.told(replayed())).isEqualTo(Frames.told(acknowledged.frames()));
    }

    @Test
    void aFullDiskAtTheStartIsOneClearError() {
        disk.capacity(SEGMENT_BYTES - 1);
        assertThatThrownBy(() -> open(new Acknowledged()))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("hint:");
        disk.capacity(Long.MAX_VALUE);
        open(new Acknowledged()).close();
    }

    @Test
    void afterAFailedSyncNothingIsAcknowledgedAndOffersThrow() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(acknowledged)) {
            log.offer(Frames.frame(0, 100));
            acknowledged.awaitFrames(1);
            awaitSpare();
            disk.failSyncAfter(0);
            assertThatThrownBy(() -> offerForEver(log))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE));
            assertThat(acknowledged.awaitFailure()).hasMessageContaining("Input/output error");
            CountDownLatch told = new CountDownLatch(1);
            log.whenSpace(told::countDown);
            assertThat(told.getCount()).isZero();
        }
        assertThat(acknowledged.frames()).hasSize(1);
        disk.restart(SimulatedDisk.End.POWER_CUT);
        assertThat(Frames.told(replayed())).containsAll(Frames.told(acknowledged.frames()));
    }

    @Test
    void aListenerThatThrowsFailsTheLog() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        Log.Listener throwing =
                new Log.Listener() {
                    @Override
                    public void durable(List<Durable> group) {
                        throw new IllegalStateException("as told");
                    }

                    @Override
                    public void failed(Throwable cause) {
                        acknowledged.failed(cause);
                    }
                };
        try (Log log = open(throwing)) {
            log.offer(Frames.frame(0, 1));
            assertThat(acknowledged.awaitFailure()).hasMessageContaining("as told");
        }
        assertThat(replayed()).hasSize(1);
    }

    /** From then on, until a segment is full, only the writer syncs. */
    private void awaitSpare() throws InterruptedException {
        while (disk.files(Segment.SPARE).isEmpty()) {
            Thread.sleep(1);
        }
    }

    private static void offerForEver(Log log) {
        for (long offset = 1; ; offset++) {
            log.offer(Frames.frame(offset, 100));
        }
    }

    private Log open(Log.Listener listener) {
        return open(CONFIG, listener);
    }

    private Log open(LogConfig config, Log.Listener listener) {
        return Log.open(FOLDER, config, surroundings(), durable -> {}, listener);
    }

    private Surroundings surroundings() {
        return new Surroundings(disk, new Random(2)::nextLong, 1_000, 1);
    }

    private List<Durable> replayed() {
        List<Durable> replayed = new ArrayList<>();
        Log.open(FOLDER, CONFIG, surroundings(), replayed::add, new Acknowledged()).close();
        return replayed;
    }

    private BooleanSupplier segments(int count) {
        return () -> disk.files(Segment.SEGMENT).size() == count;
    }

    /**
     * Offers frames of 1000 bytes until the log is full and one is refused for more than a moment.
     * A writer that is only slow, on a machine that has other things to do, is waited for.
     */
    private static int offerUntilRefused(Log log, BooleanSupplier full)
            throws InterruptedException {
        int offered = 0;
        while (true) {
            CountDownLatch space = new CountDownLatch(1);
            if (log.offer(Frames.frame(offered, 1_000))) {
                offered++;
                continue;
            }
            log.whenSpace(space::countDown);
            while (!full.getAsBoolean() && space.getCount() > 0) {
                Thread.sleep(1);
            }
            if (!space.await(300, TimeUnit.MILLISECONDS)) {
                return offered;
            }
        }
    }
}
