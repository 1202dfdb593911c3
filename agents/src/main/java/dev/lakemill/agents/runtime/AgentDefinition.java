package dev.lakemill.agents.runtime;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An agent as it is registered.
 *
 * @param principal the service principal whose sessions work on its runs
 * @param owner user or group that manages it
 * @param callers principals and groups that may start runs, beside the owner
 * @param approvers who is asked where a run names nobody
 * @param caps what a run may use at most
 * @param addresses where the agent's e-mail goes; null when it sends none
 * @param mailNeedsApproval whether people accept each e-mail first
 */
public record AgentDefinition(
        String name,
        String principal,
        String owner,
        String description,
        List<String> callers,
        List<String> approvers,
        Caps caps,
        @Nullable Addresses addresses,
        boolean mailNeedsApproval) {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_-]{0,62}");

    /**
     * What a run may use at most.
     *
     * @param failuresMax attempts that fail one after the other, without a new step between
     */
    public record Caps(
            int stepsMax, long tokensMax, long costMicrosMax, int secondsMax, int failuresMax) {
        public static final Caps USUAL = new Caps(200, 200_000, 1_000_000, 3_600, 5);

        public Caps {
            if (stepsMax < 1
                    || stepsMax > 10_000
                    || tokensMax < 0
                    || costMicrosMax < 0
                    || secondsMax < 1
                    || failuresMax < 1) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "a cap is out of its range",
                        "steps 1 to 10000, tokens and cost 0 or more, seconds and failures 1 or"
                                + " more");
            }
        }
    }

    /**
     * A table of addresses.
     *
     * @param table in Postgres, as schema.table
     * @param key its column that recipients are named by
     * @param column with the address
     */
    public record Addresses(String table, String key, String column) {}

    public AgentDefinition {
        callers = List.copyOf(callers);
        approvers = List.copyOf(approvers);
        if (!NAME.matcher(name).matches()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no name of an agent".formatted(name),
                    "use up to 63 of a-z, 0-9, _ and -, a letter first");
        }
    }
}
