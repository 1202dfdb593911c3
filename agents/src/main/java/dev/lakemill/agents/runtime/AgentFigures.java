package dev.lakemill.agents.runtime;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What agents are at and have used, of the runs that are kept.
 *
 * @param approvals that wait for people
 */
public record AgentFigures(
        List<Runs> runs, List<Approvals> approvals, List<Count> effects, List<Count> mails) {
    /** Of one agent and status. */
    public record Runs(
            String agent,
            String status,
            long count,
            long tokens,
            long costMicros,
            long takeovers) {}

    /**
     * Of one agent.
     *
     * @param oldestSeconds how long the oldest has waited
     */
    public record Approvals(String agent, long count, double oldestSeconds) {}

    /** Of one agent and state. */
    public record Count(String agent, String state, long count) {}

    static final String SQL =
            """
            SELECT jsonb_build_object(
                'runs', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (
                    SELECT agent, status, count(*) AS count, sum(tokens_used) AS tokens,
                        sum(cost_micros_used) AS cost, sum(takeovers) AS takeovers
                    FROM lakemill.agent_runs GROUP BY agent, status) x),
                'approvals', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (
                    SELECT agent, count(*) AS count,
                        extract(epoch FROM clock_timestamp() - min(created_at)) AS oldest
                    FROM lakemill.agent_approvals WHERE state = 'pending' GROUP BY agent) x),
                'effects', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (
                    SELECT agent, state, count(*) AS count
                    FROM lakemill.agent_effects GROUP BY agent, state) x),
                'mails', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM (
                    SELECT agent, state, count(*) AS count
                    FROM lakemill.agent_outbox GROUP BY agent, state) x))
            """;

    static AgentFigures of(JsonNode read) {
        var runs = new ArrayList<Runs>();
        for (var row : read.path("runs")) {
            runs.add(
                    new Runs(
                            row.path("agent").asText(),
                            row.path("status").asText(),
                            row.path("count").asLong(),
                            row.path("tokens").asLong(),
                            row.path("cost").asLong(),
                            row.path("takeovers").asLong()));
        }
        var approvals = new ArrayList<Approvals>();
        for (var row : read.path("approvals")) {
            approvals.add(
                    new Approvals(
                            row.path("agent").asText(),
                            row.path("count").asLong(),
                            row.path("oldest").asDouble()));
        }
        return new AgentFigures(
                List.copyOf(runs),
                List.copyOf(approvals),
                counts(read.path("effects")),
                counts(read.path("mails")));
    }

    private static List<Count> counts(JsonNode rows) {
        var counts = new ArrayList<Count>();
        for (var row : rows) {
            counts.add(
                    new Count(
                            row.path("agent").asText(),
                            row.path("state").asText(),
                            row.path("count").asLong()));
        }
        return List.copyOf(counts);
    }
}
