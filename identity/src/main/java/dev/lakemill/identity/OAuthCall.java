package dev.lakemill.identity;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A request to an OAuth endpoint.
 *
 * @param parameters of the form; each stands there once
 * @param authorization the header; null when it is absent
 */
public record OAuthCall(Map<String, String> parameters, @Nullable String authorization, Peer peer) {
    public OAuthCall {
        parameters = Map.copyOf(parameters);
    }

    /** A parameter without a value counts as absent (RFC 6749, 3.1). */
    Optional<String> find(String name) {
        return Optional.ofNullable(parameters.get(name)).filter(value -> !value.isEmpty());
    }

    String require(String name) {
        return find(name)
                .orElseThrow(
                        () ->
                                new OAuthRefusal(
                                        "invalid_request",
                                        "the parameter %s is missing".formatted(name)));
    }
}
