package dev.lakemill.types;

/** The kinds of failure that callers tell apart; each front maps them to its own status. */
public enum ErrorCode {
    /** The request itself is wrong and stays wrong: mend it, do not repeat it. */
    INVALID_ARGUMENT,
    /** The named thing does not exist. */
    NOT_FOUND,
    /** The thing to be made exists already. */
    ALREADY_EXISTS,
    /** The state forbids it now, for example a table that another process owns. */
    FAILED_PRECONDITION,
    /** Valid, but not supported by this version. */
    UNIMPLEMENTED,
    /** A stated limit was reached; later it may go through. */
    RESOURCE_EXHAUSTED,
    /** A disk, a database or a peer is out of reach; later it may go through. */
    UNAVAILABLE,
    /** Stored bytes are damaged. */
    DATA_LOSS,
    /** No or bad credentials. */
    UNAUTHENTICATED,
    /** Known, but not allowed. */
    PERMISSION_DENIED,
    /** A defect of ours. */
    INTERNAL
}
