package dev.lakemill.server.rest;

import dev.lakemill.server.Routes;
import java.util.Map;

/** A refusal that the Delta API has a word of its own for; its clients act on that word. */
final class DeltaProblem extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String type;

    DeltaProblem(int status, String type, String message) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
    }

    static DeltaProblem conflict(String message) {
        return new DeltaProblem(409, "CommitVersionConflictException", message);
    }

    static DeltaProblem requirement(String message) {
        return new DeltaProblem(409, "UpdateRequirementConflictException", message);
    }

    static DeltaProblem exhausted(String message) {
        return new DeltaProblem(429, "ResourceExhaustedException", message);
    }

    static DeltaProblem format(String message) {
        return new DeltaProblem(
                400,
                "UnsupportedTableFormatException",
                "UnsupportedTableFormatException: " + message);
    }

    static DeltaProblem invalid(String message) {
        return new DeltaProblem(400, "InvalidParameterValueException", message);
    }

    /** In the Delta API's form. */
    Routes.Reply reply() {
        return new Routes.Reply(
                status, Map.of(), UnityErrors.delta(status, type, String.valueOf(getMessage())));
    }

    /** In Unity Catalog's form, for the commits of older clients, which look at the status. */
    Routes.Reply legacyReply() {
        var code =
                switch (status) {
                    case 404 -> "TABLE_NOT_FOUND";
                    case 409 -> "COMMIT_VERSION_CONFLICT";
                    case 429 -> "RESOURCE_EXHAUSTED";
                    default -> "INVALID_ARGUMENT";
                };
        return new Routes.Reply(
                status, Map.of(), UnityErrors.body(code, String.valueOf(getMessage())));
    }
}
