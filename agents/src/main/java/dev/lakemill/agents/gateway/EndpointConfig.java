package dev.lakemill.agents.gateway;

import java.time.Duration;
import java.util.List;

/**
 * What can be asked under one name.
 *
 * @param providers asked in this order, until one answers
 * @param isLogged whether what is asked and answered is kept, redacted
 */
record EndpointConfig(
        String name,
        String comment,
        List<ProviderConfig> providers,
        Limits limits,
        List<RateLimit> rateLimits,
        Guardrails guardrails,
        boolean isLogged) {
    /**
     * What bounds a call.
     *
     * @param timeout of a whole answer, all attempts together; of a stream until its first event
     * @param streamIdle between two events of a stream
     * @param attempts at each provider
     * @param outputTokensMax that a caller may ask for, and gets when it asks for none
     */
    record Limits(
            Duration timeout,
            Duration streamIdle,
            int attempts,
            int parallelCallsMax,
            int outputTokensMax,
            int answerBytesMax) {}

    EndpointConfig {
        providers = List.copyOf(providers);
        rateLimits = List.copyOf(rateLimits);
    }

    static EndpointConfig template() {
        return new EndpointConfig(
                ProviderConfig.TEMPLATE,
                "Writes drafts by templates; no model",
                List.of(ProviderConfig.template()),
                new Limits(Duration.ofSeconds(60), Duration.ofSeconds(30), 1, 64, 4_096, 4 << 20),
                List.of(),
                Guardrails.NONE,
                false);
    }

    /** A model of the catalog's registry. */
    static EndpointConfig registered(String model) {
        var limits = template().limits();
        var providers = List.of(ProviderConfig.registry(model));
        return new EndpointConfig(model, "", providers, limits, List.of(), Guardrails.NONE, false);
    }

    /** Whether it reaches nobody, costs nothing and reads nothing: then everybody may call it. */
    boolean isTemplateAlone() {
        return providers.stream().allMatch(ProviderConfig::isTemplate);
    }

    /** What a million tokens cost at its dearest provider. */
    long costMicrosMax(long input, long output) {
        return providers.stream().mapToLong(p -> p.costMicros(input, output)).max().orElse(0);
    }
}
