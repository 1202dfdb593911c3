package dev.lakemill.api.agent;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What people decided of what they were asked.
 *
 * @param outcome what it came to
 * @param args what may be done now: as asked, or as edited
 * @param response words instead of a decision; empty for none
 * @param decidedBy name of the principal; empty when nobody did
 */
public record Decision(Outcome outcome, JsonNode args, String response, String decidedBy) {
    /** The ends of an approval. */
    public enum Outcome {
        ACCEPT,
        EDIT,
        RESPOND,
        IGNORE,
        /** Nobody decided in time. */
        EXPIRED,
        /** Nobody had to be asked. */
        NOT_NEEDED,
        /** An earlier run has done the same, is at it, or was told by people not to. */
        DUPLICATE
    }

    /** Whether what was asked for may be done, with {@link #args}. */
    public boolean isAccepted() {
        return outcome == Outcome.ACCEPT
                || outcome == Outcome.EDIT
                || outcome == Outcome.NOT_NEEDED;
    }
}
