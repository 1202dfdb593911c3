package dev.lakemill.agents.gateway;

import org.jspecify.annotations.Nullable;

/**
 * How a call ended, for its usage row.
 *
 * @param status as HTTP says it
 * @param error empty when it went well
 * @param usage and its cost, also of other providers' answers that did not fit
 * @param firstTokenMs of a stream; null for a whole answer
 */
record Outcome(
        ProviderConfig provider,
        String model,
        int status,
        String error,
        TokenUsage usage,
        long costMicros,
        long latencyMs,
        @Nullable Long firstTokenMs,
        int attempts) {
    /** The caller went away before the end. */
    static final int CLIENT_CLOSED = 499;

    /** All of it at the provider's prices. */
    Outcome(
            ProviderConfig provider,
            String model,
            int status,
            String error,
            TokenUsage usage,
            long latencyMs,
            @Nullable Long firstTokenMs,
            int attempts) {
        this(
                provider,
                model,
                status,
                error,
                usage,
                provider.costMicros(usage.input(), usage.output()),
                latencyMs,
                firstTokenMs,
                attempts);
    }

    boolean isGood() {
        return status == 200;
    }
}
