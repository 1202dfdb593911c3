package dev.lakemill.ingest;

import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.Frame;
import dev.lakemill.wal.Log;
import org.jspecify.annotations.Nullable;

/**
 * Offers frames to the log, where their table and the log have room: those of a burst together, to
 * become durable at its end. Safe from any thread; a burst is its thread's.
 */
final class LogOffers {
    private final ThreadLocal<Burst> burst = ThreadLocal.withInitial(Burst::new);
    private volatile @Nullable Log log;

    /** What its thread is at. */
    private static final class Burst {
        private boolean runs;
        private boolean unflushed;
    }

    void start(Log opened) {
        log = opened;
    }

    /**
     * False when the table or the log has no room.
     *
     * @throws LakemillException when the log takes nothing more, or nothing so large
     * @throws Refusal when the table takes nothing more
     */
    boolean offer(Landing landing, Frame frame) {
        if (landing.isEnded()) {
            throw Refusal.unavailable(
                    "%s takes no rows any more".formatted(landing.table().name()), "try again");
        }
        if (!landing.hasRoom()) {
            return false;
        }
        boolean taken = false;
        landing.expect(frame.payload().length);
        try {
            taken = offer(frame);
        } finally {
            if (!taken) {
                landing.expect(-frame.payload().length);
            }
        }
        return taken;
    }

    private boolean offer(Frame frame) {
        var current = burst.get();
        if (!current.runs) {
            return log().offer(frame);
        }
        boolean taken = log().offerUnflushed(frame);
        current.unflushed |= taken;
        return taken;
    }

    /** What this thread offers until {@link #endBurst} becomes durable then. */
    void beginBurst() {
        burst.get().runs = true;
    }

    void endBurst() {
        var current = burst.get();
        current.runs = false;
        if (current.unflushed) {
            current.unflushed = false;
            log().flush();
        }
    }

    /** Runs the action when both the table and the log have room again. */
    void whenRoom(Landing landing, Runnable action) {
        if (landing.hasRoom()) {
            log().whenSpace(action);
        } else {
            landing.whenRoom(action);
        }
    }

    private Log log() {
        var started = log;
        if (started == null) {
            throw Refusal.unavailable("the log is not open yet", "try again");
        }
        return started;
    }

    /** Bytes of the log that are not released; 0 before it is open. */
    long logBytes() {
        var started = log;
        return started == null ? 0 : started.sizeBytes();
    }
}
