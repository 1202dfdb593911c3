package dev.lakemill.postgres;

/** Why a client is sent away, in the words that it is sent away with. */
final class FrontDoorRefusal extends Exception {
    private static final long serialVersionUID = 1L;

    static final String PROTOCOL_VIOLATION = "08P01";
    static final String NOT_SUPPORTED = "0A000";
    static final String NOT_AUTHORIZED = "28000";
    static final String WRONG_PASSWORD = "28P01";
    static final String NO_DATABASE = "3D000";
    static final String DENIED = "42501";
    static final String TOO_MANY_CONNECTIONS = "53300";
    static final String LIMIT_REACHED = "53400";
    static final String SHUT_DOWN = "57P01";
    static final String CANNOT_CONNECT_NOW = "57P03";
    static final String IDLE_TOO_LONG = "57P05";

    private final String sqlState;
    private final String problem;
    private final String hint;

    FrontDoorRefusal(String sqlState, String problem, String hint) {
        super(problem, null, false, false);
        this.sqlState = sqlState;
        this.problem = problem;
        this.hint = hint;
    }

    String sqlState() {
        return sqlState;
    }

    String problem() {
        return problem;
    }

    String hint() {
        return hint;
    }
}
