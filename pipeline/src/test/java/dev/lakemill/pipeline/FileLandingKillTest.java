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
    void everyRowIsThereOnce() throws Exception {
        Files.createDirectories(folder.resolve("in"));
        var random = new Random(7);
        var files = 0;
        for (int life = 0; life < KILLS; life++) {
            var process = start();
            try {
                for (int i = 0; i < FILES_A_LIFE; i++) {
                    put(files++);
                    Thread.sleep(random.nextInt(300));
                }
                awaitRows(process, files - FILES_A_LIFE);
            } finally {
                process.destroyForcibly().waitFor();
            }
        }
        var expected = LongStream.range(0, (long) files * ROWS).boxed().toList();
        try (var allocator = new RootAllocator();
                var landing = landing(folder, allocator)) {
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
        var lines = new StringBuilder();
        for (int i = 0; i < ROWS; i++) {
            lines.append("{\"id\":").append((long) number * ROWS + i).append("}\n");
        }
        var name = "%04d.json".formatted(number);
        Files.move(
                Files.writeString(folder.resolve(name), lines),
                folder.resolve("in").resolve(name),
                StandardCopyOption.ATOMIC_MOVE);
    }

    private Process start() throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of(System.getProperty("lakemill.root"), "jvm.flags"));
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Life.class.getName());
        command.add(folder.toString());
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("errors").toFile())
                .start();
    }

    private static FileLanding landing(Path folder, BufferAllocator allocator) {
        var source =
                new FileSource(
                        "in",
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
                        folder,
                        folder.resolve("pipeline"),
                        allocator,
                        Clock.systemUTC(),
                        () -> {}));
    }

    /** The process that is killed. */
    static final class Life {
        private Life() {}

        public static void main(String[] arguments) throws InterruptedException {
            var _ = landing(Path.of(arguments[0]), new RootAllocator());
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
