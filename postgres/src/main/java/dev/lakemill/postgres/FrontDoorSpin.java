package dev.lakemill.postgres;

import io.netty.channel.SelectStrategy;
import io.netty.util.IntSupplier;

/**
 * Looks for the next bytes for some microseconds before the loop's thread sleeps, for as long as
 * they keep coming that fast: to wake a thread on a sleeping core costs more than a query by key,
 * and through the door there are two more such wakes. The rule is KVM's {@code halt_poll_ns}: it
 * looks ahead only after one of the last two waits (a client's, then Postgres's) was as short as
 * that, so an idle door sleeps, and one with slow clients wastes one look a pause. Others who want
 * the core get it between two looks. One event loop owns it.
 */
final class FrontDoorSpin implements SelectStrategy {
    private final long spinNanos;
    private long waitBeganNanos;
    private boolean waits;
    private boolean lastWasShort;
    private boolean oneBeforeWasShort;

    FrontDoorSpin(long spinNanos) {
        this.spinNanos = spinNanos;
    }

    @Override
    public int calculateStrategy(IntSupplier ready, boolean hasTasks) throws Exception {
        if (spinNanos == 0) {
            return hasTasks ? ready.get() : SELECT;
        }
        var now = System.nanoTime();
        if (waits) {
            waited(now - waitBeganNanos);
        }
        if (hasTasks) {
            return ready.get();
        }
        waits = true;
        waitBeganNanos = now;
        return lastWasShort || oneBeforeWasShort ? spin(ready, now + spinNanos) : SELECT;
    }

    @SuppressWarnings("ThreadPriorityCheck") // Correct without it; it is for others on the core.
    private int spin(IntSupplier ready, long endNanos) throws Exception {
        do {
            int events = ready.get();
            if (events > 0) {
                return events;
            }
            Thread.yield();
        } while (System.nanoTime() < endNanos);
        return SELECT;
    }

    private void waited(long nanos) {
        waits = false;
        oneBeforeWasShort = lastWasShort;
        // A wait that ended in sleep is longer by the wake itself.
        lastWasShort = nanos <= 2 * spinNanos;
    }
}
