package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;

/** Failures in the words of Unity Catalog's two APIs. */
final class UnityErrors {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private UnityErrors() {}

    /**
     * {@code {"error_code","message","details","stack_trace"}}.
     *
     * @param kind what the routes are about, for codes such as {@code TABLE_NOT_FOUND}; empty where
     *     clients want the plain code
     */
    static Routes.ErrorBody unity(String kind) {
        return (_, failure) -> {
            var code =
                    switch (failure.code()) {
                        case NOT_FOUND, ALREADY_EXISTS ->
                                kind.isEmpty()
                                        ? failure.code().name()
                                        : kind + "_" + failure.code().name();
                        case UNAVAILABLE -> "TEMPORARILY_UNAVAILABLE";
                        default -> failure.code().name();
                    };
            return body(code, String.valueOf(failure.getMessage()));
        };
    }

    static Object body(String code, String message) {
        var body = JSON.objectNode().put("error_code", code).put("message", message);
        body.putArray("details")
                .addObject()
                .put("@type", "type.googleapis.com/google.rpc.ErrorInfo")
                .put("reason", code);
        return body.putNull("stack_trace");
    }

    /** {@code {"error":{"message","type","code"}}}. */
    static final Routes.ErrorBody DELTA =
            (status, failure) ->
                    delta(status, deltaType(failure.code()), String.valueOf(failure.getMessage()));

    static Object delta(int status, String type, String message) {
        var body = JSON.objectNode();
        body.putObject("error").put("message", message).put("type", type).put("code", status);
        return body;
    }

    private static String deltaType(ErrorCode code) {
        return switch (code) {
            case INVALID_ARGUMENT -> "InvalidParameterValueException";
            case UNAUTHENTICATED -> "NotAuthorizedException";
            case PERMISSION_DENIED -> "PermissionDeniedException";
            case NOT_FOUND -> "NoSuchTableException";
            case ALREADY_EXISTS -> "AlreadyExistsException";
            case FAILED_PRECONDITION -> "UpdateRequirementConflictException";
            case RESOURCE_EXHAUSTED -> "ResourceExhaustedException";
            case UNIMPLEMENTED -> "NotImplementedException";
            case UNAVAILABLE, DATA_LOSS, INTERNAL -> "InternalServerErrorException";
        };
    }
}
