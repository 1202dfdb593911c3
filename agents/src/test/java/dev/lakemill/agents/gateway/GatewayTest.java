package dev.lakemill.agents.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.gateway.ScriptedModelServer.Answer;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The gateway against scripted providers and a real Postgres, with a clock that stands still. */
final class GatewayTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Clock NOON =
            Clock.fixed(Instant.parse("2026-11-29T12:00:30Z"), ZoneOffset.UTC);

    @TempDir static Path folder;
    private static Postgres postgres;
    private static Catalog catalog;
    private ScriptedModelServer first;
    private ScriptedModelServer second;
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void startPostgres() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
    }

    @AfterAll
    static void stopPostgres() {
        postgres.close();
    }

    @BeforeEach
    void startProviders() {
        first = ScriptedModelServer.start();
        second = ScriptedModelServer.start();
        opened.add(first);
        opened.add(second);
    }

    @AfterEach
    void closeAll() throws Exception {
        for (var each : opened) {
            each.close();
        }
    }

    @Test
    void answersWithWhatTheProviderCountsAndThePriceOfIt() {
        first.script(new Answer.Text("Good evening."));
        var gateway = open("priced", "");
        var caller = caller("priced");
        var answer = gateway.chat(caller, hello("priced"));
        assertThat(answer.content()).isEqualTo("Good evening.");
        assertThat(answer.usage()).isEqualTo(new TokenUsage(11, 7, false));
        assertThat(answer.costMicros()).isEqualTo(11 * 2 + 7 * 8);
        assertThat(answer.provider()).isEqualTo("one");
        assertThat(answer.isTemplate()).isFalse();
        assertThat(usage("priced"))
                .containsExactly("200|one|served-model|11|7|false|78|" + caller.principal().name());
        var asked = first.asked().getFirst();
        assertThat(asked.body().path("model").asText()).isEqualTo("served-model");
        assertThat(asked.authorization()).isEqualTo("Bearer the-key");
    }

    @Test
    void estimatesTokensThatNobodyCounted() {
        first.script(new Answer.Uncounted("uncounted"));
        var answer = open("estimated", "").chat(caller("estimated"), hello("estimated"));
        assertThat(answer.usage().estimated()).isTrue();
        assertThat(answer.usage().input()).isPositive();
        assertThat(answer.usage().output()).isPositive();
    }

    @Test
    void onlyWhoHasExecuteMayCall() {
        var gateway = open("guarded", "");
        var stranger = principal("stranger-" + UUID.randomUUID());
        var problem = problem(() -> gateway.chat(stranger, hello("guarded")));
        assertThat(problem.kind())
                .isIn(ModelProblem.Kind.NOT_ALLOWED, ModelProblem.Kind.NO_ENDPOINT);
        assertThat(gateway.endpoints(stranger)).extracting("name").containsExactly("template");
        assertThat(first.asked()).isEmpty();
    }

    @Test
    void fallsBackToTheNextProviderAndLeavesAFailingOneAlone() {
        first.otherwise(new Answer.Status(500, 0));
        var gateway = open("fallback", "attempts: 1");
        var caller = caller("fallback");
        for (int i = 0; i < 7; i++) {
            assertThat(gateway.chat(caller, hello("fallback")).provider()).isEqualTo("two");
        }
        assertThat(first.asked()).as("five failures open the circuit").hasSize(5);
        assertThat(gateway.totals().resting()).isEqualTo(1);
    }

    @Test
    void retriesMalformedAnswersAndHalfOnesBeforeFallingBack() {
        first.script(new Answer.Malformed(), new Answer.HalfStream("half an answer"));
        second.script(new Answer.Text("whole"));
        var answer = open("retried", "attempts: 2").chat(caller("retried"), hello("retried"));
        assertThat(answer.content()).isEqualTo("whole");
        assertThat(first.asked()).hasSize(2);
    }

    @Test
    void doesNotWaitForAProviderThatIsSlowOrSaysLater() {
        first.script(new Answer.Status(429, 3_600));
        var gateway = open("limited", "");
        var caller = caller("limited");
        assertThat(gateway.chat(caller, hello("limited")).provider()).isEqualTo("two");
        assertThat(gateway.chat(caller, hello("limited")).provider()).isEqualTo("two");
        assertThat(first.asked()).as("not asked again until Retry-After").hasSize(1);
        second.otherwise(new Answer.Status(429, 7));
        var problem = problem(() -> gateway.chat(caller, hello("limited")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.LIMITED);
        assertThat(problem.isRetriable()).isTrue();
        assertThat(problem.retryAfter()).contains(Duration.ofSeconds(7));
    }

    @Test
    void neverFollowsARedirect() {
        first.script(new Answer.Redirect(second.url() + "/chat/completions"));
        var gateway = openWith("redirected", provider("one", first, ""), "attempts: 1");
        var problem = problem(() -> gateway.chat(caller("redirected"), hello("redirected")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.REFUSED);
        assertThat(second.asked()).isEmpty();
    }

    @Test
    void refusesAddressesAtWhichMachinesGetCredentials() {
        for (var url :
                List.of("http://169.254.169.254/v1", "http://[fe80::1]/v1", "http://0.0.0.0/v1")) {
            var gateway =
                    openWith(
                            "metadata",
                            "- {name: one, model: m, base_url: '%s'}".formatted(url),
                            "attempts: 1");
            var problem = problem(() -> gateway.chat(caller("metadata"), hello("metadata")));
            assertThat(problem.kind()).as(url).isEqualTo(ModelProblem.Kind.REFUSED);
        }
    }

    @Test
    void holdsAnswersAgainstTheirSchemaRepairsOnceAndFallsBack() throws Exception {
        var schema =
                JSON.readTree(
                        "{\"type\":\"object\",\"required\":[\"price\"],\"properties\":{\"price\":{\"type\":\"number\"}}}");
        var gateway = open("schema", "");
        var caller = caller("schema");
        first.script(new Answer.Text("{\"price\": \"low\"}"), new Answer.Text("{\"price\": 3}"));
        var repaired = gateway.chat(caller, hello("schema").withResponseSchema(schema));
        assertThat(repaired.content()).isEqualTo("{\"price\": 3}");
        assertThat(repaired.usage()).as("both calls").isEqualTo(new TokenUsage(22, 14, false));
        first.otherwise(new Answer.Text("no"));
        second.script(new Answer.Text("{\"price\": 4}"));
        var other = gateway.chat(caller, hello("schema").withResponseSchema(schema));
        assertThat(other.provider()).isEqualTo("two");
        second.otherwise(new Answer.Text("no"));
        var problem =
                problem(() -> gateway.chat(caller, hello("schema").withResponseSchema(schema)));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.BAD_ANSWER);
    }

    @Test
    void answersThatFitNoSchemaAreCountedAndNotHeldAgainstTheProvider() throws Exception {
        var schema = JSON.readTree("{\"type\":\"object\",\"required\":[\"price\"]}");
        var limits = "attempts: 1\n    rate_limits: [{key: endpoint, tokens: 100000}]";
        var gateway = openWith("unfit", provider("one", first, ""), limits);
        var caller = caller("unfit");
        first.otherwise(new Answer.Text("no"));
        for (var call = 1; call <= 5; call++) {
            var problem =
                    problem(() -> gateway.chat(caller, hello("unfit").withResponseSchema(schema)));
            assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.BAD_ANSWER);
            assertThat(usage("unfit"))
                    .hasSize(call)
                    .last()
                    .asString()
                    .startsWith("502|one|served-model|22|14|false|" + (22 * 2 + 14 * 8));
            assertThat(spent("unfit")).containsExactly(call + " " + call * 36);
        }
        assertThat(gateway.chat(caller, hello("unfit")).content()).isEqualTo("no");
        assertThat(gateway.totals().resting()).isZero();
    }

    @Test
    void answersThatDidNotFitAreCountedWithTheOneThatDoes() throws Exception {
        var schema = JSON.readTree("{\"type\":\"object\",\"required\":[\"price\"]}");
        var limits = "attempts: 1\n    rate_limits: [{key: endpoint, tokens: 9999}]";
        var gateway = open("later", limits);
        var caller = caller("later");
        first.script(new Answer.Text("no"), new Answer.Status(500, 0));
        second.script(new Answer.Text("{\"price\": 4}"));
        var answer = gateway.chat(caller, hello("later").withResponseSchema(schema));
        assertThat(answer.provider()).isEqualTo("two");
        assertThat(answer.usage()).isEqualTo(new TokenUsage(22, 14, false));
        assertThat(answer.costMicros()).isEqualTo(22 * 2 + 14 * 8);
        assertThat(spent("later")).containsExactly("1 36");
        first.script(new Answer.Text("no"), new Answer.Text("no"));
        second.script(new Answer.Status(500, 0));
        problem(() -> gateway.chat(caller, hello("later").withResponseSchema(schema)));
        var planned = 34;
        assertThat(usage("later").getLast())
                .as("two answers, and what the second provider may have read")
                .startsWith("503|two|served-model|%d|14|true".formatted(22 + planned));
    }

    private static List<String> spent(String endpoint) {
        return query(
                "SELECT calls || ' ' || tokens FROM lakemill.model_spend WHERE endpoint = '%s'"
                        .formatted(endpoint));
    }

    @Test
    void asksForToolsOnlyThoseWhoCanAndHandsTheirCallsOn() throws Exception {
        var tool = new ChatTool("lookup", "finds a price", JSON.readTree("{\"type\":\"object\"}"));
        var providers =
                provider("one", first, "capabilities: [json_object]") + provider("two", second, "");
        var gateway = openWith("tools", providers, "");
        second.script(new Answer.Tool("lookup", "{\"sku\": \"basil\"}"));
        var answer = gateway.chat(caller("tools"), hello("tools").withTools(List.of(tool)));
        assertThat(answer.toolCalls())
                .containsExactly(new ToolCall("call_1", "lookup", "{\"sku\": \"basil\"}"));
        assertThat(answer.finishReason()).isEqualTo("tool_calls");
        assertThat(first.asked()).isEmpty();
    }

    @Test
    void limitsOutliveTheProcessAndCountWhatWasUsed() {
        var limits = "rate_limits: [{key: user, calls: 2, renewal_period: day}]";
        var caller = caller("limits");
        var gateway = open("limits", limits);
        gateway.chat(caller, hello("limits"));
        var restarted = open("limits", limits);
        restarted.chat(caller, hello("limits"));
        var problem = problem(() -> restarted.chat(caller, hello("limits")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.BUDGET_SPENT);
        assertThat(problem.isRetriable()).isFalse();
        assertThat(problem.retryAfter()).contains(Duration.ofSeconds(12 * 3600 - 30));
        assertThat(first.asked()).hasSize(2);
        assertThat(restarted.chat(caller("limits"), hello("limits")).content()).isNotEmpty();
        assertThat(usage("limits")).filteredOn(row -> row.startsWith("429|null")).hasSize(1);
    }

    @Test
    void tokensAreReservedBeforeAndGivenBackAfter() {
        // A call reserves its input and 50 of output, and uses 18.
        var gateway =
                open(
                        "tokens",
                        "output_tokens_max: 50\n    rate_limits: [{key: endpoint, tokens: 90}]");
        var caller = caller("tokens");
        for (int i = 0; i < 3; i++) {
            first.script(new Answer.Text("ok"));
            gateway.chat(caller, ChatRequest.of("tokens", ChatMessage.user("")));
        }
        var problem = problem(() -> gateway.chat(caller, hello("tokens")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.LIMITED);
        assertThat(problem.retryAfter()).contains(Duration.ofSeconds(30));
    }

    @Test
    void manyCallersAtOnceNeverGetMoreThanTheLimit() throws Exception {
        var gateway =
                open("crowd", "rate_limits: [{key: endpoint, calls: 5}, {key: user, calls: 50}]");
        var caller = caller("crowd");
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var calls = new ArrayList<java.util.concurrent.Callable<Boolean>>();
            for (int i = 0; i < 20; i++) {
                calls.add(
                        () -> {
                            try {
                                gateway.chat(caller, hello("crowd"));
                                return true;
                            } catch (ModelProblem e) {
                                return false;
                            }
                        });
            }
            var good = 0;
            for (var call : threads.invokeAll(calls)) {
                good += call.get() ? 1 : 0;
            }
            assertThat(good).isEqualTo(5);
        }
        assertThat(spent("crowd"))
                .as("the refused ones count in neither limit")
                .containsExactly("5 90", "5 90");
    }

    @Test
    void aCallWhoseProcessWasKilledKeepsItsRowAndItsReservation() {
        var limits = "output_tokens_max: 100\n    rate_limits: [{key: endpoint, tokens: 150}]";
        var caller = caller("killed");
        var spend = Spend.open(postgres.owner(), catalog.principals(), NOON);
        var endpoint =
                GatewayConfig.read(yaml("killed", both(), limits), folder, GatewayTest::secret)
                        .endpoint("killed")
                        .orElseThrow();
        spend.reserve(
                new Spend.Planned(
                        UUID.randomUUID(), caller, endpoint, "chatCompletions", false, 10, 100));
        var after = open("killed", limits);
        assertThat(usage("killed"))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("500|null|null|10|100");
        var problem = problem(() -> after.chat(caller, hello("killed")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.LIMITED);
        assertThat(first.asked()).isEmpty();
        assertThat(after.totals().failed()).isEqualTo(1);
    }

    @Test
    void guardrailsBlockAndMaskByRule() {
        var gateway =
                open(
                        "rails",
                        "guardrails: {input: {invalid_keywords: [competitor x], pii: {behavior: MASK}},"
                                + " output: {pii: {behavior: BLOCK}}}");
        var caller = caller("rails");
        gateway.chat(
                caller,
                ask("rails", "Mail jo@farm.example or pay 4111 1111 1111 1111, order 1234 5678"));
        var sent =
                first.asked().getFirst().body().path("messages").path(0).path("content").asText();
        assertThat(sent).isEqualTo("Mail <EMAIL> or pay <CREDIT_CARD>, order 1234 5678");
        var blocked =
                problem(() -> gateway.chat(caller, ask("rails", "what does Competitor X pay?")));
        assertThat(blocked.kind()).isEqualTo(ModelProblem.Kind.BLOCKED);
        first.script(new Answer.Text("call GB82 WEST 1234 5698 7654 32"));
        var answer = problem(() -> gateway.chat(caller, ask("rails", "account?")));
        assertThat(answer.kind()).isEqualTo(ModelProblem.Kind.BLOCKED);
        assertThat(usage("rails"))
                .as("what was used is paid for")
                .anyMatch(row -> row.startsWith("400|one|served-model|11|7"));
    }

    @Test
    void guardrailsAreJudgedByAnotherEndpointAndFailClosed() {
        var gateway =
                openWith(
                        "judged",
                        provider("one", first, ""),
                        """
                        guardrails: {input: {safety: true, valid_topics: [farming]}, output: {safety: true}, judge: judge}
                          - name: judge
                            attempts: 1
                            providers: [{name: two, model: m, base_url: '%s'}]
                        """
                                .formatted(second.url()));
        var caller = caller("judged");
        second.otherwise(new Answer.Text("{\"safe\": true, \"on_topic\": true}"));
        gateway.chat(caller, ask("judged", "When is basil ripe?"));
        assertThat(second.asked()).as("input and answer").hasSize(2);
        var judged = second.asked().getFirst().body().path("messages");
        assertThat(judged.path(0).path("content").asText()).contains("[\"farming\"]");
        assertThat(judged.path(1).path("content").asText())
                .isEqualTo("{\"text\":\"When is basil ripe?\"}");
        assertThat(usage("judge"))
                .as("on the node's account")
                .hasSize(2)
                .allMatch(row -> row.endsWith("|system"));

        second.script(new Answer.Text("{\"safe\": true, \"on_topic\": false}"));
        var offTopic = problem(() -> gateway.chat(caller, ask("judged", "Who won?")));
        assertThat(offTopic.kind()).isEqualTo(ModelProblem.Kind.BLOCKED);
        second.script(
                new Answer.Text("{\"safe\": true, \"on_topic\": true}"),
                new Answer.Text("{\"safe\": false, \"on_topic\": true}"));
        var unsafe = problem(() -> gateway.chat(caller, ask("judged", "And pests?")));
        assertThat(unsafe.kind()).isEqualTo(ModelProblem.Kind.BLOCKED);
        assertThat(first.asked()).as("what is off topic is not asked").hasSize(2);
        second.otherwise(new Answer.Status(500, 0));
        var away = problem(() -> gateway.chat(caller, ask("judged", "And mint?")));
        assertThat(away.kind()).isEqualTo(ModelProblem.Kind.UNAVAILABLE);
        assertThat(away.problem()).contains("cannot be judged");
        assertThat(first.asked()).hasSize(2);
    }

    @Test
    void keysComeFromTheFilesOfSecrets() throws Exception {
        Files.createDirectories(folder.resolve("secrets/models"));
        Files.writeString(folder.resolve("secrets/models/hosted"), "from-the-scope\n");
        var gateway =
                openWith(
                        "secret",
                        "- {name: one, model: m, base_url: '%s', api_key: '{{secrets/models/hosted}}'}"
                                .formatted(first.url()),
                        "");
        gateway.chat(caller("secret"), hello("secret"));
        assertThat(first.asked().getFirst().authorization()).isEqualTo("Bearer from-the-scope");
    }

    @Test
    void keepsWhatWasSaidOnlyWhereItIsAskedForAndMasked() {
        var caller = caller("logged");
        open("logged", "inference_log: true").chat(caller, ask("logged", "I am jo@farm.example"));
        open("unlogged", "").chat(caller("unlogged"), ask("unlogged", "secret"));
        assertThat(query("SELECT request FROM lakemill.model_payload WHERE endpoint = 'logged'"))
                .hasSize(1)
                .allMatch(text -> text.contains("<EMAIL>") && !text.contains("jo@farm"));
        assertThat(query("SELECT request FROM lakemill.model_payload WHERE endpoint = 'unlogged'"))
                .isEmpty();
    }

    @Test
    void streamsEventsOnAndCountsThem() throws Exception {
        var gateway = open("streamed", "");
        first.script(new Answer.Text("one two three"));
        var events = stream(gateway, caller("streamed"), "streamed");
        assertThat(events).hasSize(5).last().isEqualTo("[DONE]");
        assertThat(contents(events)).isEqualTo("one two three");
        assertThat(usage("streamed"))
                .first()
                .asString()
                .startsWith("200|one|served-model|11|7|false");
    }

    @Test
    void aStreamThatHasBegunIsNeverRepeatedButEndsWithAnError() throws Exception {
        var gateway = open("half", "");
        first.script(new Answer.HalfStream("one two"));
        var events = stream(gateway, caller("half"), "half");
        assertThat(contents(events)).isEqualTo("one two");
        assertThat(events).last().asString().contains("\"error\"");
        assertThat(events).doesNotContain("[DONE]");
        assertThat(second.asked()).isEmpty();
        assertThat(usage("half")).first().asString().startsWith("502|one");
    }

    @Test
    void aStreamThatStopsIsEndedAfterItsIdleTime() throws Exception {
        var gateway = open("idle", "stream_idle_seconds: 1");
        first.script(new Answer.NeverEnds());
        var events = stream(gateway, caller("idle"), "idle");
        assertThat(events).last().asString().contains("\"error\"");
    }

    @Test
    void aStreamFallsBackBeforeItsFirstEvent() throws Exception {
        var gateway = open("before", "attempts: 1");
        first.script(new Answer.Status(503, 0));
        second.script(new Answer.Text("from two"));
        assertThat(contents(stream(gateway, caller("before"), "before"))).isEqualTo("from two");
    }

    @Test
    void anAnswerLargerThanTheLimitIsNone() {
        var gateway =
                openWith("large", provider("one", first, ""), "attempts: 1\n    answer_mb_max: 1");
        first.script(new Answer.Text("x".repeat(2 << 20)));
        var problem = problem(() -> gateway.chat(caller("large"), hello("large")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.UNAVAILABLE);
    }

    @Test
    void withoutAnyModelATemplateWritesAndSaysSo() throws Exception {
        var gateway = Gateway.open(GatewayConfig.none(), catalog, postgres.owner(), NOON);
        opened.add(gateway);
        var anybody = principal("anybody-" + UUID.randomUUID());
        var draft =
                new ChatDraft(
                        "Dear {{supplier}}, please quote {{sku}}.",
                        Map.of("supplier", "{{sku}} & Co", "sku", "basil"));
        var answer = gateway.chat(anybody, hello("").withDraft(draft));
        assertThat(answer.content()).isEqualTo("Dear {{sku}} & Co, please quote basil.");
        assertThat(answer.isTemplate()).isTrue();
        assertThat(answer.model()).isEqualTo("template");
        assertThat(answer.costMicros()).isZero();
        assertThat(gateway.chat(anybody, hello("").withDraft(draft)).content())
                .isEqualTo(answer.content());
        var schema =
                JSON.readTree(
                        "{\"type\":\"object\",\"properties\":{\"sku\":{\"type\":\"string\"},\"tons\":{\"type\":\"integer\",\"minimum\":1}}}");
        assertThat(
                        gateway.chat(anybody, hello("").withDraft(draft).withResponseSchema(schema))
                                .content())
                .isEqualTo("{\"sku\":\"basil\",\"tons\":1}");
        assertThat(stream(gateway, anybody, "template")).last().isEqualTo("[DONE]");
    }

    @Test
    void aTemplateCanBeTheLastProvider() {
        var gateway =
                openWith(
                        "lastly",
                        provider("one", first, "") + "\n      - {template: true}",
                        "attempts: 1");
        first.otherwise(new Answer.Status(500, 0));
        var answer =
                gateway.chat(
                        caller("lastly"),
                        hello("lastly").withDraft(new ChatDraft("By hand.", Map.of())));
        assertThat(answer.content()).isEqualTo("By hand.");
        assertThat(answer.isTemplate()).isTrue();
    }

    @Test
    void embedsTextsInTheirOrder() {
        var gateway = open("embedded", "");
        var request = JSON.createObjectNode().put("model", "embedded");
        request.putArray("input").add("a").add("b");
        var answer = gateway.embed(caller("embedded"), request);
        assertThat(answer.path("data")).hasSize(2);
        assertThat(answer.path("usage").path("prompt_tokens").asLong()).isEqualTo(11);
    }

    @Test
    void membersOfAGroupShareItsBudgetAndOthersHaveNone() {
        var name = "analysts-" + UUID.randomUUID();
        var group =
                catalog.principals()
                        .create(catalog.system(), PrincipalKind.GROUP, name, name, "")
                        .principal();
        var limits = "rate_limits: [{key: user_group, principal: %s, calls: 2}]".formatted(name);
        var gateway = open("shared", limits);
        var one = caller("shared");
        var two = caller("shared");
        for (var member : List.of(one, two)) {
            catalog.principals().addMember(catalog.system(), group.id(), member.principal().id());
            gateway.chat(member, hello("shared"));
        }
        assertThat(problem(() -> gateway.chat(one, hello("shared"))).kind())
                .isEqualTo(ModelProblem.Kind.LIMITED);
        assertThat(gateway.chat(caller("shared"), hello("shared")).content()).isNotEmpty();
    }

    @Test
    void withoutPostgresNobodyIsAskedAndWhatWasUsedIsWrittenLater() {
        var away = new AtomicBoolean();
        var flaky = sometimesAway(away);
        var config = GatewayConfig.read(yaml("away", both(), ""), folder, GatewayTest::secret);
        var gateway = Gateway.open(config, catalog, flaky, NOON);
        opened.add(gateway);
        var caller = caller("away");
        away.set(true);
        var problem = problem(() -> gateway.chat(caller, hello("away")));
        assertThat(problem.kind()).isEqualTo(ModelProblem.Kind.UNAVAILABLE);
        assertThat(problem.isRetriable()).isTrue();
        assertThat(first.asked()).isEmpty();

        away.set(false);
        first.script(
                new Answer.Computed(
                        _ -> {
                            away.set(true);
                            return new Answer.Text("answered");
                        }));
        assertThat(gateway.chat(caller, hello("away")).content()).isEqualTo("answered");
        assertThat(usage("away")).hasSize(1).first().asString().startsWith("null|null");
        away.set(false);
        gateway.chat(caller, hello("away"));
        assertThat(usage("away")).hasSize(2).allMatch(row -> row.startsWith("200|one|served"));
    }

    private static DataSource sometimesAway(AtomicBoolean away) {
        return (DataSource)
                Proxy.newProxyInstance(
                        DataSource.class.getClassLoader(),
                        new Class<?>[] {DataSource.class},
                        (_, method, arguments) -> {
                            if (away.get()) {
                                throw new SQLException("Postgres is away", "08006");
                            }
                            return method.invoke(postgres.owner(), arguments);
                        });
    }

    // How the tests call.

    private static ChatRequest hello(String endpoint) {
        return ask(endpoint, "hello");
    }

    private static ChatRequest ask(String endpoint, String text) {
        return ChatRequest.of(endpoint, ChatMessage.user(text));
    }

    private static ModelProblem problem(
            org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        var problem = catchThrowableOfType(ModelProblem.class, call);
        assertThat(problem).as("a problem").isNotNull();
        return java.util.Objects.requireNonNull(problem);
    }

    private static List<String> stream(Gateway gateway, Caller caller, String endpoint)
            throws IOException {
        var events = new ArrayList<String>();
        ObjectNode request = ChatJson.of(hello(endpoint));
        gateway.stream(
                caller,
                request.put("stream", true),
                new Gateway.Sink() {
                    @Override
                    public void begin(String requestId, String provider) {
                        assertThat(requestId).isNotEmpty();
                    }

                    @Override
                    public void send(String data) {
                        events.add(data);
                    }

                    @Override
                    public void onClosed(Runnable action) {
                        // It stays.
                    }

                    @Override
                    public boolean isClosed() {
                        return false;
                    }
                });
        return events;
    }

    private static String contents(List<String> events) throws JsonProcessingException {
        var text = new StringBuilder();
        for (var event : events) {
            if (event.startsWith("{")) {
                text.append(
                        JSON.readTree(event)
                                .path("choices")
                                .path(0)
                                .path("delta")
                                .path("content")
                                .asText(""));
            }
        }
        return text.toString();
    }

    private Gateway open(String endpoint, String more) {
        return openWith(endpoint, both(), more);
    }

    private String both() {
        return provider("one", first, "") + "\n      " + provider("two", second, "");
    }

    private static String provider(String name, ScriptedModelServer server, String more) {
        return "- {name: %s, model: served-model, base_url: '%s', api_key: {env: KEY}, input_usd_per_million: 2, output_usd_per_million: 8%s}\n      "
                .formatted(name, server.url(), more.isEmpty() ? "" : ", " + more);
    }

    private Gateway openWith(String endpoint, String providers, String more) {
        var config =
                GatewayConfig.read(yaml(endpoint, providers, more), folder, GatewayTest::secret);
        var gateway = Gateway.open(config, catalog, postgres.owner(), NOON);
        opened.add(gateway);
        return gateway;
    }

    private static String secret(String variable) {
        return variable.equals("KEY") ? "the-key" : "";
    }

    private static JsonNode yaml(String endpoint, String providers, String more) {
        var text =
                "endpoints:\n  - name: %s\n    providers:\n      %s\n    %s\n"
                        .formatted(endpoint, providers, more);
        return JSON.valueToTree(new org.yaml.snakeyaml.Yaml().<Object>load(text));
    }

    /** A new principal that may execute the endpoint. */
    private static Caller caller(String endpoint) {
        var caller = principal(endpoint + "-" + UUID.randomUUID());
        new EndpointModels(catalog).register(endpoint, "");
        var model = EndpointModels.of(endpoint);
        catalog.grants()
                .change(
                        catalog.system(),
                        model,
                        List.of(
                                new GrantChange(
                                        caller.principal().name(),
                                        Set.of(Privilege.EXECUTE),
                                        Set.of())));
        return caller;
    }

    private static Caller principal(String name) {
        var made =
                catalog.principals().create(catalog.system(), PrincipalKind.USER, name, name, "");
        return new Caller(made.principal(), null, "rest", "127.0.0.1", "test");
    }

    /** Status, provider, model, tokens, whether estimated, cost and who, oldest first. */
    private static List<String> usage(String endpoint) {
        return query(
                "SELECT concat_ws('|', coalesce(status_code::text, 'null'), coalesce(provider, 'null'),"
                        + " coalesce(model, 'null'), input_tokens, output_tokens, CASE WHEN is_estimated"
                        + " THEN 'true' ELSE 'false' END, cost_micros, requester)"
                        + " FROM lakemill.model_usage WHERE endpoint = '"
                        + endpoint
                        + "' ORDER BY id");
    }

    private static List<String> query(String sql) {
        return Transactions.run(
                postgres.owner(),
                connection -> {
                    var found = new ArrayList<String>();
                    try (var statement = connection.createStatement();
                            var rows = statement.executeQuery(sql)) {
                        while (rows.next()) {
                            found.add(rows.getString(1));
                        }
                    }
                    return found;
                });
    }
}
