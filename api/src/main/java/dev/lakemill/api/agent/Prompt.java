package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What a model is asked: instructions, which the agent's code writes, and data, which comes from
 * elsewhere and is told apart, as JSON in a message of its own.
 *
 * <p>A model is given no tools and no addresses: whatever data says, the answer is the fields of
 * one record, and code decides what is done with them.
 */
public final class Prompt {
    private static final int DATA_CHARS_MAX = 20_000;

    private final String instructions;
    private final ObjectNode data;

    private Prompt(String instructions, ObjectNode data) {
        this.instructions = instructions;
        this.data = data;
    }

    public static Prompt of(String instructions) {
        return new Prompt(instructions, Journal.JSON.createObjectNode());
    }

    /** The same with data; text beyond 20,000 characters is cut. */
    public Prompt with(String name, Object value) {
        var more = data.deepCopy();
        var node = Journal.JSON.<JsonNode>valueToTree(value);
        var text = node.asText();
        if (node.isTextual() && text.length() > DATA_CHARS_MAX) {
            more.put(name, text.substring(0, DATA_CHARS_MAX));
        } else {
            more.set(name, node);
        }
        return new Prompt(instructions, more);
    }

    String instructions() {
        return instructions;
    }

    ObjectNode data() {
        return data;
    }
}
