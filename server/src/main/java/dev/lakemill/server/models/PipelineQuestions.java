package dev.lakemill.server.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.gateway.AnswerStore;
import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.agents.gateway.ModelProblem;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.pipeline.AskedModels;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * What a pipeline asks, through the node's gateway, as the pipeline's owner: EXECUTE, limits and
 * usage are the owner's. Safe to use from any thread.
 */
public final class PipelineQuestions implements AskedModels {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TEMPLATE = "template";
    private static final Duration PASSING = Duration.ofSeconds(5);
    private static final Duration LASTING = Duration.ofMinutes(1);
    private static final Duration PAUSE_MAX = Duration.ofMinutes(10);
    private static final long TOLD_EVERY_NANOS = Duration.ofMinutes(1).toNanos();

    private final String pipeline;
    private final Asker asker;
    private final Gateway gateway;
    private final AnswerStore store;
    private final Consumer<String> events;
    private final LongAdder calls = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder rowsFromKept = new LongAdder();
    private final AtomicLong toldNanos = new AtomicLong(System.nanoTime() - TOLD_EVERY_NANOS);

    /**
     * On whose account is asked.
     *
     * @param owner a principal's name; empty for the node itself
     */
    public record Asker(Catalog catalog, String owner) {
        private Caller caller() {
            var principal =
                    owner.isEmpty()
                            ? catalog.system().principal()
                            : catalog.principals()
                                    .find(owner)
                                    .filter(PrincipalInfo::active)
                                    .map(PrincipalInfo::principal)
                                    .orElseThrow(
                                            () ->
                                                    new LakemillException(
                                                            ErrorCode.PERMISSION_DENIED,
                                                            "there is no active principal '%s'"
                                                                    .formatted(owner),
                                                            "make it, the pipeline's owner"));
            return new Caller(principal, null, "pipeline", "", "");
        }
    }

    /**
     * @param events told of what hinders answers, once a minute at most
     */
    public PipelineQuestions(
            String pipeline,
            Asker asker,
            Gateway gateway,
            AnswerStore store,
            Consumer<String> events) {
        this.pipeline = pipeline;
        this.asker = asker;
        this.gateway = gateway;
        this.store = store;
        this.events = events;
    }

    /** Where no model is configured, whatever is named is the template drafter. */
    private String endpoint(String named) {
        return gateway.hasModels() || gateway.has(named) ? named : TEMPLATE;
    }

    @Override
    public String version(String endpoint) {
        var version = gateway.version(endpoint(endpoint));
        return UUID.nameUUIDFromBytes(version.getBytes(StandardCharsets.UTF_8)).toString();
    }

    /** What was asked since the start. */
    public record Totals(
            String pipeline, long calls, long failed, double seconds, long rowsFromKept) {}

    public Totals totals() {
        return new Totals(
                pipeline, calls.sum(), failed.sum(), nanos.sum() / 1e9, rowsFromKept.sum());
    }

    @Override
    public void reused() {
        rowsFromKept.increment();
    }

    @Override
    public Reply ask(Asked asked) {
        var began = System.nanoTime();
        var reply = answer(asked);
        nanos.add(System.nanoTime() - began);
        calls.increment();
        if (!(reply instanceof Reply.Answered)) {
            failed.increment();
        }
        return reply;
    }

    private Reply answer(Asked asked) {
        try {
            var answer = gateway.complete(asker.caller(), request(asked));
            var content = answer.path("choices").path(0).path("message").path("content");
            return content.isTextual()
                    ? new Reply.Answered(content.asText())
                    : new Reply.Refused("the model answers without a text");
        } catch (ModelProblem e) {
            return reply(asked, e);
        } catch (LakemillException e) {
            return new Reply.Away(e.problem(), LASTING);
        }
    }

    private ObjectNode request(Asked asked) {
        try {
            var request = (ObjectNode) JSON.readTree(asked.parameters());
            request.put("model", endpoint(asked.endpoint()));
            request.putArray("messages")
                    .addObject()
                    .put("role", "user")
                    .put("content", asked.prompt());
            return request;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("parameters of a plan are JSON", e);
        }
    }

    private static Reply reply(Asked asked, ModelProblem problem) {
        var reason = "endpoint '%s': %s".formatted(asked.endpoint(), problem.problem());
        return switch (problem.kind()) {
            case INVALID_REQUEST, BLOCKED -> new Reply.Refused(problem.problem());
            case UNAVAILABLE, BAD_ANSWER, LIMITED ->
                    new Reply.Away(reason, pause(problem, PASSING));
            case NO_ENDPOINT, NOT_ALLOWED, REFUSED, BUDGET_SPENT ->
                    new Reply.Away(reason, pause(problem, LASTING));
        };
    }

    /** Never all at once. */
    private static Duration pause(ModelProblem problem, Duration usual) {
        var asked = problem.retryAfter().orElse(usual);
        var least = asked.compareTo(usual) < 0 ? usual : asked;
        var most = least.compareTo(PAUSE_MAX) < 0 ? least : PAUSE_MAX;
        return most.plusMillis(ThreadLocalRandom.current().nextLong(most.toMillis() / 4));
    }

    @Override
    public List<Kept> load() {
        return store.load(pipeline).stream()
                .map(
                        r ->
                                new Kept(
                                        r.key(),
                                        r.since(),
                                        r.endpoint(),
                                        r.version(),
                                        r.answer(),
                                        r.error()))
                .toList();
    }

    @Override
    public void keep(List<Kept> answers) {
        store.keep(
                pipeline,
                answers.stream()
                        .map(
                                k ->
                                        new AnswerStore.Row(
                                                k.key(),
                                                k.since(),
                                                k.endpoint(),
                                                k.version(),
                                                k.text(),
                                                k.error()))
                        .toList());
    }

    @Override
    public void forget(List<String> keys) {
        store.forget(pipeline, keys);
    }

    @Override
    public void tell(String problem) {
        var last = toldNanos.get();
        var now = System.nanoTime();
        if (now - last >= TOLD_EVERY_NANOS && toldNanos.compareAndSet(last, now)) {
            events.accept(problem);
        }
    }
}
