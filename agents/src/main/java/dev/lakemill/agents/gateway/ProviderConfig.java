package dev.lakemill.agents.gateway;

import java.net.URI;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Where an endpoint's answers come from.
 *
 * @param baseUrl with the version, such as {@code http://gpu:8000/v1}
 * @param key read when it is needed, so that it can be renewed; empty for none
 * @param inputMicros price of a million tokens read, in millionths of a dollar
 * @param outputMicros price of a million tokens written
 */
record ProviderConfig(
        String name,
        URI baseUrl,
        String model,
        Supplier<String> key,
        Set<Capability> capabilities,
        long inputMicros,
        long outputMicros) {
    /** The name of the drafter that is no model. */
    static final String TEMPLATE = "template";

    /** What servers that speak OpenAI's protocol differ in. */
    enum Capability {
        TOOLS,
        /** Holds itself to {@code response_format} of type {@code json_schema}. */
        JSON_SCHEMA,
        /** Knows {@code response_format} of type {@code json_object} alone. */
        JSON_OBJECT,
        /** Counts tokens at the end of a stream when it is asked to. */
        STREAM_USAGE,
        EMBEDDINGS
    }

    static ProviderConfig template() {
        return new ProviderConfig(
                TEMPLATE, URI.create(""), TEMPLATE, () -> "", Set.of(Capability.values()), 0, 0);
    }

    /** Of models of the catalog's registry, which the node scores itself. */
    static ProviderConfig registry(String model) {
        return new ProviderConfig("registry", URI.create(""), model, () -> "", Set.of(), 0, 0);
    }

    boolean isTemplate() {
        return name.equals(TEMPLATE);
    }

    boolean can(Capability capability) {
        return capabilities.contains(capability);
    }

    /** In millionths of a dollar, rounded up. */
    long costMicros(long input, long output) {
        return Math.ceilDiv(
                Math.addExact(
                        Math.multiplyExact(input, inputMicros),
                        Math.multiplyExact(output, outputMicros)),
                1_000_000L);
    }

    @Override
    public String toString() {
        return "%s (%s, model %s)".formatted(name, baseUrl, model);
    }
}
