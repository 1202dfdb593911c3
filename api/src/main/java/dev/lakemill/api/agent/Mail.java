package dev.lakemill.api.agent;

import java.time.Duration;

/**
 * An e-mail for people to see before it is sent.
 *
 * @param dedupKey what is sent once, for example {@code rfq-2026-11-7}; no other run sends it again
 * @param draftedBy {@code model}, {@code template} or {@code human}
 * @param model that drafted it; empty for none
 */
public record Mail(
        String dedupKey,
        Recipient to,
        String subject,
        String body,
        String draftedBy,
        String model,
        Duration expiresAfter) {
    private static final Duration WEEK = Duration.ofDays(7);

    /** Drafted by a model. */
    public static Mail byModel(
            String dedupKey, Recipient to, String subject, String body, String model) {
        return new Mail(dedupKey, to, subject, body, "model", model, WEEK);
    }

    /** Written by the agent's own code. */
    public static Mail byTemplate(String dedupKey, Recipient to, String subject, String body) {
        return new Mail(dedupKey, to, subject, body, "template", "", WEEK);
    }
}
