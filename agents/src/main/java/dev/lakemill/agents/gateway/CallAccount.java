package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.Caller;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Writes how each call ended: its usage row, its audit record, and the totals. */
final class CallAccount implements AutoCloseable {
    private final Spend spend;
    private final AuditLog audit;
    private final Map<String, LongAdder> totals = new ConcurrentHashMap<>();

    CallAccount(Spend spend, AuditLog audit) {
        this.spend = spend;
        this.audit = audit;
    }

    /** Fails as {@link Spend#reserve}. */
    Spend.Reserved reserve(Spend.Planned planned) {
        return spend.reserve(planned);
    }

    void refused(Spend.Planned planned, ModelProblem problem) {
        count("calls", 1);
        count("failed", 1);
        if (problem.kind() != ModelProblem.Kind.UNAVAILABLE) {
            spend.refused(planned, status(problem), problem.problem());
        }
        audit(planned, status(problem), problem.problem(), Map.of());
    }

    /** A provider that was asked and did not answer may have read, and charges for it. */
    static Outcome failed(Call call, ModelProblem problem) {
        var mayHaveRead =
                problem.kind() == ModelProblem.Kind.UNAVAILABLE
                        || problem.kind() == ModelProblem.Kind.BAD_ANSWER;
        var provider = call.endpoint().providers().getLast();
        var used = call.used();
        if (mayHaveRead && !used.isAnswered()) {
            var planned = call.reserved().planned();
            used.add(provider, new TokenUsage(planned.inputTokens(), 0, true));
        }
        return new Outcome(
                provider,
                provider.model(),
                status(problem),
                problem.problem(),
                used.tokens(),
                used.costMicros(),
                call.elapsedMs(),
                null,
                1);
    }

    static Outcome outcome(Call call, Fallback.Whole whole, int status, String error) {
        return new Outcome(
                whole.provider(),
                whole.body().path("model").asText(whole.provider().model()),
                status,
                error,
                call.used().tokens(),
                call.used().costMicros(),
                call.elapsedMs(),
                null,
                whole.attempts());
    }

    static Spend.@Nullable Payload payload(Call call, String answer) {
        return call.endpoint().isLogged()
                ? new Spend.Payload(
                        Guardrails.mask(call.request().toString()), Guardrails.mask(answer))
                : null;
    }

    /** What the node scored itself. */
    void scored(Caller caller, String model, int status, String error, long elapsedMs) {
        count("calls", 1);
        count("failed", status == 200 ? 0 : 1);
        var endpoint = EndpointConfig.registered(model);
        var planned = new Spend.Planned(UUID.randomUUID(), caller, endpoint, "scores", false, 0, 0);
        var provider = endpoint.providers().getFirst();
        spend.record(
                planned,
                new Outcome(provider, model, status, error, TokenUsage.NONE, elapsedMs, null, 1));
        audit(planned, status, error, Map.of("provider", provider.name()));
    }

    /** A defect of ours: what was reserved is given back but for what a provider may have read. */
    void defect(Call call, RuntimeException failure) {
        var problem =
                new ModelProblem(
                        ModelProblem.Kind.UNAVAILABLE, "a defect: " + failure, "see the log");
        end(call, failed(call, problem), null);
    }

    void end(Call call, Outcome outcome, Spend.@Nullable Payload payload) {
        count("calls", 1);
        count("input", outcome.usage().input());
        count("output", outcome.usage().output());
        count("cost", outcome.costMicros());
        count("failed", outcome.isGood() ? 0 : 1);
        count("templates", outcome.isGood() && outcome.provider().isTemplate() ? 1 : 0);
        spend.settle(call.reserved(), outcome, payload);
        audit(
                call.reserved().planned(),
                outcome.status(),
                outcome.error(),
                Map.of(
                        "provider", outcome.provider().name(),
                        "model", outcome.model(),
                        "input_tokens", String.valueOf(outcome.usage().input()),
                        "output_tokens", String.valueOf(outcome.usage().output())));
    }

    private void audit(Spend.Planned planned, int status, String error, Map<String, String> more) {
        var parameters = new HashMap<>(more);
        parameters.put("endpoint", planned.endpoint().name());
        parameters.put("databricks_request_id", planned.requestId().toString());
        audit.record(
                new AuditEvent(
                        planned.caller(),
                        "modelServing",
                        planned.api(),
                        parameters,
                        status,
                        error));
    }

    static int status(ModelProblem problem) {
        return switch (problem.kind()) {
            case INVALID_REQUEST, BLOCKED -> 400;
            case NO_ENDPOINT -> 404;
            case NOT_ALLOWED -> 403;
            case LIMITED, BUDGET_SPENT -> 429;
            case UNAVAILABLE -> 503;
            case REFUSED -> 424;
            case BAD_ANSWER -> 502;
        };
    }

    void count(String name, long number) {
        totals.computeIfAbsent(name, _ -> new LongAdder()).add(number);
    }

    private long total(String name) {
        var adder = totals.get(name);
        return adder == null ? 0 : adder.sum();
    }

    GatewayTotals totals(long resting) {
        return new GatewayTotals(
                total("calls"),
                total("failed"),
                total("templates"),
                total("input"),
                total("output"),
                total("cost") / 1e6,
                total("running"),
                resting);
    }

    @Override
    public void close() {
        spend.close();
    }
}
