package dev.lakemill.api.agent;

import dev.lakemill.api.agent.Suspension.Reason;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the journal's and Postgres's own refusals mean for an attempt. */
final class Refusals {
    private static final Set<ErrorCode> PASSING =
            Set.of(ErrorCode.UNAVAILABLE, ErrorCode.RESOURCE_EXHAUSTED);

    private Refusals() {}

    /** Null when it is none of the journal's. */
    static @Nullable Suspension suspension(SQLException e) {
        var message = String.valueOf(e.getMessage());
        return switch (String.valueOf(e.getSQLState())) {
            case "LM001" -> Suspension.of(Reason.LOST, "LOST", message);
            case "LM002" -> Suspension.of(Reason.PAUSED, "PAUSED", message);
            case "LM003" -> Suspension.of(Reason.FAILED, "CAP_REACHED", message);
            case "LM004" -> Suspension.of(Reason.FAILED, "NONDETERMINISTIC", message);
            case "LM005" -> Suspension.of(Reason.FAILED, "REFUSED", message);
            default -> null;
        };
    }

    /** What an exception or an error out of an agent's code means. */
    static Suspension of(Throwable failure, long backoffMillis) {
        if (failure instanceof Suspension suspension) {
            return suspension;
        }
        var message = String.valueOf(failure.getMessage());
        if (failure instanceof SQLException e) {
            var known = suspension(e);
            if (known != null) {
                return known;
            }
            return isPassing(String.valueOf(e.getSQLState()))
                    ? Suspension.retry("DATABASE", message, backoffMillis)
                    : Suspension.of(Reason.FAILED, "DATABASE", message);
        }
        if (failure instanceof LakemillException e) {
            return PASSING.contains(e.code())
                    ? Suspension.retry(e.code().name(), message, backoffMillis)
                    : Suspension.of(Reason.FAILED, e.code().name(), message);
        }
        return Suspension.of(Reason.FAILED, "AGENT_FAILED", failure.toString());
    }

    /** A lost connection, a server that ends or starts, a deadlock, a full disk. */
    private static boolean isPassing(String state) {
        return state.startsWith("08")
                || state.startsWith("57P")
                || state.startsWith("40")
                || state.startsWith("53")
                || state.startsWith("25P")
                || state.equals("55P03")
                || state.equals("null");
    }
}
