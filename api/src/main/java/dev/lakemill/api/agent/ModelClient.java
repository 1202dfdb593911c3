package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Asks models for an agent. */
public interface ModelClient {
    /** A message; {@code role} is {@code system}, {@code user} or {@code assistant}. */
    record Message(String role, String content) {}

    /**
     * A question.
     *
     * @param endpoint as the gateway names it
     * @param schema of the answer's JSON
     */
    record Request(String endpoint, List<Message> messages, JsonNode schema) {
        public Request {
            messages = List.copyOf(messages);
        }
    }

    /**
     * An answer.
     *
     * @param model that gave it; {@code template} when no model is configured
     * @param costMicros millionths of the gateway's currency
     */
    record Answer(String text, String model, long tokensIn, long tokensOut, long costMicros) {}

    /** Why there is no answer. */
    final class Problem extends Exception {
        private static final long serialVersionUID = 1L;
        private final boolean retriable;
        private final transient Optional<Duration> retryAfter;

        public Problem(
                String message, boolean retriable, Optional<Duration> after, Throwable cause) {
            super(message, cause);
            this.retriable = retriable;
            this.retryAfter = after;
        }

        public Problem(String message, boolean retriable, Optional<Duration> after) {
            super(message);
            this.retriable = retriable;
            this.retryAfter = after;
        }

        /** Whether asking again later may help. */
        public boolean isRetriable() {
            return retriable;
        }

        /** When to ask again, as the other side says. */
        public Optional<Duration> retryAfter() {
            return retryAfter;
        }
    }

    Answer ask(Request request) throws Problem, InterruptedException;
}
