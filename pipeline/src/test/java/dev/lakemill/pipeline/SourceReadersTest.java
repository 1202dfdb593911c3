package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.TestPrograms.program;
import static dev.lakemill.pipeline.TestRows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SourceReadersTest {
    private static final TableName NAMES = TableName.parse("c.b.names");
    private static final TableName EVENTS = TableName.parse("c.b.events");

    @TempDir Path folder;
    private TestWorld world = new TestWorld(Path.of("."), program().build());

    @BeforeEach
    void open() {
        world =
                new TestWorld(
                        folder,
                        program()
                                .source("c.b.names", "name STRING")
                                .source("c.b.events", "id BIGINT")
                                .build());
        world.open();
    }

    @AfterEach
    void close() {
        world.close();
    }

    @Test
    void nothingIsGatheredOfNothing() {
        try (var readers = readers(Map.of());
                var gathered = readers.gather(limits(100))) {
            assertThat(gathered.isEmpty()).isTrue();
            assertThat(gathered.positions()).isEqualTo(Map.of(NAMES, 0L, EVENTS, 0L));
        }
    }

    @Test
    void aBacklogIsReadInTheOrderOfTheLogAcrossSources() {
        for (int i = 0; i < 30; i++) {
            world.send(NAMES, List.of(row("n" + i)));
            world.skip(400_000);
            world.send(EVENTS, List.of(row(2 * i), row(2 * i + 1)));
            world.skip(400_000);
        }
        try (var readers = readers(Map.of())) {
            var names = 0;
            var events = 0;
            while (events < 60) {
                try (var gathered = readers.gather(limits(7))) {
                    names += count(gathered, NAMES);
                    events += count(gathered, EVENTS);
                }
                assertThat(Math.abs(2 * names - events)).isLessThanOrEqualTo(8);
            }
            assertThat(names).isEqualTo(30);
        }
    }

    @Test
    void theSamePositionsGiveTheSameRows() {
        for (int i = 0; i < 20; i++) {
            world.send(EVENTS, List.of(row(i), row(100 + i)));
            world.send(NAMES, List.of(row("n" + i)));
        }
        var first = new ArrayList<Map<TableName, List<String>>>();
        var records = new ArrayList<Map<TableName, Long>>();
        try (var readers = readers(Map.of())) {
            for (int i = 0; i < 20; i++) {
                try (var gathered = readers.gather(limits(5))) {
                    first.add(texts(gathered));
                    records.add(gathered.positions());
                }
            }
        }
        world.land();
        world.close();
        world.open(1);
        try (var readers = readers(Map.of())) {
            for (int i = 0; i < records.size(); i++) {
                var gathered = readers.upTo(records.get(i)).orElseThrow();
                assertThat(texts(gathered)).isEqualTo(first.get(i));
                gathered.close();
            }
        }
    }

    @Test
    void rowsThatAreNotThereYetAreWaitedFor() {
        world.send(EVENTS, List.of(row(1)));
        try (var readers = readers(Map.of())) {
            assertThat(readers.upTo(Map.of(EVENTS, 300L))).isEmpty();
            world.send(EVENTS, List.of(row(2)));
            assertThat(readers.upTo(Map.of(EVENTS, 300L))).isEmpty();
            world.send(EVENTS, List.of(row(3), row(4)));
            try (var gathered = readers.upTo(Map.of(EVENTS, 300L)).orElseThrow()) {
                assertThat(texts(gathered)).isEqualTo(Map.of(EVENTS, List.of("1", "2", "3")));
            }
        }
    }

    @Test
    void aFailedReadLeaksNothing() throws IOException {
        land(row(1));
        land(row(2));
        var before = dataFiles();
        land(row(3));
        world.close();
        var last = dataFiles().stream().filter(file -> !before.contains(file)).findFirst();
        Files.delete(last.orElseThrow());
        world.open(1);
        var allocator = world.process().allocator;
        try (var readers = readers(Map.of())) {
            assertThatThrownBy(() -> readers.gather(limits(100)))
                    .isInstanceOf(LakemillException.class);
            assertThat(allocator.getAllocatedMemory()).isZero();
        }
    }

    private void land(TestRows.Row row) {
        world.send(EVENTS, List.of(row));
        world.land();
    }

    private List<Path> dataFiles() throws IOException {
        try (var files = Files.list(world.location(EVENTS.toString()))) {
            return files.filter(file -> file.toString().endsWith(".parquet")).toList();
        }
    }

    private SourceReaders readers(Map<TableName, Long> positions) {
        return new SourceReaders(world.parts().sources(), positions);
    }

    private static PipelineConfig.Batches limits(int rows) {
        return new PipelineConfig.Batches(Duration.ZERO, rows, Long.MAX_VALUE, Duration.ZERO);
    }

    private static int count(Gathered gathered, TableName table) {
        return gathered.rows().getOrDefault(table, List.of()).stream()
                .mapToInt(batch -> batch.rows().count())
                .sum();
    }

    private static Map<TableName, List<String>> texts(Gathered gathered) {
        var texts = new java.util.TreeMap<TableName, List<String>>();
        gathered.rows()
                .forEach(
                        (table, batches) ->
                                texts.put(
                                        table,
                                        batches.stream()
                                                .flatMap(b -> TestRows.texts(b.rows()).stream())
                                                .toList()));
        return texts;
    }
}
