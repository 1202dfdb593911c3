package dev.lakemill.api.agent;

/** Calls another system. After a crash in the middle it is called again, by the same key. */
public interface ExternalCall {
    /**
     * Calls.
     *
     * @param idempotencyKey to send along, so that the other side knows a repetition
     * @return the receipt, written as JSON
     */
    Object run(String idempotencyKey) throws Exception;
}
