package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventLogTest {
    @TempDir Path folder;

    @Test
    void eventsLandOnceAndTheOldestGo() {
        try (var allocator = new RootAllocator();
                var table =
                        DeltaTable.create(
                                folder,
                                EventLog.SCHEMA,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC())) {
            for (int process = 0; process < 3; process++) {
                try (var log = EventLog.start(table, allocator, Clock.systemUTC(), () -> {})) {
                    for (int i = 0; i < 10; i++) {
                        log.add(event("%d.%d".formatted(process, i)));
                    }
                }
            }
            assertThat(messages(table)).hasSize(30).startsWith("0.0").endsWith("2.9");
            EventLog.cut(table, 20);
            assertThat(messages(table)).hasSize(30);
            EventLog.cut(table, 13);
            assertThat(messages(table))
                    .isEqualTo(
                            IntStream.range(17, 30)
                                    .mapToObj(i -> "%d.%d".formatted(i / 10, i % 10))
                                    .toList());
        }
    }

    private static EventLog.Event event(String message) {
        return new EventLog.Event(
                "flow_progress",
                EventLog.Level.METRICS,
                message,
                Map.of("pipeline_name", "p"),
                Map.of("metrics", Map.of("num_output_rows", 1)),
                null);
    }

    private static List<String> messages(DeltaTable table) {
        var messages = new ArrayList<String>();
        try (var reader = table.snapshot().read(List.of("message"))) {
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                for (int i = 0; i < rows.count(); i++) {
                    messages.add(String.valueOf(rows.vector(0).getObject(i)));
                }
                rows.close();
            }
        }
        return messages;
    }
}
