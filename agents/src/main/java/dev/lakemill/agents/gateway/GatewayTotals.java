package dev.lakemill.agents.gateway;

/** What all calls since the start came to. */
public record GatewayTotals(
        long calls,
        long failed,
        long templates,
        long inputTokens,
        long outputTokens,
        double costUsd,
        long running,
        long resting) {}
