package dev.lakemill.agents.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.Approval;
import dev.lakemill.api.agent.HttpModelClient;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs survive what happens to their workers, and do nothing twice. */
final class AgentRuntimeTest {
    private static final AgentDefinition.Caps CAPS = AgentDefinition.Caps.USUAL;

    @TempDir static Path folder;
    private static TestAgents agents;

    record Draft(String subject, int amount) {}

    @BeforeAll
    static void start() throws Exception {
        agents = new TestAgents(folder);
        agents.user("ada");
        agents.user("bob");
    }

    @AfterAll
    static void stop() {
        agents.close();
    }

    private static LakemillException away() {
        return new LakemillException(ErrorCode.UNAVAILABLE, "away", "");
    }

    @Test
    void recordedStepsAreNotTakenAgain() throws Exception {
        var principal = agents.agent("replayer", "ada", CAPS);
        agents.table("replay.notes", principal);
        agents.models.script(new Answer.Text("{\"subject\": \"basil\", \"amount\": 7}"));
        var before = agents.models.asked().size();
        var attempts = new AtomicInteger();
        var noted = new AtomicInteger();
        var run = agents.start("ada", "replayer", "k", "{\"crop\": \"basil\"}");
        try (var _ =
                agents.worker(
                        "replayer",
                        r -> {
                            r.note("number", noted::incrementAndGet);
                            var prompt = Prompt.of("Draft.").with("crop", r.input().get("crop"));
                            var draft = r.ask("draft", "m", prompt, Draft.class);
                            r.write(
                                    "keep",
                                    "note-1",
                                    c -> insert(c, "replay.notes", draft.value().subject()));
                            if (attempts.incrementAndGet() < 3) {
                                throw away();
                            }
                            return Map.of("attempts", attempts.get());
                        })) {
            agents.awaitStatus(run, "succeeded");
        }
        assertThat(noted).hasValue(1);
        assertThat(agents.models.asked()).hasSize(before + 1);
        assertThat(agents.query("SELECT value FROM replay.notes")).containsExactly("basil");
        var shown = agents.show(run);
        assertThat(shown.at("/output/attempts").asInt()).isEqualTo(3);
        assertThat(shown.at("/steps")).hasSize(3);
        assertThat(shown.at("/tokens_used").asInt()).isEqualTo(18);
        assertThat(agents.start("ada", "replayer", "k", "{}")).as("once a key").isEqualTo(run);
    }

    private static int insert(java.sql.Connection connection, String table, String value)
            throws SQLException {
        try (var insert =
                connection.prepareStatement(
                        "INSERT INTO " + table + " VALUES (gen_random_uuid()::text, ?)")) {
            insert.setString(1, value);
            return insert.executeUpdate();
        }
    }

    @Test
    void everyStepIsTheAgentsOwnWithAuditAndLineage() throws Exception {
        var principal = agents.agent("clerk", "ada", CAPS);
        agents.table("ledger.orders", principal);
        agents.table("ledger.entries", principal);
        agents.execute("INSERT INTO ledger.orders VALUES ('7', 'basil')");
        var run =
                agents.store.start(
                        "ada", "clerk", "api", "k", TestAgents.JSON.createObjectNode(), "bob");
        try (var _ =
                agents.worker(
                        "clerk",
                        r -> {
                            var rows = r.query("orders", "SELECT * FROM ledger.orders");
                            r.write(
                                    "post",
                                    "order-7",
                                    c -> insert(c, "ledger.entries", rows.getFirst().text("id")));
                            return null;
                        })) {
            agents.awaitStatus(run, "succeeded");
        }
        assertThat(
                        agents.query(
                                "SELECT user_email || ' for ' || on_behalf_of FROM"
                                        + " lakemill.row_audit WHERE table_name = 'entries'"))
                .containsExactly("clerk-agent for bob");
        assertThat(
                        agents.query(
                                """
                                SELECT action_name || ' ' || user_email || ' ' || run_by
                                FROM lakemill.audit WHERE service_name = 'agents'
                                    AND request_params ->> 'run_id' = '%s' ORDER BY number
                                """
                                        .formatted(run)))
                .containsExactly(
                        "startRun ada bob",
                        "runStep clerk-agent bob",
                        "runStep clerk-agent bob",
                        "endRun clerk-agent bob");
        assertThat(
                        agents.query(
                                """
                                SELECT source_name || '>' || target_name
                                FROM lakemill.table_lineage
                                WHERE entity_type = 'AGENT' AND entity_id = 'clerk' ORDER BY 1
                                """))
                .containsExactly("main.ledger.orders>", "main.ledger.orders>main.ledger.entries");
    }

    @Test
    void whatItsGrantsDoNotGiveAnAgentDoesNotGet() throws Exception {
        agents.agent("nosy", "ada", CAPS);
        agents.table("secret.salaries", agents.user("sue"));
        var run = agents.start("ada", "nosy", "k", "{}");
        try (var _ = agents.worker("nosy", r -> r.query("look", "SELECT * FROM secret.salaries"))) {
            agents.awaitStatus(run, "failed");
        }
        assertThat(agents.show(run).path("error").asText()).contains("permission denied");
    }

    @Test
    void anEffectAndItsRecordStandTogetherOrNotAtAll() throws Exception {
        var principal = agents.agent("writer", "ada", CAPS);
        agents.table("effects.rows", principal);
        var run = agents.start("ada", "writer", "broken", "{}");
        var second = agents.start("ada", "writer", "ending", "{}");
        var third = agents.start("ada", "writer", "third", "{}");
        var fourth = agents.start("ada", "writer", "fourth", "{}");
        try (var _ =
                agents.worker(
                        "writer",
                        r ->
                                r.write(
                                        "write",
                                        r.id().equals(run) || r.id().equals(second)
                                                ? r.id().toString()
                                                : "the same",
                                        c -> {
                                            insert(c, "effects.rows", r.id().toString());
                                            if (r.id().equals(run)) {
                                                throw new IllegalStateException("after writing");
                                            }
                                            if (r.id().equals(second)) {
                                                try (var s = c.createStatement()) {
                                                    s.execute("COMMIT");
                                                }
                                            }
                                            return r.id();
                                        }))) {
            agents.awaitStatus(run, "failed");
            agents.awaitStatus(second, "failed");
            agents.awaitStatus(third, "succeeded");
            agents.awaitStatus(fourth, "succeeded");
        }
        assertThat(agents.show(second).path("error").asText()).contains("ended its transaction");
        assertThat(
                        agents.query(
                                "SELECT value FROM effects.rows WHERE value NOT IN ('%s')"
                                        .formatted(second)))
                .as("a key is used once among all runs")
                .hasSize(1);
        assertThat(agents.show(third).path("output")).isEqualTo(agents.show(fourth).path("output"));
    }

    @Test
    void aRunIsTakenOverAndItsOldWorkerWritesNoMore() throws Exception {
        var principal = agents.agent("fenced", "ada", CAPS);
        agents.table("fence.rows", principal);
        var run = agents.start("ada", "fenced", "k", "{}");
        try (var old = agents.login("fenced-agent");
                var other = agents.login("fenced-agent")) {
            var claim = "SELECT fence FROM lakemill.agent_claim('fenced', 'w', 100)";
            var first = TestAgents.query(old, claim).getFirst();
            TestAgents.await(() -> claims(other, claim));
            old.setAutoCommit(false);
            insert(old, "fence.rows", "too late");
            var step = "{\"seq\": 1, \"kind\": \"note\", \"name\": \"n\", \"input_hash\": \"h\"}";
            assertThatThrownBy(
                            () ->
                                    TestAgents.query(
                                            old,
                                            "SELECT lakemill.agent_record('%s', %s, '%s', '{}')"
                                                    .formatted(run, first, step)))
                    .hasMessageContaining("at claim 2, not 1");
            old.rollback();
            old.setAutoCommit(true);
            TestAgents.query(
                    other,
                    "SELECT lakemill.agent_record('%s', 2, '%s', '{}')".formatted(run, step));
            assertThatThrownBy(
                            () ->
                                    TestAgents.query(
                                            old,
                                            "SELECT lakemill.agent_succeed('%s', %s, '{}')"
                                                    .formatted(run, first)))
                    .hasMessageContaining("not at claim 1");
        }
        assertThat(agents.query("SELECT value FROM fence.rows")).isEmpty();
        assertThat(agents.show(run).path("steps")).hasSize(1);
    }

    @Test
    void theKillSwitchWaitsForNoWorkerThatKeepsItsTransactionOpen() throws Exception {
        agents.agent("idle", "ada", CAPS);
        agents.agent("stale", "ada", CAPS);
        agents.start("ada", "stale", "k", "{}");
        var claim = "SELECT fence FROM lakemill.agent_claim('%s', 'w', 60000)";
        try (var idle = agents.login("idle-agent");
                var stale = agents.login("stale-agent")) {
            idle.setAutoCommit(false);
            assertThat(TestAgents.query(idle, claim.formatted("idle"))).isEmpty();
            stale.setAutoCommit(false);
            stale.setTransactionIsolation(java.sql.Connection.TRANSACTION_REPEATABLE_READ);
            TestAgents.query(stale, "SELECT 1");
            agents.store.stopAll("system", true);
            assertThatThrownBy(() -> TestAgents.query(idle, "SELECT 1"))
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> TestAgents.query(stale, claim.formatted("stale")))
                    .hasMessageContaining("READ COMMITTED");
        } finally {
            agents.store.stopAll("system", false);
        }
    }

    private static boolean claims(java.sql.Connection connection, String claim) {
        try {
            return !TestAgents.query(connection, claim).isEmpty();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nobodyElseTouchesTheJournal() throws Exception {
        agents.agent("mine", "ada", CAPS);
        agents.agent("other", "ada", CAPS);
        var run = agents.start("ada", "mine", "k", "{}");
        for (var sql :
                List.of(
                        "SELECT * FROM lakemill.agent_claim('mine', 'w', 1000)",
                        "SELECT * FROM lakemill.agent_runs",
                        "UPDATE lakemill.agent_switch SET stopped = false",
                        "SELECT lakemill.agent_start_as('ada', 'mine', 'api', 'x', '{}', '')",
                        "SELECT lakemill.agent_end('%s', 'failed', NULL, '', '')".formatted(run),
                        "SELECT lakemill.agent_succeed('%s', 0, '{}')".formatted(run),
                        "SELECT lakemill.agent_start('mine', '{}', 'forged')")) {
            assertThatThrownBy(() -> agents.queryAs("other-agent", sql))
                    .as(sql)
                    .isInstanceOf(SQLException.class);
        }
        assertThat(agents.status(run)).isEqualTo("queued");
        assertThat(agents.queryAs("bob", "SELECT run_id FROM lakemill.agent_activity")).isEmpty();
        assertThat(agents.queryAs("bob", "SELECT run_id FROM lakemill.agent_activity_steps"))
                .isEmpty();
        assertThat(agents.queryAs("ada", "SELECT run_id FROM lakemill.agent_activity"))
                .contains(run.toString());
    }

    @Test
    void peopleDecideOnceAndNoAgentDoes() throws Exception {
        agents.agent("asker", "ada", CAPS);
        var run = agents.start("ada", "asker", "k", "{}");
        try (var _ =
                agents.worker(
                        "asker",
                        r -> {
                            var asked = Approval.of("commit", Map.of("amount", 7), "**Commit?**");
                            var decision = r.approve("may I", asked);
                            return Map.of("outcome", decision.outcome(), "args", decision.args());
                        })) {
            TestAgents.await(() -> agents.store.inbox("ada").size() == 1);
            var approval = UUID.fromString(agents.store.inbox("ada").at("/0/approval_id").asText());
            agents.awaitStatus(run, "waiting");
            assertThat(agents.store.inbox("bob")).isEmpty();
            var edit = TestAgents.JSON.readTree("{\"amount\": 5}");
            assertThatThrownBy(() -> agents.store.decide("bob", approval, "accept", null, ""))
                    .isInstanceOf(LakemillException.class);
            assertThatThrownBy(
                            () ->
                                    agents.queryAs(
                                            "asker-agent",
                                            "SELECT lakemill.agent_decide('%s','accept','{}','')"
                                                    .formatted(approval)))
                    .hasMessageContaining("has no approval");
            assertThatThrownBy(
                            () ->
                                    agents.store.decide(
                                            "ada",
                                            approval,
                                            "edit",
                                            TestAgents.JSON.readTree("{\"to\": \"x\"}"),
                                            ""))
                    .hasMessageContaining("an edit changes arguments that there are");
            agents.store.delegate("ada", approval, "bob");
            assertThatThrownBy(() -> agents.store.decide("ada", approval, "accept", null, ""))
                    .hasMessageContaining("has no approval");
            agents.store.decide("bob", approval, "edit", edit, "");
            assertThatThrownBy(() -> agents.store.decide("bob", approval, "accept", null, ""))
                    .hasMessageContaining("bob has decided already: edit");
            agents.awaitStatus(run, "succeeded");
        }
        var output = agents.show(run).path("output");
        assertThat(output.path("outcome").asText()).isEqualTo("EDIT");
        assertThat(output.at("/args/amount").asInt()).isEqualTo(5);
    }

    /** What a step gave the first time is what it gives when it is replayed, to the last digit. */
    @Test
    void aReplayedStepGivesTheSameNumbers() throws Exception {
        agents.agent("exact", "ada", CAPS);
        var run = agents.start("ada", "exact", "k", "{}");
        try (var _ =
                agents.worker(
                        "exact",
                        r -> {
                            var numbers =
                                    "SELECT 120.00 AS cost, 1e-9 AS small, 1e10::float8 AS large";
                            var row = r.query("numbers", numbers).getFirst();
                            var told = new ArrayList<String>();
                            for (var column : List.of("cost", "small", "large")) {
                                told.add(row.text(column));
                            }
                            told.add(r.note("note", () -> 1e10).asText());
                            told.add(r.tool("tool", "", () -> Map.of("b", 2, "aa", 1)).toString());
                            told.add(r.write("write", "exact", _ -> 120.0).asText());
                            var decision =
                                    r.approve("sure", Approval.of("act", Map.of("told", told), ""));
                            return decision.args();
                        })) {
            TestAgents.await(() -> agents.store.inbox("ada").size() == 1);
            var approval = UUID.fromString(agents.store.inbox("ada").at("/0/approval_id").asText());
            agents.store.decide("ada", approval, "accept", null, "");
            agents.awaitStatus(run, "succeeded");
        }
        assertThat(agents.show(run).at("/output/told"))
                .extracting(JsonNode::asText)
                .startsWith("120.00", "0.000000001", "10000000000", "10000000000");
    }

    @Test
    void anApprovalThatNobodyGivesEnds() throws Exception {
        agents.agent("hasty", "ada", CAPS);
        var run = agents.start("ada", "hasty", "k", "{}");
        try (var _ =
                agents.worker(
                        "hasty",
                        r ->
                                r.approve(
                                                "now",
                                                Approval.of("act", Map.of(), "")
                                                        .within(Duration.ofSeconds(1)))
                                        .outcome())) {
            TestAgents.await(() -> agents.store.expire() == 1);
            agents.awaitStatus(run, "succeeded");
        }
        assertThat(agents.show(run).path("output").asText()).isEqualTo("EXPIRED");
    }

    @Test
    void capsEndARunAndFailuresAreCounted() throws Exception {
        agents.agent("eager", "ada", new AgentDefinition.Caps(3, 30, 1_000_000, 3_600, 2));
        var steps = agents.start("ada", "eager", "steps", "{}");
        var tokens = agents.start("ada", "eager", "tokens", "{}");
        var broken = agents.start("ada", "eager", "broken", "{}");
        agents.models.otherwise(new Answer.Text("{\"subject\": \"s\", \"amount\": 1}"));
        try (var _ =
                agents.worker(
                        "eager",
                        r -> {
                            for (var i = 0; i < 9; i++) {
                                if (r.id().equals(steps)) {
                                    r.note("n" + i, () -> 1);
                                } else if (r.id().equals(tokens)) {
                                    r.ask("a" + i, "m", Prompt.of("Draft."), Draft.class);
                                } else {
                                    throw away();
                                }
                            }
                            return null;
                        })) {
            agents.awaitStatus(steps, "failed");
            agents.awaitStatus(tokens, "failed");
            agents.awaitStatus(broken, "failed");
        }
        assertThat(agents.show(steps).path("error").asText()).contains("has taken 3 steps");
        assertThat(agents.show(tokens).path("error").asText()).contains("36 tokens of 30");
        assertThat(agents.show(broken).path("error_code").asText()).isEqualTo("UNAVAILABLE");
    }

    @Test
    void aModelThatFailsIsAskedAgainAndOneThatAnswersBadlyIsTold() throws Exception {
        agents.agent("patient", "ada", CAPS);
        agents.models.script(
                new Answer.Status(429, 0),
                new Answer.Malformed(),
                new Answer.HalfStream("{\"subject\": \"half\", \"amount\": 1}"),
                new Answer.Text("Certainly! Here you are."),
                new Answer.Text("{\"subject\": \"s\", \"amount\": \"many\"}"),
                new Answer.Text("```json\n{\"subject\": \"s\", \"amount\": 2}\n```"));
        var run = agents.start("ada", "patient", "k", "{}");
        try (var _ =
                agents.worker(
                        "patient",
                        r -> r.ask("draft", "m", Prompt.of("Draft."), Draft.class).value())) {
            agents.awaitStatus(run, "succeeded");
        }
        var shown = agents.show(run);
        assertThat(shown.at("/output/amount").asInt()).isEqualTo(2);
        assertThat(shown.path("steps")).as("every answer is kept").hasSize(3);
    }

    @Test
    void aSpentBudgetAndAProviderThatRefusesEndTheRun() throws Exception {
        agents.agent("spent", "ada", CAPS);
        agents.models.script(
                new Answer.Raw(429, "{\"error\": {\"code\": \"insufficient_quota\"}}"),
                new Answer.Raw(424, "{\"error\": {\"code\": \"refused\"}}"));
        var runs =
                List.of(
                        agents.start("ada", "spent", "1", "{}"),
                        agents.start("ada", "spent", "2", "{}"));
        try (var _ =
                agents.worker(
                        "spent",
                        r -> r.ask("draft", "m", Prompt.of("Draft."), Draft.class).value())) {
            for (var run : runs) {
                agents.awaitStatus(run, "failed");
                assertThat(agents.show(run).path("error_code").asText()).isEqualTo("MODEL_REFUSED");
            }
        }
    }

    @Test
    void aWorkerOutlivesALoginThatIsAway() throws Exception {
        agents.agent("locked", "ada", CAPS);
        var run = agents.start("ada", "locked", "k", "{}");
        var asked = new AtomicInteger();
        try (var _ =
                AgentWorker.start(
                        new AgentWorker.Options("locked", 1, Duration.ofMinutes(5)),
                        r -> r.note("n", () -> 1),
                        () -> {
                            if (asked.incrementAndGet() <= 4) {
                                throw away();
                            }
                            return agents.login("locked-agent");
                        },
                        new HttpModelClient(
                                agents.models.url(), () -> "", Duration.ofMinutes(1)))) {
            agents.awaitStatus(run, "succeeded");
        }
    }

    @Test
    void oneRunThatNobodyCanReadEndsAndItsWorkerGoesOn() throws Exception {
        agents.agent("reader", "ada", CAPS);
        var start = "SELECT lakemill.agent_start('reader', '{\"a\": 1e1000}', 'k')";
        var unreadable = UUID.fromString(agents.queryAs("ada", start).getFirst());
        var usual = agents.start("ada", "reader", "usual", "{}");
        try (var _ = oneThread("reader", r -> r.note("n", () -> 1))) {
            agents.awaitStatus(usual, "succeeded");
            TestAgents.await(() -> agents.status(unreadable).equals("failed"));
        }
        assertThat(
                        agents.query(
                                "SELECT error_code || ' ' || error FROM lakemill.agent_runs WHERE"
                                        + " run_id = '%s'".formatted(unreadable)))
                .first()
                .asString()
                .startsWith("INVALID_ARGUMENT")
                .contains("Number value length (1001)");
    }

    @Test
    void anErrorOfAnAgentEndsItsRunAndItsWorkerGoesOn() throws Exception {
        agents.agent("deep", "ada", CAPS);
        var overflowing = agents.start("ada", "deep", "overflowing", "{\"deep\": true}");
        var usual = agents.start("ada", "deep", "usual", "{}");
        try (var _ =
                oneThread(
                        "deep",
                        r -> {
                            if (r.input().has("deep")) {
                                throw new StackOverflowError("too deep");
                            }
                            return r.note("n", () -> 1);
                        })) {
            agents.awaitStatus(usual, "succeeded");
            agents.awaitStatus(overflowing, "failed");
        }
        var shown = agents.show(overflowing);
        assertThat(shown.path("error_code").asText()).isEqualTo("AGENT_FAILED");
        assertThat(shown.path("error").asText()).contains("StackOverflowError: too deep");
    }

    @Test
    void anInterruptThatComesLateEndsNoThread() throws Exception {
        agents.agent("late", "ada", CAPS);
        var thread = new AtomicReference<Thread>();
        var first = agents.start("ada", "late", "first", "{}");
        try (var _ =
                oneThread(
                        "late",
                        _ -> {
                            thread.set(Thread.currentThread());
                            return null;
                        })) {
            agents.awaitStatus(first, "succeeded");
            for (var i = 0; i < 20; i++) {
                Objects.requireNonNull(thread.get()).interrupt();
                Thread.sleep(20);
            }
            var second = agents.start("ada", "late", "second", "{}");
            agents.awaitStatus(second, "succeeded");
        }
    }

    private static AgentWorker oneThread(String name, Agent agent) {
        return AgentWorker.start(
                new AgentWorker.Options(name, 1, Duration.ofSeconds(2)),
                agent,
                () -> agents.login(name + "-agent"),
                new HttpModelClient(agents.models.url(), () -> "", Duration.ofMinutes(1)));
    }

    @Test
    void runsOfLongAgoAreForgottenAndTheirKeysAreNot() throws Exception {
        agents.agent("old", "ada", CAPS);
        var run = agents.start("ada", "old", "k", "{}");
        var open = agents.start("ada", "old", "open", "{\"open\": true}");
        try (var _ =
                agents.worker(
                        "old",
                        r ->
                                r.input().has("open")
                                        ? r.approve("w", Approval.of("act", Map.of(), "")).args()
                                        : r.write("write", "key", _ -> 1))) {
            agents.awaitStatus(run, "succeeded");
            agents.awaitStatus(open, "waiting");
        }
        agents.execute(
                "UPDATE lakemill.agent_runs SET finished_at = '2001-01-01' WHERE run_id = '%s'"
                        .formatted(run));
        assertThat(agents.store.purge(Instant.parse("2002-01-01T00:00:00Z"))).isEqualTo(1);
        assertThat(agents.query("SELECT run_id FROM lakemill.agent_runs WHERE agent = 'old'"))
                .containsExactly(open.toString());
        assertThat(agents.query("SELECT state FROM lakemill.agent_effects WHERE agent = 'old'"))
                .containsExactly("done");
        assertThat(agents.store.cancel("ada", open, "the test ends")).isTrue();
    }

    @Test
    void codeThatDoesOtherThanBeforeEndsItsRun() throws Exception {
        agents.agent("fickle", "ada", CAPS);
        var run = agents.start("ada", "fickle", "k", "{}");
        var attempt = new AtomicInteger();
        try (var _ =
                agents.worker(
                        "fickle",
                        r -> {
                            r.note("step " + attempt.incrementAndGet(), () -> 1);
                            throw away();
                        })) {
            agents.awaitStatus(run, "failed");
        }
        assertThat(agents.show(run).path("error_code").asText()).isEqualTo("NONDETERMINISTIC");
    }

    @Test
    void aPausedRunGoesOnAndACancelledOneDoesNot() throws Exception {
        agents.agent("held", "ada", CAPS);
        var run = agents.start("ada", "held", "k", "{}");
        var reached = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var asleep = agents.start("ada", "held", "asleep", "{\"sleep\": true}");
        try (var _ =
                agents.worker(
                        "held",
                        r -> {
                            if (r.input().has("sleep")) {
                                r.sleepUntil(Instant.parse("2999-01-01T00:00:00Z"));
                            }
                            reached.countDown();
                            go.await();
                            return r.note("after", () -> "done");
                        })) {
            agents.awaitStatus(asleep, "waiting");
            assertThat(agents.store.cancel("ada", asleep, "no need")).isTrue();
            assertThat(agents.store.cancel("ada", asleep, "again")).isFalse();
            reached.await();
            assertThatThrownBy(() -> agents.store.pauseRun("bob", run, true))
                    .hasMessageContaining("does not manage");
            agents.store.pauseRun("ada", run, true);
            go.countDown();
            agents.awaitStatus(run, "queued");
            assertThat(agents.show(run).path("steps")).isEmpty();
            agents.store.pauseRun("ada", run, false);
            agents.awaitStatus(run, "succeeded");
        }
        assertThat(agents.status(asleep)).isEqualTo("cancelled");
    }

    /** The interrupt comes while the agent's own code waits, outside of any step. */
    @Test
    void aRunThatIsPausedWhileItsCodeWaitsGoesOn() throws Exception {
        agents.agent("waits", "ada", CAPS);
        var run = agents.start("ada", "waits", "k", "{}");
        var reached = new CountDownLatch(1);
        var never = new CountDownLatch(1);
        var paused = new CountDownLatch(1);
        try (var _ =
                agents.worker(
                        "waits",
                        Duration.ofMillis(600),
                        r -> {
                            // A slow machine may lose the lease before, and try more than twice.
                            if (paused.getCount() > 0) {
                                reached.countDown();
                                never.await();
                            }
                            return r.note("after", () -> "done");
                        })) {
            reached.await();
            agents.store.pauseRun("ada", run, true);
            agents.awaitStatus(run, "queued");
            paused.countDown();
            agents.store.pauseRun("ada", run, false);
            agents.awaitStatus(run, "succeeded");
        }
    }
}
