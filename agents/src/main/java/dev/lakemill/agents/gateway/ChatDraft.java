package dev.lakemill.agents.gateway;

import java.util.Map;
import java.util.Objects;

/**
 * The text that stands in for a model's: deterministic, from facts of the caller.
 *
 * @param template with {@code {{name}}} where a value goes
 * @param values of the names, put in as they are; with a response schema, also of its properties
 */
public record ChatDraft(String template, Map<String, String> values) {
    public ChatDraft {
        Objects.requireNonNull(template, "template is null");
        values = Map.copyOf(values);
    }
}
