package dev.lakemill.api.agent;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What people are asked before a run goes on.
 *
 * @param action what would be done, for example {@code commit_order}
 * @param args with what; people may edit these values and no others
 * @param description for people, in Markdown
 * @param allowed of {@code accept}, {@code edit}, {@code respond}, {@code ignore}
 * @param assignees principals and groups; empty for the agent's approvers
 * @param expiresAfter when it ends undecided
 */
public record Approval(
        String action,
        Map<String, ?> args,
        String description,
        List<String> allowed,
        List<String> assignees,
        Duration expiresAfter) {
    private static final Duration WEEK = Duration.ofDays(7);

    public Approval {
        args = Map.copyOf(args);
        allowed = List.copyOf(allowed);
        assignees = List.copyOf(assignees);
    }

    /** Of the agent's approvers, within a week, everything allowed. */
    public static Approval of(String action, Map<String, ?> args, String description) {
        var all = List.of("accept", "edit", "respond", "ignore");
        return new Approval(action, args, description, all, List.of(), WEEK);
    }

    /** The same, of others. */
    public Approval askedOf(String... principals) {
        return new Approval(action, args, description, allowed, List.of(principals), expiresAfter);
    }

    /** The same, with another end. */
    public Approval within(Duration time) {
        return new Approval(action, args, description, allowed, assignees, time);
    }
}
