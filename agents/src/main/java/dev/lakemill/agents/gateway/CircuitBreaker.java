package dev.lakemill.agents.gateway;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Spares a provider that fails: after some failures in a row it is not asked for a while, then by
 * one call that decides. Safe to use from any thread.
 */
final class CircuitBreaker {
    private static final int FAILURES_MAX = 5;
    private static final Duration OPEN = Duration.ofSeconds(30);

    /** As metrics and status show it. */
    enum State {
        CLOSED,
        HALF_OPEN,
        OPEN
    }

    private final Clock clock;
    private int failures;
    private Instant openUntil = Instant.MIN;
    private boolean trying;

    CircuitBreaker(Clock clock) {
        this.clock = clock;
    }

    /** Whether to call now; the call's end is told by one of the others. */
    synchronized boolean admits() {
        if (clock.instant().isBefore(openUntil)) {
            return false;
        }
        if (failures < FAILURES_MAX) {
            return true;
        }
        if (trying) {
            return false;
        }
        trying = true;
        return true;
    }

    synchronized void succeeded() {
        failures = 0;
        trying = false;
        openUntil = Instant.MIN;
    }

    synchronized void failed() {
        failures++;
        trying = false;
        if (failures >= FAILURES_MAX) {
            openUntil = clock.instant().plus(OPEN);
        }
    }

    /** The provider said how long to leave it alone. */
    synchronized void paused(Duration pause) {
        trying = false;
        var until = clock.instant().plus(pause.compareTo(OPEN) > 0 ? OPEN : pause);
        openUntil = until.isAfter(openUntil) ? until : openUntil;
    }

    /** The call ended without saying anything of the provider. */
    synchronized void released() {
        trying = false;
    }

    synchronized State state() {
        if (clock.instant().isBefore(openUntil)) {
            return State.OPEN;
        }
        return failures < FAILURES_MAX ? State.CLOSED : State.HALF_OPEN;
    }
}
