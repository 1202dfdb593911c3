package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who flushes makes durable what was offered, or has the log's thread do it. */
@Timeout(60)
final class FlushTest {
    private static final Path FOLDER = Path.of("/log");
    private static final LogConfig CONFIG = new LogConfig(20_000, 200_000, 100_000, 4_000);

    private final SimulatedDisk disk = new SimulatedDisk(new Random(1));
    private final Told told = new Told();

    /** Remembers on which threads it was told. */
    private static final class Told implements Log.Listener {
        private final Acknowledged acknowledged = new Acknowledged();
        private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();
        private volatile Runnable onFailure = () -> {};

        @Override
        public void durable(List<Durable> group) {
            threads.add(Thread.currentThread());
            acknowledged.durable(group);
        }

        @Override
        public void failed(Throwable cause) {
            acknowledged.failed(cause);
            onFailure.run();
        }
    }

    private Log open(Disk on) {
        return open(on, told);
    }

    /** A log whose own thread waits to be woken. */
    private static Log open(Disk on, Log.Listener listener) {
        var surroundings = new Surroundings(on, new Random(2)::nextLong, 60_000, 1);
        var log = Log.open(FOLDER, CONFIG, surroundings, _ -> {}, listener);
        while (!isWaiting()) {
            Thread.onSpinWait();
        }
        return log;
    }

    private static boolean isWaiting() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(
                        thread ->
                                thread.getName().equals("lakemill-log")
                                        && thread.getState() == Thread.State.TIMED_WAITING);
    }

    @Test
    void littleIsDurableWhenFlushReturns() {
        try (Log log = open(disk)) {
            for (int i = 0; i < 8; i++) {
                assertThat(log.offerUnflushed(Frames.frame(i, 100))).isTrue();
            }
            log.flush();
            assertThat(told.acknowledged.frames()).hasSize(8);
            assertThat(log.stats().fsyncs()).isEqualTo(1);
            assertThat(log.stats().queuedBytes()).isZero();
            assertThat(told.threads).containsOnly(Thread.currentThread());
        }
    }

    @Test
    void muchAndWhatNeedsAnotherSegmentIsTheLogsOwn() throws Exception {
        try (Log log = open(disk)) {
            for (int i = 0; i < 9; i++) {
                log.offerUnflushed(Frames.frame(i, 100));
            }
            log.flush();
            told.acknowledged.awaitFrames(9);
            assertThat(told.threads).doesNotContain(Thread.currentThread());
            for (int i = 9; i < 29; i++) {
                log.offerUnflushed(Frames.frame(i, 4_000));
                log.flush();
                told.acknowledged.awaitFrames(i + 1);
            }
            assertThat(disk.files(Segment.SEGMENT)).hasSizeGreaterThan(4);
        }
        assertThat(told.threads).filteredOn(Thread.currentThread()::equals).hasSizeLessThan(17);
    }

    @Test
    void aSlowDiskIsWaitedForByTheLogsThread() throws Exception {
        try (Log log = open(new DelayedDisk(disk, () -> LockSupport.parkNanos(1_000_000)))) {
            for (int i = 0; i < 5; i++) {
                log.offerUnflushed(Frames.frame(i, 100));
                log.flush();
                told.acknowledged.awaitFrames(i + 1);
            }
        }
        // The first one found out.
        assertThat(told.threads).hasSize(5);
        assertThat(told.threads).filteredOn(Thread.currentThread()::equals).hasSizeLessThan(2);
    }

    @Test
    void aFailedSyncOfWhoFlushesEndsTheLog() throws Exception {
        var syncs = new AtomicInteger();
        Log log = open(new DelayedDisk(disk, syncs::incrementAndGet));
        log.offerUnflushed(Frames.frame(0, 100));
        log.flush();
        // Whoever hears of it may close the log, which waits for the log's thread.
        told.onFailure = log::close;
        disk.failSyncAfter(0);
        log.offerUnflushed(Frames.frame(1, 100));
        int before = syncs.get();
        log.flush();
        assertThat(told.acknowledged.awaitFailure()).hasMessageContaining("failed");
        assertThat(told.acknowledged.frames()).hasSize(1);
        assertThatThrownBy(() -> log.offerUnflushed(Frames.frame(2, 100)))
                .isInstanceOf(LakemillException.class);
        log.flush();
        log.close();
        assertThat(told.acknowledged.frames()).hasSize(1);
        assertThat(syncs).hasValue(before + 1);
    }

    @Test
    void whatNobodyFlushesBecomesDurableAtTheEnd() {
        try (Log log = open(disk)) {
            log.offerUnflushed(Frames.frame(0, 100));
        }
        assertThat(told.acknowledged.frames()).hasSize(1);
    }

    /** The log's thread would find what was forgotten only after a minute. */
    @Test
    void nobodyIsForgotten() throws Exception {
        var durable = new AtomicLongArray(4);
        var listener =
                new Log.Listener() {
                    @Override
                    public void durable(List<Durable> group) {
                        for (var one : group) {
                            var stream = one.frame().stream().getLeastSignificantBits();
                            durable.set((int) stream, one.frame().offset());
                        }
                    }

                    @Override
                    public void failed(Throwable cause) {
                        told.failed(cause);
                    }
                };
        try (Log log = open(disk, listener)) {
            var producers = new ArrayList<Thread>();
            for (int i = 0; i < durable.length(); i++) {
                int stream = i;
                producers.add(
                        Thread.ofPlatform()
                                .start(() -> sendOneByOne(log, new UUID(0, stream), durable)));
            }
            for (var producer : producers) {
                producer.join();
            }
        }
        assertThat(durable.toString()).isEqualTo("[2000, 2000, 2000, 2000]");
    }

    /** Every other stream flushes. */
    private static void sendOneByOne(Log log, UUID stream, AtomicLongArray durable) {
        int index = (int) stream.getLeastSignificantBits();
        for (int offset = 1; offset <= 2_000; offset++) {
            var frame = Frames.frame(stream, offset, 20);
            if (index % 2 == 0) {
                log.offerUnflushed(frame);
                log.flush();
            } else {
                log.offer(frame);
            }
            while (durable.get(index) < offset) {
                LockSupport.parkNanos(1_000);
            }
            log.release(log.durableLsn());
        }
    }

    /** Nobody waits behind one who writes: its frames are written next, by the log's thread. */
    @Test
    void oneFlushesAtATime() throws Exception {
        var inside = new CountDownLatch(1);
        var leave = new CountDownLatch(1);
        var gated =
                new Log.Listener() {
                    @Override
                    public void durable(List<Durable> group) {
                        inside.countDown();
                        await(leave);
                        told.durable(group);
                    }

                    @Override
                    public void failed(Throwable cause) {
                        told.failed(cause);
                    }
                };
        try (Log log = open(disk, gated)) {
            var first =
                    Thread.startVirtualThread(
                            () -> {
                                log.offerUnflushed(Frames.frame(0, 100));
                                log.flush();
                            });
            await(inside);
            log.offerUnflushed(Frames.frame(1, 100));
            log.flush();
            assertThat(told.acknowledged.frames()).isEmpty();
            leave.countDown();
            first.join();
            told.acknowledged.awaitFrames(2);
            assertThat(told.acknowledged.frames())
                    .extracting(durable -> durable.frame().offset())
                    .containsExactly(0L, 1L);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
