package dev.lakemill.api.agent;

/**
 * Ends an attempt from within, without ending its run. An Error, so that the agent's own handling
 * of exceptions lets it pass.
 */
final class Suspension extends Error {
    private static final long serialVersionUID = 1L;

    /** Why the attempt is over. */
    enum Reason {
        /** The run waits for people or for a time; somebody claims it then. */
        WAITING,
        /** Somebody else has the run, or it has ended. */
        LOST,
        /** Paused or stopped: to be put back. */
        PAUSED,
        /** To be tried again later. */
        RETRY,
        /** For good. */
        FAILED
    }

    private final Reason reason;
    private final String code;
    private final long retryMillis;

    private Suspension(Reason reason, String code, String message, long retryMillis) {
        super(message, null, false, false);
        this.reason = reason;
        this.code = code;
        this.retryMillis = retryMillis;
    }

    static Suspension of(Reason reason, String code, String message) {
        return new Suspension(reason, code, message, 0);
    }

    static Suspension retry(String code, String message, long afterMillis) {
        return new Suspension(Reason.RETRY, code, message, afterMillis);
    }

    Reason reason() {
        return reason;
    }

    String code() {
        return code;
    }

    String message() {
        return String.valueOf(getMessage());
    }

    long retryMillis() {
        return retryMillis;
    }
}
