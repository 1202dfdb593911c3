package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * kill -9 of the server, of its Postgres and of agents, and ends of agents' sessions, at random
 * moments under load, with a scripted model server behind the node's gateway that also answers
 * slowly, with 429, malformed JSON and half streams. People decide meanwhile. Then every order and
 * every call of a model is counted: see {@link AgentsCheck}.
 */
final class AgentsBench {
    private static final int ORDERS = 10;
    private static final long SEED = 20_261_129;
    private static final Duration END_MAX = Duration.ofMinutes(5);

    /** What is killed, in one of ten kills for each time that it stands here. */
    private enum Victim {
        AGENTS,
        SERVER,
        SERVER_AND_AGENTS,
        SERVER_AND_POSTGRES,
        POSTGRES,
        SESSIONS;

        private static final List<Victim> OF_TEN =
                List.of(
                        AGENTS,
                        AGENTS,
                        SERVER,
                        SERVER,
                        SERVER,
                        SERVER_AND_AGENTS,
                        SERVER_AND_AGENTS,
                        SERVER_AND_POSTGRES,
                        POSTGRES,
                        SESSIONS);
    }

    private final AgentsFixture fixture;
    private final int orders;
    private final Random random;
    private final AtomicInteger asked = new AtomicInteger();
    private final Map<Victim, Integer> kills = new EnumMap<>(Victim.class);
    private final List<Double> readySeconds = new ArrayList<>();
    private BuyerProcess agents;

    private AgentsBench(AgentsFixture fixture, int orders, long seed) throws IOException {
        this.fixture = fixture;
        this.orders = orders;
        this.random = new Random(seed);
        this.agents = fixture.startAgent();
    }

    static Report run(BenchOptions options) throws Exception {
        var report = new Report.Builder();
        run(options.rounds(), ORDERS, SEED, report);
        return report.build();
    }

    /** The same for the suite. */
    static void run(int rounds, int orders, long seed, Report.Builder report) throws Exception {
        try (var models = ScriptedModelServer.start();
                var fixture = new AgentsFixture(models.url())) {
            var bench = new AgentsBench(fixture, orders, seed);
            models.otherwise(new Answer.Computed(bench::answer));
            var desk = AgentsDesk.start(fixture, seed);
            try {
                bench.kill(rounds);
                bench.drain();
            } finally {
                desk.stop();
                bench.agents.close();
            }
            bench.tell(rounds, report);
            var check = new AgentsCheck(fixture, report);
            check.effects((long) rounds * orders, desk.decided());
            check.modelCalls(bench.asked.get());
        }
    }

    private void kill(int rounds) throws Exception {
        for (var round = 0; round < rounds; round++) {
            order(round);
            Thread.sleep(500 + random.nextInt(2_000));
            var victim = Victim.OF_TEN.get(random.nextInt(Victim.OF_TEN.size()));
            kill(victim);
            kills.merge(victim, 1, Integer::sum);
            System.err.printf(
                    "round %d of %d: %s%n",
                    round + 1, rounds, victim.name().toLowerCase(Locale.ROOT).replace('_', ' '));
        }
    }

    private void kill(Victim victim) throws Exception {
        switch (victim) {
            case AGENTS -> {
                agents.kill();
                agents = fixture.startAgent();
            }
            case SERVER -> {
                fixture.killServer(false);
                readySeconds.add(fixture.restart());
            }
            case SERVER_AND_AGENTS -> {
                if (random.nextBoolean()) {
                    agents.kill();
                    fixture.killServer(false);
                } else {
                    fixture.killServer(false);
                    agents.kill();
                }
                readySeconds.add(fixture.restart());
                agents = fixture.startAgent();
            }
            case SERVER_AND_POSTGRES -> {
                fixture.killServer(true);
                readySeconds.add(fixture.restart());
            }
            case POSTGRES -> fixture.killPostgres();
            case SESSIONS -> fixture.killSessions();
        }
    }

    private void order(int round) throws SQLException {
        var values = new StringBuilder();
        for (var i = 0; i < orders; i++) {
            values.append(i == 0 ? "" : ", ").append("('%d-%d', 'basil')".formatted(round, i));
        }
        fixture.execute("INSERT INTO farm.orders VALUES " + values);
    }

    /** A quarter of the calls fail; some others are slow, or answered with prose. */
    private Answer answer(JsonNode request) {
        if (!isRepair(request)) {
            asked.incrementAndGet();
        }
        var good = new Answer.Text("{\"subject\": \"Order\", \"amount\": 7}");
        return switch (ThreadLocalRandom.current().nextInt(16)) {
            case 0 -> new Answer.Status(429, 0);
            case 1 -> new Answer.Malformed();
            case 2 -> new Answer.HalfStream("{\"subject\": \"half\", \"amount\": 1}");
            case 3 -> new Answer.Slow(Duration.ofMillis(700), good);
            case 4 -> new Answer.Text("Of course! Here is what you asked for.");
            case 5 -> new Answer.Status(500, 0);
            default -> good;
        };
    }

    /** The gateway asks once more, in the same call, when an answer does not fit the schema. */
    private static boolean isRepair(JsonNode request) {
        var messages = request.path("messages");
        return messages.path(messages.size() - 1)
                .path("content")
                .asText()
                .contains("does not fit the JSON Schema");
    }

    /** Until every run has ended, or none has for long. */
    private void drain() throws SQLException, InterruptedException {
        var until = System.nanoTime() + END_MAX.toNanos();
        var left = fixture.number(AgentsCheck.OPEN);
        while (left > 0 && System.nanoTime() < until) {
            Thread.sleep(200);
            var now = fixture.number(AgentsCheck.OPEN);
            if (now < left) {
                until = System.nanoTime() + END_MAX.toNanos();
            }
            left = now;
        }
    }

    private void tell(int rounds, Report.Builder report) {
        report.figure("rounds", rounds);
        for (var victim : Victim.values()) {
            var name = "kills_of_" + victim.name().toLowerCase(Locale.ROOT);
            report.figure(name, kills.getOrDefault(victim, 0));
        }
        if (!readySeconds.isEmpty()) {
            report.figure("ready_again_seconds_median", Report.median(readySeconds));
        }
    }
}
