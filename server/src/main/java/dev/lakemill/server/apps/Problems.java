package dev.lakemill.server.apps;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;

/** How this package refuses. */
final class Problems {
    private Problems() {}

    static LakemillException invalid(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }

    static LakemillException precondition(String problem, String hint) {
        return new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, hint);
    }

    static LakemillException missing(String name) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no app '%s', or you may not see it".formatted(name),
                "EXECUTE on it shows it; './lakemill app list' lists those that you see");
    }

    static LakemillException disk(String what, Exception cause) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "%s: %s".formatted(what, cause.getMessage()),
                "check free space and permissions of the data folder",
                cause);
    }

    static String text(Throwable failure) {
        return failure instanceof LakemillException known
                ? known.problem()
                : String.valueOf(failure.getMessage());
    }
}
