package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files come in while the process that reads them is killed again and again. */
@Timeout(300)
final class FileLandingKillTest {
    private static final int KILLS = 3;
    private static final int FILES_A_LIFE = 4;
    private static final int ROWS = 2_000;

    @TempDir Path folder;

    @Test
    void everyRowOfAFolderIsThereOnce() throws Exception {
        Files.createDirectories(folder.resolve("in"));
        everyRowIsThereOnce(new Place("in", ""), this::put);
    }

    @Test
    void everyRowOfABucketIsThereOnce() throws Exception {
        try (var buckets = new TestBuckets()) {
            everyRowIsThereOnce(
                    new Place("s3://lake/in", buckets.endpoint()),
                    number -> buckets.put("in/" + name(number), lines(number)));
        }
    }

    private record Place(String path, String endpoint) {}

    private interface Writer {
        void put(int number) throws IOException;
    }

    private void everyRowIsThereOnce(Place place, Writer writer) throws Exception {
        var random = new Random(7);
        var files = 0;
        for (int life = 0; life < KILLS; life++) {
            var process = start(place);
            try {
                for (int i = 0; i < FILES_A_LIFE; i++) {
                    writer.put(files++);
                    Thread.sleep(random.nextInt(300));
                }
                awaitRows(process, files - FILES_A_LIFE);
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
        var expected = LongStream.range(0, (long) files * ROWS).boxed().toList();
        try (var allocator = new RootAllocator();
                var landing = landing(folder, place, allocator)) {
            while (landing.status().files() < files) {
                assertThat(landing.status().error()).isEmpty();
                Thread.sleep(50);
            }
            var ids = new ArrayList<Long>();
            try (var reader = landing.feed().reader(0)) {
                while (ids.size() < expected.size()) {
                    try (var batch = reader.poll(Long.MAX_VALUE, Integer.MAX_VALUE)) {
                        if (batch != null) {
                            var vector = (BigIntVector) batch.rows().vector(0);
                            IntStream.range(0, batch.rows().count())
                                    .forEach(i -> ids.add(vector.get(i)));
                        }
                    }
                }
            }
            assertThat(ids.stream().sorted().toList()).isEqualTo(expected);
        }
    }

    /** Until the process has taken at least so many files: each life gets somewhere. */
    private void awaitRows(Process process, int files) throws Exception {
        var journal = folder.resolve("pipeline/files/c.s.t__files_1/journal");
        while (process.isAlive()
                && (!Files.exists(journal) || Files.readAllLines(journal).size() <= files)) {
            Thread.sleep(20);
        }
        assertThat(process.isAlive()).as(Files.readString(folder.resolve("errors"))).isTrue();
    }

    private void put(int number) throws IOException {
        Files.move(
                Files.writeString(folder.resolve(name(number)), lines(number)),
                folder.resolve("in").resolve(name(number)),
                StandardCopyOption.ATOMIC_MOVE);
    }

    private static String name(int number) {
        return "%04d.json".formatted(number);
    }

    private static String lines(int number) {
        var lines = new StringBuilder();
        for (int i = 0; i < ROWS; i++) {
            lines.append("{\"id\":").append((long) number * ROWS + i).append("}\n");
        }
        return lines.toString();
    }

    private Process start(Place place) throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of(System.getProperty("lakemill.root"), "jvm.flags"));
        command.addAll(TestBuckets.flags());
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Life.class.getName());
        command.addAll(List.of(folder.toString(), place.path(), place.endpoint()));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("errors").toFile())
                .start();
    }

    private static FileLanding landing(Path folder, Place place, BufferAllocator allocator) {
        var source =
                new FileSource(
                        place.path(),
                        Format.JSON,
                        Map.of(),
                        Evolution.NONE,
                        "",
                        List.of(),
                        List.of(),
                        true);
        var schema = new TableSchema(List.of(Column.nullable("id", Primitive.LONG)));
        return FileLanding.start(
                new Dataset.FileTable(
                        TableName.parse("c.s.t__files_1"),
                        schema,
                        new SourcePosition("t.sql", 1, 1),
                        source),
                new FileLanding.Wiring(
                        new FilePlaces(folder, buckets(place), List.of()),
                        folder.resolve("pipeline"),
                        allocator,
                        Clock.systemUTC(),
                        () -> {}));
    }

    private static BucketConfig buckets(Place place) {
        var usual = BucketConfig.DEFAULT;
        return new BucketConfig(
                new BucketConfig.Store(place.endpoint(), "", true),
                usual.objectBytesMax(),
                Duration.ofMillis(100),
                usual.silenceMax());
    }

    /** The process that is killed. */
    static final class Life {
        private Life() {}

        public static void main(String[] arguments) throws InterruptedException {
            var _ =
                    landing(
                            Path.of(arguments[0]),
                            new Place(arguments[1], arguments[2]),
                            new RootAllocator());
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
