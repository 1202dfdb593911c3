package dev.lakemill.bench;

import dev.lakemill.agents.gateway.ScriptedModelServer;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * kill -9 of agents and of Postgres, and ends of agents' sessions, under load, with a scripted
 * model server that also answers slowly, with 429, malformed JSON and half streams. People decide
 * meanwhile. Then every order is counted: one run, one draft, what was decided, and one entry in
 * the ledger and one e-mail exactly where it was accepted.
 */
final class AgentsBench {
    private static final int ORDERS = 10;
    private static final long SEED = 20_261_129;
    private static final Duration END_MAX = Duration.ofMinutes(5);

    private final AgentsFixture fixture;
    private final int orders;
    private final Random random;
    private final AtomicInteger asked = new AtomicInteger();

    /** By approval: what was decided, when Postgres had said yes. */
    private final Map<String, Boolean> decided = new ConcurrentHashMap<>();

    private AgentsBench(AgentsFixture fixture, int orders, long seed) {
        this.fixture = fixture;
        this.orders = orders;
        this.random = new Random(seed);
    }

    static Report run(BenchOptions options) throws Exception {
        var report = new Report.Builder();
        run(options.rounds(), ORDERS, SEED, report);
        return report.build();
    }

    /** The same for the suite. */
    static void run(int rounds, int orders, long seed, Report.Builder report) throws Exception {
        try (var fixture = new AgentsFixture();
                var models = ScriptedModelServer.start()) {
            var bench = new AgentsBench(fixture, orders, seed);
            models.otherwise(new Answer.Computed(_ -> bench.answer()));
            bench.kill(rounds, models, report);
        }
    }

    private void kill(int rounds, ScriptedModelServer models, Report.Builder report)
            throws Exception {
        var kills = new int[3];
        var agents = BuyerProcess.start(fixture.port(), models.url());
        try {
            for (var round = 0; round < rounds; round++) {
                order(round);
                for (var part = 0; part < 4; part++) {
                    Thread.sleep(100 + random.nextInt(500));
                    decide();
                }
                var victim = random.nextInt(10);
                if (victim < 5) {
                    agents.kill();
                    agents = BuyerProcess.start(fixture.port(), models.url());
                    kills[0]++;
                } else if (victim < 8) {
                    fixture.killSessions();
                    kills[1]++;
                } else {
                    fixture.killPostgres();
                    kills[2]++;
                }
                if (round % 10 == 9) {
                    System.err.printf("round %d of %d%n", round + 1, rounds);
                }
            }
            drain();
        } finally {
            agents.close();
        }
        report.figure("rounds", rounds);
        report.figure("kills_of_agents", kills[0]);
        report.figure("kills_of_sessions", kills[1]);
        report.figure("kills_of_postgres", kills[2]);
        count(rounds, report);
    }

    private void order(int round) throws SQLException, InterruptedException {
        var values = new StringBuilder();
        for (var i = 0; i < orders; i++) {
            values.append(i == 0 ? "" : ", ").append("('%d-%d', 'basil')".formatted(round, i));
        }
        fixture.execute("INSERT INTO farm.orders VALUES " + values);
    }

    /** A quarter of the calls fail; some others are slow, or answered with prose. */
    private Answer answer() {
        asked.incrementAndGet();
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

    /** Four of five are accepted; a decision whose answer was lost is not counted as one. */
    private void decide() throws SQLException {
        for (var approval :
                fixture.texts(
                        "SELECT approval_id::text FROM lakemill.agent_approvals WHERE state ="
                                + " 'pending' ORDER BY created_at LIMIT 40")) {
            var id = String.valueOf(approval);
            var accept = random.nextInt(5) > 0;
            fixture.decide(id, accept);
            decided.put(id, accept);
        }
    }

    private static final String OPEN =
            """
            SELECT count(*) FROM lakemill.agent_runs
            WHERE status IN ('queued', 'running', 'waiting')
            """;

    /** Until every run has ended, or none has for long. */
    private void drain() throws SQLException, InterruptedException {
        var until = System.nanoTime() + END_MAX.toNanos();
        var left = fixture.number(OPEN);
        while (left > 0 && System.nanoTime() < until) {
            decide();
            Thread.sleep(100);
            var now = fixture.number(OPEN);
            if (now < left) {
                until = System.nanoTime() + END_MAX.toNanos();
            }
            left = now;
        }
    }

    private void count(int rounds, Report.Builder report) throws SQLException {
        var ordered = (long) rounds * orders;
        var duplicates =
                fixture.number("SELECT count(*) - count(DISTINCT id) FROM farm.drafts")
                        + fixture.number("SELECT count(*) - count(DISTINCT id) FROM farm.ledger")
                        + fixture.number(
                                "SELECT count(*) - count(DISTINCT body) FROM lakemill.agent_outbox");
        var lost = lostApprovals();
        var stuck = fixture.number(OPEN);
        report.figure("duplicate_effects", duplicates);
        report.figure("lost_approvals", lost);
        report.figure("stuck_runs", stuck);
        report.figure("runs", fixture.number("SELECT count(*) FROM lakemill.agent_runs"));
        report.figure("steps", fixture.number("SELECT count(*) FROM lakemill.agent_steps"));
        report.figure("decisions", decided.size());
        report.figure("model_calls", asked.get());
        report.check("one_run_for_each_order", ordered == fixture.number(ONE_RUN));
        report.check("no_run_failed", fixture.number(FAILED) == 0);
        report.check("no_effect_twice", duplicates == 0);
        report.check("no_effect_missing_or_unapproved", fixture.number(WRONG) == 0);
        report.check("no_approval_lost", lost == 0);
        report.check("no_run_stuck", stuck == 0);
        report.check("steps_without_gap", fixture.number(GAPS) == 0);
        report.check("no_step_under_an_older_claim", fixture.number(OLDER) == 0);
    }

    private static final String ONE_RUN =
            """
            SELECT count(*) FROM (SELECT input -> 'key' ->> 'id' FROM lakemill.agent_runs
                GROUP BY 1 HAVING count(*) = 1) r
            """;
    private static final String FAILED =
            "SELECT count(*) FROM lakemill.agent_runs WHERE status = 'failed'";

    /** Ended runs whose tables do not say what their approvals say. */
    private static final String WRONG =
            """
            SELECT count(*) FROM lakemill.agent_runs r
            LEFT JOIN lakemill.agent_approvals c ON c.run_id = r.run_id AND c.action = 'commit'
            LEFT JOIN lakemill.agent_approvals m ON m.run_id = r.run_id AND m.action = 'send_email'
            LEFT JOIN lakemill.agent_outbox o ON o.run_id = r.run_id
            WHERE r.status = 'succeeded' AND NOT (
                EXISTS (SELECT FROM farm.drafts d WHERE d.id = r.input -> 'key' ->> 'id')
                AND EXISTS (SELECT FROM farm.ledger l WHERE l.id = r.input -> 'key' ->> 'id')
                    = (c.decision = 'accept')
                AND (c.decision <> 'accept'
                    OR o.state = CASE m.decision WHEN 'accept' THEN 'approved' ELSE 'dead' END))
            """;

    private static final String GAPS =
            """
            SELECT count(*) FROM (SELECT r.steps_used, count(s.seq) AS steps, max(s.seq) AS last
                FROM lakemill.agent_runs r LEFT JOIN lakemill.agent_steps s USING (run_id)
                GROUP BY r.run_id) x WHERE steps_used <> steps OR steps_used <> coalesce(last, 0)
            """;
    private static final String OLDER =
            """
            SELECT count(*) FROM lakemill.agent_steps a JOIN lakemill.agent_steps b
            ON b.run_id = a.run_id AND b.seq = a.seq + 1 AND b.fence < a.fence
            """;

    /** Decisions that people were told stand, and that do not, or that their run has not seen. */
    private long lostApprovals() throws SQLException {
        var stand = new java.util.HashSet<>(fixture.texts(SEEN));
        return decided.entrySet().stream()
                .filter(
                        e ->
                                !stand.contains(
                                        e.getKey() + " " + (e.getValue() ? "accept" : "ignore")))
                .count();
    }

    private static final String SEEN =
            """
            SELECT p.approval_id || ' ' || p.decision FROM lakemill.agent_approvals p
            JOIN lakemill.agent_steps s ON s.run_id = p.run_id AND s.seq = p.seq
                AND s.output ->> 'decision' = p.decision
                AND s.output ->> 'approval_id' = p.approval_id::text
            """;
}
