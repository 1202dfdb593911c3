package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * To whom an e-mail goes: a key of the agent's table of addresses. It comes from a row of a query
 * or from what started the run; there is no way from text that a model wrote to a recipient.
 */
public final class Recipient {
    private final String key;

    private Recipient(String key) {
        this.key = key;
    }

    /** The value of a row's column. */
    public static Recipient of(Row row, String column) {
        return new Recipient(row.text(column));
    }

    /** Of the row whose change started the run. */
    static Recipient ofKey(JsonNode key) {
        return new Recipient(key.asText());
    }

    String key() {
        return key;
    }
}
