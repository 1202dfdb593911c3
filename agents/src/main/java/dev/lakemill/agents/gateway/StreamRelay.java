package dev.lakemill.agents.gateway;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Hands a provider's events on as they arrive, and counts what goes by. */
final class StreamRelay {
    private final Fallback.Begun begun;
    private final boolean wantsUsage;
    private final EndpointConfig.Limits limits;
    private final long inputEstimate;
    private final long begunNanos = System.nanoTime();
    private final StringBuilder text = new StringBuilder();
    private @Nullable TokenUsage counted;
    private String model;
    private boolean isFinished;

    StreamRelay(
            Fallback.Begun begun,
            boolean wantsUsage,
            EndpointConfig.Limits limits,
            long inputEstimate) {
        this.begun = begun;
        this.wantsUsage = wantsUsage;
        this.limits = limits;
        this.inputEstimate = inputEstimate;
        this.model = begun.provider().model();
    }

    /**
     * Until the end.
     *
     * @throws ModelProblem when the provider breaks off: what has been sent stands, and the reader
     *     is told
     */
    void run(Gateway.Sink sink, int timeoutsMax) throws IOException, InterruptedException {
        var lines = java.util.Objects.requireNonNull(begun.lines());
        var endNanos = begunNanos + limits.timeout().multipliedBy(timeoutsMax).toNanos();
        for (var data = begun.first();
                data != null;
                data = StreamEvents.next(lines, idle(endNanos))) {
            if (data.equals(StreamEvents.DONE)) {
                sink.send(data);
                return;
            }
            if (isForReader(data)) {
                sink.send(data);
            }
        }
        if (!isFinished) {
            throw new ModelProblem(
                    ModelProblem.Kind.UNAVAILABLE,
                    "the answer of provider %s ended early".formatted(begun.provider().name()),
                    "what came so far is not whole: ask again");
        }
        sink.send(StreamEvents.DONE);
    }

    private Duration idle(long endNanos) {
        var left = Duration.ofNanos(Math.max(0, endNanos - System.nanoTime()));
        return left.compareTo(limits.streamIdle()) < 0 ? left : limits.streamIdle();
    }

    /** All but a count of tokens that we asked for and the reader did not. */
    private boolean isForReader(String data) {
        var chunk = StreamEvents.parse(data);
        if (chunk.has("error")) {
            throw new ModelProblem(
                    ModelProblem.Kind.UNAVAILABLE,
                    "provider %s ended its answer with an error: %s"
                            .formatted(
                                    begun.provider().name(),
                                    chunk.path("error").path("message").asText()),
                    "ask again");
        }
        var choice = chunk.path("choices").path(0);
        text.append(ChatJson.text(choice.path("delta").path("content")));
        for (var call : choice.path("delta").path("tool_calls")) {
            text.append(call.path("function").path("name").asText())
                    .append(call.path("function").path("arguments").asText());
        }
        isFinished |= choice.hasNonNull("finish_reason");
        model = chunk.path("model").asText(model);
        var usage = chunk.path("usage");
        if (usage.path("prompt_tokens").isIntegralNumber()) {
            counted =
                    new TokenUsage(
                            Math.max(0, usage.path("prompt_tokens").asLong()),
                            Math.max(0, usage.path("completion_tokens").asLong()),
                            false);
        }
        return wantsUsage || !chunk.path("choices").isEmpty();
    }

    /** What went by. */
    String text() {
        return text.toString();
    }

    Outcome outcome(int status, String error, long elapsedMs) {
        var usage = counted;
        if (usage == null) {
            usage =
                    begun.provider().isTemplate()
                            ? TokenUsage.NONE
                            : new TokenUsage(
                                    inputEstimate, TokenUsage.estimate(text.length()), true);
        }
        var sinceFirst = (System.nanoTime() - begunNanos) / 1_000_000;
        return new Outcome(
                begun.provider(),
                model,
                status,
                error,
                usage,
                elapsedMs,
                Math.max(0, elapsedMs - sinceFirst),
                begun.attempts());
    }
}
