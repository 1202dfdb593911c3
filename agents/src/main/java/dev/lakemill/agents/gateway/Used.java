package dev.lakemill.agents.gateway;

/**
 * Tokens and cost of a call so far: of every answer, also of those that did not fit. For the thread
 * that makes the call.
 */
final class Used {
    private TokenUsage tokens = TokenUsage.NONE;
    private long costMicros;
    private boolean isAnswered;

    /** A provider gets the request, and may read it without giving an answer. */
    void asked() {
        isAnswered = false;
    }

    void add(ProviderConfig provider, TokenUsage answer) {
        tokens =
                new TokenUsage(
                        tokens.input() + answer.input(),
                        tokens.output() + answer.output(),
                        tokens.estimated() || answer.estimated());
        costMicros += provider.costMicros(answer.input(), answer.output());
        isAnswered = true;
    }

    /** Whether what was asked last has an answer, and so is counted. */
    boolean isAnswered() {
        return isAnswered;
    }

    TokenUsage tokens() {
        return tokens;
    }

    long costMicros() {
        return costMicros;
    }
}
