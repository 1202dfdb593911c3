package dev.lakemill.api.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.api.agent.Suspension.Reason;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One attempt at a run, and the steps that its agent can take.
 *
 * <p>Every step has a name and is recorded; begun again, the run gets recorded steps back in their
 * order. Steps that differ from the recorded ones end the run with NONDETERMINISTIC. For the thread
 * that {@link Agent#run} is called on.
 */
public final class AgentRun {
    private static final int ROWS_MAX = 1_000;
    private static final int ANSWERS_MAX = 3;
    private static final long BACKOFF_MILLIS = 500;
    private static final long BACKOFF_MILLIS_MAX = 60_000;

    private final Journal journal;
    private final Journal.Claim claim;
    private final ModelClient models;
    private final JsonNode input;
    private final List<Journal.Step> recorded;
    private int taken;
    private @Nullable Suspension over;

    AgentRun(
            Journal journal, Journal.Claim claim, ModelClient models, List<Journal.Step> recorded) {
        this.journal = journal;
        this.claim = claim;
        this.models = models;
        this.input = Journal.parse(claim.input());
        this.recorded = List.copyOf(recorded);
    }

    public UUID id() {
        return claim.run();
    }

    /** What it was started with. */
    public JsonNode input() {
        return input;
    }

    /** For whom it runs; empty when for nobody but the agent. */
    public String onBehalfOf() {
        return claim.onBehalfOf();
    }

    /** When it was started: the same for every attempt. */
    public Instant startedAt() {
        return claim.createdAt();
    }

    /** The key column of the row whose change started the run. */
    public Recipient recipientOfKey(String column) {
        if (!claim.triggerKind().equals("row_change")) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the run was started by %s, not by a row".formatted(claim.triggerKind()),
                    "take the recipient from a row of a query");
        }
        return Recipient.ofKey(input.at("/key/" + column));
    }

    /**
     * Rows that the agent's principal may see, by its filters and masks; nothing is written.
     *
     * @param sql one SELECT, in the agent's code; values come as parameters
     */
    public List<Row> query(String name, String sql, Object... parameters) throws SQLException {
        var input = Journal.JSON.createObjectNode().put("sql", sql);
        input.set("parameters", Journal.JSON.valueToTree(parameters));
        var output =
                step(
                        "tool",
                        name,
                        input,
                        step -> {
                            var reads = new ArrayList<String>();
                            var rows = Statements.read(journal, sql, parameters, ROWS_MAX, reads);
                            return journal.record(claim, step.set("output", rows), reads);
                        });
        var rows = new ArrayList<Row>();
        output.forEach(row -> rows.add(new Row((ObjectNode) row)));
        return rows;
    }

    /** Anything that reads from elsewhere, such as a GET of a REST service. */
    public JsonNode tool(String name, Object input, Callable<?> call) throws SQLException {
        return step(
                "tool",
                name,
                Journal.JSON.valueToTree(input),
                step -> {
                    journal.check(claim, false);
                    var output = Journal.JSON.<JsonNode>valueToTree(called(call));
                    return journal.record(claim, step.set("output", output), List.of());
                });
    }

    /** A value that changes from attempt to attempt, such as the time, taken once. */
    public JsonNode note(String name, Callable<?> value) throws SQLException {
        return step(
                "note",
                name,
                Journal.JSON.nullNode(),
                step -> {
                    var output = Journal.JSON.<JsonNode>valueToTree(called(value));
                    return journal.record(claim, step.set("output", output), List.of());
                });
    }

    /**
     * Writes to tables, exactly once for each key among all runs of the agent: what is written and
     * its record commit together.
     *
     * @return the receipt, also that of the run which did it before
     */
    public JsonNode write(String name, String idempotencyKey, Effect effect) throws SQLException {
        return step(
                "effect",
                name,
                Journal.JSON.createObjectNode().put("idempotency_key", idempotencyKey),
                step ->
                        Statements.inTransaction(
                                journal,
                                () -> {
                                    var receipt = written(step, name, idempotencyKey, effect);
                                    var reads = journal.touched();
                                    return journal.record(
                                            claim, step.set("output", receipt), reads);
                                }));
    }

    private JsonNode written(ObjectNode step, String name, String key, Effect effect)
            throws SQLException {
        var before = journal.effect(claim, step.path("seq").asInt(), name, key, false);
        if (before.isPresent()) {
            return before.get();
        }
        var receipt = Statements.run(journal, effect);
        journal.effectDone(claim, key, receipt);
        return receipt;
    }

    /**
     * Calls another system, at least once for each key. The intention is committed before the call
     * and the receipt after it.
     */
    public JsonNode call(String name, String idempotencyKey, ExternalCall call)
            throws SQLException {
        return step(
                "effect",
                name,
                Journal.JSON.createObjectNode().put("idempotency_key", idempotencyKey),
                step -> {
                    var seq = step.path("seq").asInt();
                    var before = journal.effect(claim, seq, name, idempotencyKey, true);
                    var receipt =
                            before.isPresent()
                                    ? before.get()
                                    : Journal.JSON.<JsonNode>valueToTree(
                                            called(() -> call.run(idempotencyKey)));
                    return Statements.inTransaction(
                            journal,
                            () -> {
                                journal.effectDone(claim, idempotencyKey, receipt);
                                return journal.record(
                                        claim, step.set("output", receipt), List.of());
                            });
                });
    }

    /**
     * Asks a model for a record. Every answer is recorded before it is looked at; one that does not
     * fit is sent back with what is wrong, up to {@value #ANSWERS_MAX} answers in all.
     *
     * @param endpoint as the gateway names it
     * @throws LakemillException FAILED_PRECONDITION when no answer fits
     */
    public <T> Answer<T> ask(String name, String endpoint, Prompt prompt, Class<T> type)
            throws SQLException {
        var shape = new RecordShape<>(type);
        var messages = new ArrayList<ModelClient.Message>();
        messages.add(new ModelClient.Message("system", prompt.instructions() + Wording.RULES));
        messages.add(new ModelClient.Message("user", Wording.data(prompt.data())));
        var problem = "";
        for (var answer = 1; answer <= ANSWERS_MAX; answer++) {
            var step = answer == 1 ? name : name + " (repair " + (answer - 1) + ")";
            var output = asked(step, new ModelClient.Request(endpoint, messages, shape.schema()));
            var text = output.path("text").asText();
            try {
                return new Answer<>(shape.read(text), output.path("model").asText());
            } catch (JsonProcessingException e) {
                problem = e.getOriginalMessage();
                messages.add(new ModelClient.Message("assistant", text));
                messages.add(new ModelClient.Message("user", Wording.repair(problem)));
            }
        }
        throw new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "none of %d answers of %s to '%s' fits: %s"
                        .formatted(ANSWERS_MAX, endpoint, name, problem),
                "catch this and write a template, or take another model");
    }

    private JsonNode asked(String name, ModelClient.Request request) throws SQLException {
        return step(
                "llm",
                name,
                Journal.JSON.valueToTree(request),
                step -> {
                    journal.check(claim, true);
                    var started = System.nanoTime();
                    var answer = answer(request);
                    var output =
                            Journal.JSON
                                    .createObjectNode()
                                    .put("text", answer.text())
                                    .put("model", answer.model());
                    step.put("model", answer.model())
                            .put("tokens_in", answer.tokensIn())
                            .put("tokens_out", answer.tokensOut())
                            .put("cost_micros", answer.costMicros())
                            .put("ms", (System.nanoTime() - started) / 1_000_000)
                            .set("output", output);
                    return journal.record(claim, step, List.of());
                });
    }

    private ModelClient.Answer answer(ModelClient.Request request) {
        try {
            return models.ask(request);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw suspend(Suspension.of(Reason.LOST, "INTERRUPTED", "interrupted"));
        } catch (ModelClient.Problem e) {
            var message = String.valueOf(e.getMessage());
            throw suspend(
                    e.isRetriable()
                            ? Suspension.retry(
                                    "MODEL_UNAVAILABLE",
                                    message,
                                    e.retryAfter()
                                            .map(d -> d.toMillis())
                                            .orElse(backoffMillis(claim)))
                            : Suspension.of(Reason.FAILED, "MODEL_REFUSED", message));
        }
    }

    /** How long to leave the run alone after what went wrong now. */
    static long backoffMillis(Journal.Claim claim) {
        var most = BACKOFF_MILLIS << Math.min(claim.failures(), 10);
        var jitter = ThreadLocalRandom.current().nextLong(BACKOFF_MILLIS / 2);
        return Math.min(BACKOFF_MILLIS_MAX, most) + jitter;
    }

    /** Waits, for as long as it takes and through any crash, until people have decided. */
    public Decision approve(String name, Approval approval) throws SQLException {
        var input =
                Journal.JSON
                        .createObjectNode()
                        .put("action", approval.action())
                        .put("description", approval.description())
                        .put("expires_s", approval.expiresAfter().toSeconds());
        input.set("args", Journal.JSON.valueToTree(new TreeMap<>(approval.args())));
        input.set("allowed", Journal.JSON.valueToTree(approval.allowed()));
        input.set("assignees", Journal.JSON.valueToTree(approval.assignees()));
        var output =
                step(
                        "wait",
                        name,
                        input,
                        step -> {
                            var ask = input.deepCopy().put("name", name);
                            ask.set("input_hash", step.get("input_hash"));
                            journal.ask(claim, step.path("seq").asInt(), ask);
                            throw waiting(name);
                        });
        return decision(output);
    }

    /** Has an e-mail sent: once people have accepted it, where the agent needs that. */
    public Decision mail(String name, Mail mail) throws SQLException {
        var input =
                Journal.JSON
                        .createObjectNode()
                        .put("dedup_key", mail.dedupKey())
                        .put("recipient_key", mail.to().key())
                        .put("subject", mail.subject().replaceAll("\\p{Cntrl}+", " ").strip())
                        .put("body", mail.body())
                        .put("drafted_by", mail.draftedBy())
                        .put("model", mail.model())
                        .put("expires_s", mail.expiresAfter().toSeconds());
        var output =
                step(
                        "wait",
                        name,
                        input,
                        step -> {
                            var asked = input.deepCopy().put("name", name);
                            asked.set("input_hash", step.get("input_hash"));
                            if (journal.mail(claim, step.path("seq").asInt(), asked)) {
                                return journal.steps(claim).getLast().output();
                            }
                            throw waiting(name);
                        });
        return output.has("decision") ? decision(output) : unasked(output);
    }

    private static Decision unasked(JsonNode output) {
        var duplicate = output.path("state").asText().equals("duplicate");
        var outcome = duplicate ? Decision.Outcome.DUPLICATE : Decision.Outcome.NOT_NEEDED;
        return new Decision(outcome, output, "", "");
    }

    private static Decision decision(JsonNode output) {
        return new Decision(
                Decision.Outcome.valueOf(output.path("decision").asText().toUpperCase(Locale.ROOT)),
                output.path("args"),
                output.path("response").asText(),
                output.path("decided_by").asText());
    }

    /**
     * Keeps a value for later runs, in the place of what the key had. It is the agent's principal's
     * own: no other sees it.
     */
    public void remember(String namespace, String key, Object value) throws SQLException {
        var json = Journal.text(Journal.JSON.valueToTree(value));
        var name = "remember " + namespace + " " + key;
        write(name, id() + " " + (taken + 1), c -> Memories.put(c, namespace, key, json));
    }

    /** What the agent remembers by the key; a JSON null for nothing. */
    public JsonNode recall(String namespace, String key) throws SQLException {
        var rows = query("recall " + namespace + " " + key, Memories.GET, namespace, key);
        return rows.isEmpty() ? Journal.JSON.nullNode() : rows.getFirst().get("value");
    }

    /** Lets the run sleep until then; no thread waits. */
    public void sleepUntil(Instant time) throws SQLException {
        step(
                "wait",
                "sleep",
                Journal.JSON.createObjectNode().put("until", time.toString()),
                step -> {
                    journal.sleep(claim, step, time);
                    throw waiting("sleep");
                });
    }

    /**
     * The oldest message to this run that it has not taken yet, waiting for one until a time; no
     * thread waits. Empty when none came.
     *
     * @param until the same for every attempt: from {@link #startedAt} or a {@link #note}
     */
    public Optional<Message> receive(String name, Instant until) throws SQLException {
        var output =
                step(
                        "wait",
                        name,
                        Journal.JSON.createObjectNode().put("until", until.toString()),
                        step ->
                                journal.receive(claim, step, until)
                                        .orElseThrow(() -> waiting(name)));
        return output.path("received").asBoolean()
                ? Optional.of(new Message(output.path("message"), output.path("sender").asText()))
                : Optional.empty();
    }

    private interface Doing {
        JsonNode run(ObjectNode step) throws SQLException;
    }

    /** Gives a recorded step back, or takes it now. */
    private JsonNode step(String kind, String name, JsonNode input, Doing doing)
            throws SQLException {
        if (over != null) {
            throw over;
        }
        var hash = hash(name + "\n" + Journal.text(input));
        taken++;
        if (taken <= recorded.size()) {
            return replayed(recorded.get(taken - 1), name, hash);
        }
        var step = Journal.JSON.createObjectNode();
        step.put("seq", taken).put("kind", kind).put("name", name).put("input_hash", hash);
        step.set("input", input);
        try {
            return doing.run(step);
        } catch (SQLException e) {
            var told = Refusals.suspension(e);
            if (told != null) {
                throw suspend(told);
            }
            throw e;
        }
    }

    private JsonNode replayed(Journal.Step step, String name, String hash) {
        if (step.name().equals(name) && step.inputHash().equals(hash)) {
            return step.output();
        }
        throw suspend(
                Suspension.of(
                        Reason.FAILED,
                        "NONDETERMINISTIC",
                        "step %d is '%s', and was '%s' with other input before"
                                .formatted(step.seq(), name, step.name())));
    }

    private Suspension waiting(String name) {
        return suspend(Suspension.of(Reason.WAITING, "", name));
    }

    private Suspension suspend(Suspension suspension) {
        over = suspension;
        return suspension;
    }

    private <T> T called(Callable<T> call) {
        try {
            return call.call();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw suspend(Suspension.of(Reason.LOST, "INTERRUPTED", "interrupted"));
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "a tool failed: " + e, "it is tried again", e);
        }
    }

    private static String hash(String text) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
