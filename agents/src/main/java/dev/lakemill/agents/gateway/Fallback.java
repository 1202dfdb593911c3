package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an endpoint's providers in their order until one answers. What fails at one provider may go
 * well at the next; what the request is to blame for is told at once. A stream is handed on only
 * when its first event is there, and from then on nobody else is asked. An answer that does not fit
 * the caller's schema says nothing against its provider, and is paid for. Safe to use from any
 * thread.
 */
final class Fallback implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Fallback.class);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(2);
    private static final long PAUSE_MS = 200;
    private static final String CHAT = "/chat/completions";

    /** A whole answer. */
    record Whole(ProviderConfig provider, ObjectNode body, int attempts) {}

    /**
     * A stream that has begun.
     *
     * @param lines null for a template's, whose whole text is the first event
     */
    record Begun(ProviderConfig provider, @Nullable OpenStream lines, String first, int attempts) {}

    /** What is asked of one provider. */
    private interface Asking<T> {
        T ask(ProviderConfig provider, Duration remaining, int attempts)
                throws InterruptedException;
    }

    private final ProviderClient client = new ProviderClient();
    private final Map<String, CircuitBreaker> breakers = new ConcurrentHashMap<>();
    private final Clock clock;

    Fallback(Clock clock) {
        this.clock = clock;
    }

    /** What its answers use is in the call, whether one of them fits or not. */
    Whole chat(Call call) throws InterruptedException {
        var request = call.request();
        return firstOf(
                call.endpoint(),
                provider -> chats(provider, request),
                (provider, remaining, attempts) ->
                        new Whole(
                                provider,
                                provider.isTemplate()
                                        ? TemplateDrafter.complete(request)
                                        : chat(call, provider, remaining),
                                attempts));
    }

    private ObjectNode chat(Call call, ProviderConfig provider, Duration remaining) {
        var started = System.nanoTime();
        var body = ChatJson.forProvider(call.request(), provider, call.outputMax());
        var answer = answer(call, provider, body, remaining);
        var schema = ChatJson.responseSchema(call.request());
        if (!schema.isObject() || asksForTools(answer)) {
            return answer;
        }
        var wrong = ChatJson.mismatch(schema, content(answer));
        if (wrong.isEmpty()) {
            return answer;
        }
        ChatJson.addRepair(body, content(answer), wrong.get());
        var left = remaining.minusNanos(System.nanoTime() - started);
        var repaired = answer(call, provider, body, left);
        var still = ChatJson.mismatch(schema, content(repaired));
        if (still.isPresent()) {
            throw new Unfit(
                    new ModelProblem(
                            ModelProblem.Kind.BAD_ANSWER,
                            "provider %s does not keep to the schema: %s"
                                    .formatted(provider.name(), still.get()),
                            "take a model that can, or a simpler schema"));
        }
        return repaired;
    }

    /** An answer came, and does not fit what the caller wants. */
    private static final class Unfit extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final ModelProblem problem;

        Unfit(ModelProblem problem) {
            super(problem);
            this.problem = problem;
        }
    }

    private ObjectNode answer(
            Call call, ProviderConfig provider, ObjectNode body, Duration remaining) {
        var bytesMax = call.endpoint().limits().answerBytesMax();
        call.used().asked();
        var answer = completion(provider, client.post(provider, CHAT, body, remaining, bytesMax));
        call.used().add(provider, usage(answer, body));
        return answer;
    }

    private static ObjectNode completion(ProviderConfig provider, JsonNode answer) {
        if (answer instanceof ObjectNode object
                && object.path("choices").path(0).path("message").isObject()) {
            return object;
        }
        throw new ModelProblem(
                ModelProblem.Kind.BAD_ANSWER,
                "provider %s answered without a message".formatted(provider.name()),
                "see that base_url leads to an OpenAI-compatible server");
    }

    private static boolean asksForTools(ObjectNode completion) {
        return completion.path("choices").path(0).path("message").path("tool_calls").size() > 0;
    }

    private static String content(ObjectNode completion) {
        return ChatJson.text(completion.path("choices").path(0).path("message").path("content"));
    }

    /** As the provider counts; estimated when it does not. */
    private static TokenUsage usage(ObjectNode completion, ObjectNode request) {
        var counted = completion.path("usage");
        if (counted.path("prompt_tokens").isIntegralNumber()) {
            return new TokenUsage(
                    Math.max(0, counted.path("prompt_tokens").asLong()),
                    Math.max(0, counted.path("completion_tokens").asLong()),
                    false);
        }
        var message = completion.path("choices").path(0).path("message").toString();
        return new TokenUsage(
                TokenUsage.estimate(ChatJson.characters(request)),
                TokenUsage.estimate(message.length()),
                true);
    }

    Begun stream(EndpointConfig endpoint, ObjectNode request, int outputMax)
            throws InterruptedException {
        return firstOf(
                endpoint,
                provider -> chats(provider, request),
                (provider, remaining, attempts) -> {
                    if (provider.isTemplate()) {
                        var text = TemplateDrafter.complete(request).toString();
                        return new Begun(provider, null, text, attempts);
                    }
                    return begin(provider, endpoint, request, outputMax, remaining, attempts);
                });
    }

    private Begun begin(
            ProviderConfig provider,
            EndpointConfig endpoint,
            ObjectNode request,
            int outputMax,
            Duration remaining,
            int attempts)
            throws InterruptedException {
        var body = ChatJson.forProvider(request, provider, outputMax);
        var bytesMax = endpoint.limits().answerBytesMax();
        var lines = client.stream(provider, CHAT, body, remaining, bytesMax);
        try {
            var first = StreamEvents.next(lines, remaining);
            if (first == null || StreamEvents.parse(first).path("choices").isMissingNode()) {
                throw new ModelProblem(
                        ModelProblem.Kind.BAD_ANSWER,
                        "provider %s began no stream of chunks".formatted(provider.name()),
                        "see that base_url leads to an OpenAI-compatible server");
            }
            return new Begun(provider, lines, first, attempts);
        } catch (RuntimeException | InterruptedException e) {
            lines.close();
            throw e;
        }
    }

    Whole embed(Call call) throws InterruptedException {
        var endpoint = call.endpoint();
        var request = call.request();
        return firstOf(
                endpoint,
                provider ->
                        provider.can(ProviderConfig.Capability.EMBEDDINGS)
                                && !provider.isTemplate(),
                (provider, remaining, attempts) -> {
                    var body = request.deepCopy().put("model", provider.model());
                    body.remove(ChatJson.OURS);
                    var answer =
                            client.post(
                                    provider,
                                    "/embeddings",
                                    body,
                                    remaining,
                                    endpoint.limits().answerBytesMax());
                    if (!(answer instanceof ObjectNode object) || !object.path("data").isArray()) {
                        throw new ModelProblem(
                                ModelProblem.Kind.BAD_ANSWER,
                                "provider %s answered without data".formatted(provider.name()),
                                "see that its model makes embeddings");
                    }
                    var counted = object.path("usage").path("prompt_tokens");
                    var usage =
                            counted.isIntegralNumber()
                                    ? new TokenUsage(counted.asLong(), 0, false)
                                    : new TokenUsage(
                                            TokenUsage.estimate(
                                                    request.path("input").toString().length()),
                                            0,
                                            true);
                    call.used().add(provider, usage);
                    return new Whole(provider, object, attempts);
                });
    }

    private static boolean chats(ProviderConfig provider, ObjectNode request) {
        return request.path("tools").isEmpty() || provider.can(ProviderConfig.Capability.TOOLS);
    }

    private <T> T firstOf(
            EndpointConfig endpoint,
            java.util.function.Predicate<ProviderConfig> fits,
            Asking<T> asking)
            throws InterruptedException {
        var deadline = System.nanoTime() + endpoint.limits().timeout().toNanos();
        ModelProblem last = null;
        var attempts = 0;
        var fitting = endpoint.providers().stream().filter(fits).toList();
        if (fitting.isEmpty()) {
            throw ChatJson.invalid(
                    "no provider of endpoint '%s' can do that".formatted(endpoint.name()),
                    "see the capabilities of its providers in lakemill.yml");
        }
        for (var provider : fitting) {
            for (int attempt = 1; attempt <= endpoint.limits().attempts(); attempt++) {
                var breaker = breaker(endpoint, provider);
                if (!breaker.admits()) {
                    break;
                }
                try {
                    attempts++;
                    var remaining = Duration.ofNanos(deadline - System.nanoTime());
                    var answer = asking.ask(provider, remaining, attempts);
                    breaker.succeeded();
                    return answer;
                } catch (Unfit e) {
                    breaker.succeeded();
                    last = e.problem;
                } catch (ModelProblem e) {
                    tell(breaker, e);
                    if (e.kind() == ModelProblem.Kind.INVALID_REQUEST) {
                        throw e;
                    }
                    last = e;
                } catch (RuntimeException | InterruptedException e) {
                    breaker.released();
                    throw e;
                }
                log.info("endpoint {}: {}", endpoint.name(), last.getMessage());
                if (!again(last, attempt, endpoint, deadline)) {
                    break;
                }
            }
            if (System.nanoTime() >= deadline) {
                break;
            }
        }
        throw last == null ? resting(endpoint) : last;
    }

    private static ModelProblem resting(EndpointConfig endpoint) {
        return new ModelProblem(
                ModelProblem.Kind.UNAVAILABLE,
                "the providers of endpoint '%s' failed and are left alone for a while"
                        .formatted(endpoint.name()),
                "ask again later",
                Duration.ofSeconds(30));
    }

    private static void tell(CircuitBreaker breaker, ModelProblem problem) {
        switch (problem.kind()) {
            case UNAVAILABLE, BAD_ANSWER, REFUSED -> breaker.failed();
            case LIMITED -> breaker.paused(problem.retryAfter().orElse(PAUSE_MAX));
            case INVALID_REQUEST, NO_ENDPOINT, NOT_ALLOWED, BLOCKED, BUDGET_SPENT ->
                    breaker.released();
        }
    }

    /** Whether the same provider is asked again, after a pause. */
    private static boolean again(
            ModelProblem problem, int attempt, EndpointConfig endpoint, long deadline)
            throws InterruptedException {
        if (!problem.isRetriable()
                || problem.kind() == ModelProblem.Kind.LIMITED
                || attempt >= endpoint.limits().attempts()) {
            return false;
        }
        var pause =
                (PAUSE_MS << Math.min(attempt - 1, 3))
                        + ThreadLocalRandom.current().nextLong(PAUSE_MS);
        if (System.nanoTime() + pause * 1_000_000 >= deadline) {
            return false;
        }
        Thread.sleep(pause);
        return true;
    }

    private CircuitBreaker breaker(EndpointConfig endpoint, ProviderConfig provider) {
        return breakers.computeIfAbsent(
                endpoint.name() + "/" + provider.name(), _ -> new CircuitBreaker(clock));
    }

    CircuitBreaker.State state(EndpointConfig endpoint, ProviderConfig provider) {
        return breaker(endpoint, provider).state();
    }

    @Override
    public void close() {
        client.close();
    }
}
