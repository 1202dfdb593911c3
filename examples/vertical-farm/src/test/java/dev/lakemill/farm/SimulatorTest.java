package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SimulatorTest {
    @TempDir private Path folder;

    private final DoorServer server = new DoorServer();
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final ByteArrayOutputStream logged = new ByteArrayOutputStream();

    @Test
    void whatTheServerKeptIsWhatTheTruthTells() throws Exception {
        assertThat(simulate("--history-hours 1 --rate 1000 --seconds 3")).isZero();
        var truth = truth();
        for (var table : FarmTable.values()) {
            var kept = kept(table);
            var told = stream(truth, table);
            assertThat(kept).as(table.sqlName()).hasSize(Math.toIntExact(number(told, "rows")));
            assertThat(kept.stream().distinct()).hasSize(Math.toIntExact(number(told, "events")));
            assertThat(list(told, "unacked")).isEmpty();
            assertThat(list(told, "resent")).isEmpty();
            assertThat(kept.size() - kept.stream().distinct().count())
                    .isEqualTo(list(told, "duplicated").size());
        }
    }

    @Test
    void theHistoryHasTheRowsThatItsProgressPromises() throws Exception {
        assertThat(simulate("--history-hours 2 --rate 1 --seconds 1")).isZero();
        var total = 2 * 6 * FarmTable.events().stream().mapToInt(History::rows).sum();
        assertThat(printed())
                .contains(
                        "{\"type\":\"progress\",\"phase\":\"history\",\"done\":%d,\"total\":%d}"
                                .formatted(total, total));
        var kept = FarmTable.events().stream().mapToInt(table -> kept(table).size()).sum();
        assertThat(kept).isBetween(total, total + 10);
    }

    @Test
    void aLostConnectionIsMadeUpForAndToldApart() throws Exception {
        server.loseConnectionAfter(40);
        assertThat(simulate("--no-history --rate 2000 --seconds 3")).isZero();
        var truth = truth();
        int resent = 0;
        for (var table : FarmTable.values()) {
            var told = stream(truth, table);
            var kept = kept(table);
            var extra = kept.size() - number(told, "rows");
            assertThat(extra).isBetween(0L, (long) list(told, "resent").size());
            assertThat(list(told, "unacked")).isEmpty();
            resent += list(told, "resent").size();
        }
        assertThat(resent).isPositive();
        assertThat(logged.toString(StandardCharsets.UTF_8)).contains("sent again");
    }

    @Test
    void badRecordsAreRefusedAtTheDoorAndCounted() throws Exception {
        assertThat(simulate("--no-history --rate 10 --seconds 4")).isZero();
        var refused = Pattern.compile("\"(malformed|missing_field)\":(\\d+)").matcher(truth());
        int told = 0;
        while (refused.find()) {
            told += Integer.parseInt(refused.group(2));
        }
        assertThat(told).isPositive().isEqualTo(server.refused.get());
        assertThat(server.ids.values().stream().flatMap(Queue::stream))
                .noneMatch(id -> id.startsWith("x"));
    }

    @Test
    void sampledQuotesAreToldWhenTheyAreAcknowledged() throws Exception {
        simulate("--no-history --rate 1000 --seconds 2 --ack-samples");
        var acks = printed().lines().filter(line -> line.contains("\"type\":\"ack\"")).toList();
        assertThat(acks).isNotEmpty().hasSizeLessThanOrEqualTo(60);
        assertThat(acks)
                .allSatisfy(
                        ack ->
                                assertThat(ack)
                                        .containsPattern(
                                                "\"sku\":\"[a-z-]+\",\"supplier_id\":\"[a-z-]+\","
                                                        + "\"event_id\":\"q-[0-9a-f]{4}-\\d+\","
                                                        + "\"quoted_at_us\":\\d{16},"
                                                        + "\"acked_at_us\":\\d{16}"));
    }

    @Test
    void aTableThatIsNotThereEndsItWithItsName() throws Exception {
        server.missingTable = "farm.bronze.demand_events";
        assertThat(simulate("--history-hours 24")).isEqualTo(1);
        assertThat(logged.toString(StandardCharsets.UTF_8)).contains("farm.bronze.demand_events");
        assertThat(number(stream(truth(), FarmTable.DEMAND_EVENTS), "rows")).isZero();
    }

    @Test
    void aStopEndsItInOrder() throws Exception {
        var stop = new CountDownLatch(1);
        var codes = new ConcurrentLinkedQueue<Integer>();
        var thread =
                Thread.ofVirtual()
                        .start(() -> codes.add(simulate(stop, "--no-history --rate 500")));
        while (kept(FarmTable.DEMAND_EVENTS).size() < 100) {
            Thread.sleep(5);
        }
        stop.countDown();
        thread.join();
        assertThat(codes).containsExactly(0);
        assertThat(kept(FarmTable.DEMAND_EVENTS))
                .hasSize(Math.toIntExact(number(stream(truth(), FarmTable.DEMAND_EVENTS), "rows")));
    }

    @Test
    void runsAreToldApart() {
        var start = 1_795_000_000_000_000L;
        assertThat(Simulator.run(1, start)).matches("[0-9a-f]{4}");
        assertThat(Simulator.run(1, start)).isNotEqualTo(Simulator.run(1, start + 1_000_000));
        assertThat(Simulator.run(1, start)).isNotEqualTo(Simulator.run(2, start));
    }

    private int simulate(String arguments) {
        return simulate(new CountDownLatch(1), arguments);
    }

    private int simulate(CountDownLatch stop, String arguments) {
        var all = new ArrayList<>(List.of(arguments.split(" ")));
        all.addAll(List.of("--endpoint", server.endpoint()));
        all.addAll(List.of("--truth", folder.resolve("truth.json").toString()));
        try (server;
                var out = new PrintStream(printed, true, StandardCharsets.UTF_8);
                var log = new PrintStream(logged, true, StandardCharsets.UTF_8)) {
            return new Simulator(Options.parse(all), out, log, SimulatorTest::nowMicros, stop)
                    .run();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private List<String> kept(FarmTable table) {
        return List.copyOf(
                server.ids.getOrDefault(
                        table.tableName().toString(), new ConcurrentLinkedQueue<>()));
    }

    private String printed() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    private String truth() throws Exception {
        var truth = Files.readString(folder.resolve("truth.json"));
        assertThat(printed().lines().toList().getLast()).isEqualTo(truth);
        return truth;
    }

    private static String stream(String truth, FarmTable table) {
        var from = truth.indexOf("\"" + table.sqlName() + "\":{");
        return truth.substring(from, truth.indexOf("\"bad\"", from));
    }

    private static long number(String stream, String key) {
        var found = Pattern.compile("\"" + key + "\":(\\d+)").matcher(stream);
        assertThat(found.find()).isTrue();
        return Long.parseLong(found.group(1));
    }

    private static List<String> list(String stream, String key) {
        var found = Pattern.compile("\"" + key + "\":\\[([\\d,]*)\\]").matcher(stream);
        assertThat(found.find()).isTrue();
        return found.group(1).isEmpty() ? List.of() : List.of(found.group(1).split(","));
    }

    private static long nowMicros() {
        return Instant.now().toEpochMilli() * 1_000;
    }
}
