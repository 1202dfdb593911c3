package dev.lakemill.agents.gateway;

/**
 * Tokens of a call.
 *
 * @param estimated whether the provider did not count, and they are {@code (characters + 1) / 4}
 */
public record TokenUsage(long input, long output, boolean estimated) {
    public static final TokenUsage NONE = new TokenUsage(0, 0, false);

    public long total() {
        return input + output;
    }

    /** As Databricks estimates them. */
    public static long estimate(long characters) {
        return (characters + 1) / 4;
    }
}
