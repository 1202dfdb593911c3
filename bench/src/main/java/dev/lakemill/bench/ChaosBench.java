package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.bench.ChaosNode.Victim;
import dev.lakemill.bench.ChaosSteps.Step;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * kill -9 of Postgres, of one of its processes, of Lakemill and of both, while producers write,
 * applications change state tables, synced tables follow, tables are copied and captured for the
 * first time, change their columns, and backups are made and restored. After each round everything
 * is compared. A round is its seed: {@code -Dlakemill.seed} names the first one, and {@code
 * -Dlakemill.chaos.steps=RESTORE,SYNC} the steps that it chooses from.
 */
final class ChaosBench {
    private static final long SEED = 20_261_128;
    private static final int PRODUCERS = 2;
    private static final Duration PATIENCE = ChaosNode.PATIENCE;

    private final Path folder;
    private final ChaosNode node;
    private final ChaosSteps steps;
    private final ProducerClient client;
    private final List<RecordedStream> producers = new ArrayList<>();
    private final ChaosState state;
    private final TreeMap<String, Integer> counts = new TreeMap<>();
    private volatile boolean resting = true;
    private volatile boolean ending;

    private ChaosBench(Path folder, long seed)
            throws IOException, InterruptedException, SQLException {
        this.folder = folder;
        this.node = ChaosNode.start(folder);
        this.steps = new ChaosSteps(node);
        node.recover();
        var address = "http://" + node.server().addresses().get("grpc").asText();
        this.client = ProducerClient.connect(Endpoint.parse(address), () -> node.server().token());
        for (int i = 0; i < PRODUCERS; i++) {
            producers.add(new RecordedStream(client, i, i % 2 == 0, seed + i));
        }
        ChaosState.install(node);
        this.state = new ChaosState(node, seed);
    }

    static Report run(BenchOptions options) throws Exception {
        // The failures are made on purpose, hundreds of them.
        System.setProperty("lakemill.bench.log", "OFF");
        var report = new Report.Builder();
        var seed = Long.getLong("lakemill.seed", SEED);
        var folder = Folders.temporary("lakemill-chaos");
        var bench = new ChaosBench(folder, seed);
        var differences = new ArrayList<String>();
        int rounds = 0;
        try {
            bench.begin();
            for (; rounds < options.rounds() && differences.isEmpty(); rounds++) {
                differences.addAll(bench.attempt(seed + rounds));
            }
        } finally {
            bench.end();
        }
        report.check("no_differences", differences.isEmpty());
        report.figure("rounds", rounds);
        report.figure("differences", differences.size());
        bench.counts.forEach(report::figure);
        if (differences.isEmpty()) {
            Folders.delete(folder);
        } else {
            System.err.println("the node's folder is kept: " + folder);
        }
        return report.build();
    }

    private void begin() throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                steps.install();
                break;
            } catch (IOException e) {
                // The tables that capture makes are on their way.
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(200);
            }
        }
        steps.backup();
        for (var producer : producers) {
            Thread.ofVirtual().start(() -> send(producer));
        }
    }

    private void send(RecordedStream producer) {
        try {
            while (!ending) {
                if (!resting && producer.unacknowledgedRows() < 5_000) {
                    synchronized (producer) {
                        producer.send(1);
                    }
                }
                Thread.sleep(15);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void rest(boolean value) {
        resting = value;
        state.rest(value);
    }

    /** What differs after a round; what keeps it from its end is a difference too. */
    private List<String> attempt(long seed) throws InterruptedException {
        try {
            return round(seed);
        } catch (IOException | SQLException | LakemillException e) {
            var wrong = "the round of seed %d does not end: %s".formatted(seed, e);
            System.err.println(wrong);
            return List.of(wrong);
        }
    }

    private List<String> round(long seed) throws IOException, InterruptedException, SQLException {
        var random = new Random(seed);
        var step = Step.any(random);
        var victim = Victim.any(random);
        var startedNanos = System.nanoTime();
        rest(false);
        if (step == Step.RESTORE) {
            var wrong = restore(random);
            if (!wrong.isEmpty()) {
                return told(seed, step, victim, wrong);
            }
        }
        var asked = Thread.ofVirtual().start(() -> attempt(step, seed));
        Thread.sleep(moment(random));
        node.kill(victim, random);
        if (random.nextInt(4) == 0) {
            // Once more, while it recovers.
            Thread.sleep(moment(random));
            var again = Victim.any(random);
            node.kill(again, random);
        }
        node.recover();
        var backSeconds = (System.nanoTime() - startedNanos) / 1e9;
        asked.join();
        again(step, seed);
        Thread.sleep(random.nextInt(300));
        rest(true);
        for (var producer : producers) {
            synchronized (producer) {
                producer.flush(PATIENCE);
            }
        }
        var doneSeconds = (System.nanoTime() - startedNanos) / 1e9;
        var wrong = new ChaosCheck(node, steps, false).settle(producers, state.acknowledged());
        count(step, victim);
        System.err.printf(
                "%s seed %d %s, kill of %s: back %.1f s, quiet %.1f s, compared %.1f s%n",
                wrong.isEmpty() ? "ok  " : "FAIL",
                seed,
                step,
                victim,
                backSeconds,
                doneSeconds,
                (System.nanoTime() - startedNanos) / 1e9);
        return told(seed, step, victim, wrong);
    }

    /** Half of them soon, the others over the time that steps and starts take. */
    private static long moment(Random random) {
        return random.nextBoolean() ? random.nextInt(200) : random.nextInt(2_500);
    }

    private static List<String> told(long seed, Step step, Victim victim, List<String> wrong) {
        for (var difference : wrong) {
            System.err.printf(
                    "difference: seed %d, %s, kill of %s: %s%n", seed, step, victim, difference);
        }
        return wrong;
    }

    private void count(Step step, Victim victim) {
        counts.merge("step_" + step.name().toLowerCase(Locale.ROOT), 1, Integer::sum);
        counts.merge("kill_" + victim.name().toLowerCase(Locale.ROOT), 1, Integer::sum);
    }

    /** Asks for the step, which the kill may end. */
    private void attempt(Step step, long seed) {
        try {
            steps.run(step, seed);
        } catch (IOException | SQLException | LakemillException e) {
            // It is asked for again.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks until it is done. */
    private void again(Step step, long seed)
            throws IOException, InterruptedException, SQLException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                steps.run(step, seed);
                return;
            } catch (IOException | SQLException | LakemillException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(100);
            }
        }
    }

    /**
     * Restores to a moment of the load, kills the restore, restores again, starts a node there and
     * kills it too.
     */
    private List<String> restore(Random random) throws IOException, InterruptedException {
        Thread.sleep(500);
        Set<Long> acknowledged = state.acknowledged();
        var moment = Instant.now();
        Thread.sleep(200);
        var newest = "/api/2.0/backups";
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!Instant.parse(lastMark(newest)).isAfter(moment)) {
            if (System.nanoTime() > deadline) {
                return List.of("no mark comes: " + node.server().rest().get(newest).body());
            }
            Thread.sleep(100);
        }
        rest(true);
        var target = folder.resolve("restored");
        Folders.delete(target);
        var killed = node.restore(target, moment);
        Thread.sleep(500 + random.nextInt(5_000));
        killed.destroyForcibly().waitFor();
        if (!Files.exists(target)) {
            var whole = node.restore(target, moment);
            if (!whole.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || whole.exitValue() != 0) {
                return List.of("the restore failed: see " + folder.resolve("restore.log"));
            }
        }
        // What differs in it, or keeps it from its end, is to be looked at: then it stays.
        try (var other = node.restored(target)) {
            Thread.sleep(moment(random));
            other.kill(Victim.any(random), random);
            other.recover();
            var check = new ChaosCheck(other, steps.on(other), true);
            var wrong = check.settle(List.of(), acknowledged);
            if (!wrong.isEmpty()) {
                return wrong;
            }
        }
        Folders.delete(target);
        return List.of();
    }

    private String lastMark(String path) throws IOException, InterruptedException {
        var last = node.server().rest().get(path).body().path("last_mark").asText("");
        // A node that has just started has made none yet.
        return last.isEmpty() ? "1970-01-01T00:00:00Z" : last;
    }

    private void end() throws InterruptedException {
        ending = true;
        rest(true);
        state.end();
        client.close();
        node.close();
    }
}
