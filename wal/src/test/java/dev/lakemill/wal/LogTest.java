package dev.lakemill.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log on the machine's own disk. */
final class LogTest {
    private static final LogConfig SMALL = new LogConfig(32 << 10, 256 << 10, 64 << 10, 8 << 10);

    @TempDir Path folder;

    @Test
    void whatIsAcknowledgedIsReplayedOnceAndInOrder() throws Exception {
        Acknowledged first = new Acknowledged();
        try (Log log = open(SMALL, first)) {
            for (int i = 0; i < 1000; i++) {
                Frames.offer(log, Frames.frame(i, i % 200));
            }
            first.awaitFrames(1000);
        }
        assertThat(Frames.told(replayed(SMALL))).isEqualTo(Frames.told(first.frames()));
        assertThat(Frames.told(replayed(SMALL))).isEqualTo(Frames.told(first.frames()));
    }

    @Test
    void closingMakesDurableWhatWasOffered() {
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(LogConfig.DEFAULT, acknowledged)) {
            for (int i = 0; i < 500; i++) {
                assertThat(log.offer(Frames.frame(i, 100))).isTrue();
            }
        }
        assertThat(acknowledged.frames()).hasSize(500);
        assertThat(replayed(LogConfig.DEFAULT)).hasSize(500);
    }

    @Test
    void anLsnIsTheEndOfItsFrameAndGrowsOverRestarts() throws Exception {
        long newest;
        try (Log log = open(SMALL, new Acknowledged())) {
            assertThat(log.durableLsn()).isZero();
        }
        Acknowledged first = new Acknowledged();
        try (Log log = open(SMALL, first)) {
            log.offer(Frames.frame(0, 36));
            first.awaitFrames(1);
            newest = log.durableLsn();
            assertThat(newest).isEqualTo(100).isEqualTo(first.frames().getFirst().lsn());
        }
        Acknowledged second = new Acknowledged();
        try (Log log = open(SMALL, second)) {
            assertThat(log.durableLsn()).isEqualTo(newest);
            log.offer(Frames.frame(1, 36));
            second.awaitFrames(1);
        }
        assertThat(second.frames().getFirst().lsn()).isGreaterThanOrEqualTo(newest + 100);
    }

    @Test
    void releasedFramesAreNotReplayedAfterACleanEnd() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(SMALL, acknowledged)) {
            for (int i = 0; i < 100; i++) {
                log.offer(Frames.frame(i, 100));
            }
            acknowledged.awaitFrames(100);
            log.release(acknowledged.frames().get(59).lsn());
        }
        assertThat(replayed(SMALL))
                .extracting(durable -> durable.frame().offset())
                .startsWith(60L)
                .hasSize(40);
    }

    @Test
    void releasedSegmentsAreUsedAgainAndTheFolderStaysSmall() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(SMALL, acknowledged)) {
            for (int i = 0; i < 4000; i++) {
                Frames.offer(log, Frames.frame(i, 500));
                log.release(log.durableLsn());
                assertThat(log.sizeBytes()).isLessThanOrEqualTo(SMALL.totalBytesMax());
            }
            acknowledged.awaitFrames(4000);
            assertThat(folderBytes()).isLessThanOrEqualTo(SMALL.totalBytesMax());
            log.release(log.durableLsn());
            assertThat(log.sizeBytes()).isZero();
        }
        assertThat(replayed(SMALL)).isEmpty();
        assertThat(log().durableLsn())
                .isGreaterThanOrEqualTo(acknowledged.frames().getLast().lsn());
    }

    private Log log() {
        try (Log log = open(SMALL, new Acknowledged())) {
            return log;
        }
    }

    @Test
    void manyRestartsWithoutAReleaseLoseNothing() {
        for (int i = 0; i < 20; i++) {
            try (Log log = open(SMALL, new Acknowledged())) {
                log.offer(Frames.frame(i, 3_000));
            }
        }
        assertThat(replayed(SMALL))
                .extracting(durable -> durable.frame().offset())
                .containsExactlyElementsOf(Stream.iterate(0L, i -> i + 1).limit(20).toList());
    }

    @Test
    void theLargestFrameFitsAndALargerOneIsRefused() {
        try (Log log = open(SMALL, new Acknowledged())) {
            assertThat(log.offer(Frames.frame(0, 8 << 10))).isTrue();
            assertThatThrownBy(() -> log.offer(Frames.frame(1, (8 << 10) + 1)))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("frameBytesMax, 8192");
        }
        assertThat(replayed(SMALL)).hasSize(1);
    }

    @Test
    void offersFromManyThreadsKeepTheOrderOfEachStream() throws Exception {
        int threads = 8;
        int perThread = 5_000;
        Acknowledged acknowledged = new Acknowledged();
        try (Log log = open(LogConfig.DEFAULT, acknowledged)) {
            List<Thread> producers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                UUID stream = new UUID(0, i);
                producers.add(Thread.startVirtualThread(() -> offerAll(log, stream, perThread)));
            }
            for (Thread producer : producers) {
                producer.join();
            }
            acknowledged.awaitFrames(threads * perThread);
            assertThat(log.stats().frames()).isEqualTo((long) threads * perThread);
            assertThat(log.stats().fsyncs()).isEqualTo(acknowledged.groups());
        }
        Map<UUID, List<Long>> offsets =
                replayed(LogConfig.DEFAULT).stream()
                        .collect(
                                Collectors.groupingBy(
                                        durable -> durable.frame().stream(),
                                        Collectors.mapping(
                                                durable -> durable.frame().offset(),
                                                Collectors.toList())));
        assertThat(offsets).hasSize(threads);
        assertThat(offsets.values()).allSatisfy(list -> assertThat(list).isSorted());
        assertThat(offsets.values()).allSatisfy(list -> assertThat(list).hasSize(perThread));
    }

    /** Some flush, some do not. */
    private static void offerAll(Log log, UUID stream, int count) {
        var flushes = stream.getLeastSignificantBits() % 2 == 0;
        try {
            for (int i = 0; i < count; i++) {
                var frame = Frames.frame(stream, i, 50);
                if (flushes) {
                    Frames.offerAndFlush(log, frame);
                } else {
                    Frames.offer(log, frame);
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aClosedLogRefusesOffers() {
        Log log = open(SMALL, new Acknowledged());
        log.close();
        log.close();
        assertThat(refusal(() -> log.offer(Frames.frame(0, 1))))
                .isEqualTo(ErrorCode.FAILED_PRECONDITION);
    }

    @Test
    void aFolderInUseIsRefusedAndFreedByClosing() {
        try (Log log = open(SMALL, new Acknowledged())) {
            assertThat(refusal(() -> open(SMALL, new Acknowledged())))
                    .isEqualTo(ErrorCode.FAILED_PRECONDITION);
            log.offer(Frames.frame(0, 1));
        }
        assertThat(replayed(SMALL)).hasSize(1);
    }

    @Test
    void aFolderThatCannotBeMadeIsOneClearError() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        assertThatThrownBy(
                        () ->
                                Log.open(
                                        file.resolve("log"),
                                        SMALL,
                                        Disk.real(),
                                        durable -> {},
                                        new Acknowledged()))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("hint: make it a folder that this user can read and write");
    }

    @Test
    void anotherProcessIsKeptOutAndWhatItWasToldOfSurvivesItsKill() throws Exception {
        Process process = start(KilledProcess.class);
        List<Long> told = new ArrayList<>();
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line = output.readLine();
            assertThat(refusal(() -> open(SMALL, new Acknowledged())))
                    .isEqualTo(ErrorCode.FAILED_PRECONDITION);
            while (told.size() < 2000 && line != null) {
                told.add(Long.valueOf(line));
                line = output.readLine();
            }
            process.destroyForcibly().waitFor();
        }
        assertThat(told).hasSize(2000);
        assertThat(replayed(SMALL))
                .extracting(durable -> durable.frame().offset())
                .doesNotHaveDuplicates()
                .isSorted()
                .containsAll(told);
    }

    private Process start(Class<?> main) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> command =
                List.of(
                        java,
                        "-cp",
                        System.getProperty("java.class.path"),
                        main.getName(),
                        folder.toString());
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    /** Prints the offset of every frame once it is durable, until it is killed. */
    static final class KilledProcess {
        private KilledProcess() {}

        public static void main(String[] arguments) throws InterruptedException {
            LogConfig large = new LogConfig(32 << 10, 64 << 20, 64 << 10, 8 << 10);
            Log log =
                    Log.open(
                            Path.of(arguments[0]),
                            large,
                            Disk.real(),
                            durable -> {},
                            new Log.Listener() {
                                @Override
                                public void durable(List<Durable> group) {
                                    group.forEach(d -> System.out.println(d.frame().offset()));
                                    System.out.flush();
                                }

                                @Override
                                public void failed(Throwable cause) {
                                    System.exit(1);
                                }
                            });
            for (long i = 0; ; i++) {
                Frames.offer(log, Frames.frame(i, 40));
            }
        }
    }

    private Log open(LogConfig config, Log.Listener listener) {
        return Log.open(folder, config, Disk.real(), durable -> {}, listener);
    }

    private List<Durable> replayed(LogConfig config) {
        List<Durable> replayed = new ArrayList<>();
        Log.open(folder, config, Disk.real(), replayed::add, new Acknowledged()).close();
        return replayed;
    }

    private long folderBytes() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static ErrorCode refusal(ThrowingCallable action) {
        return catchThrowableOfType(LakemillException.class, action).code();
    }
}
