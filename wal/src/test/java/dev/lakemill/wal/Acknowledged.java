package dev.lakemill.wal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A listener that remembers what it was told. */
final class Acknowledged implements Log.Listener {
    private static final long PATIENCE_MILLIS = 60_000;

    private final List<Durable> frames = new ArrayList<>();
    private int groups;
    private @Nullable Throwable failure;

    @Override
    public synchronized void durable(List<Durable> group) {
        frames.addAll(group);
        groups++;
        notifyAll();
    }

    @Override
    public synchronized void failed(Throwable cause) {
        failure = cause;
        notifyAll();
    }

    synchronized List<Durable> frames() {
        return List.copyOf(frames);
    }

    synchronized int groups() {
        return groups;
    }

    /** Waits for so many frames in all. */
    synchronized void awaitFrames(int count) throws InterruptedException {
        await(() -> frames.size() >= count || failure != null);
        if (frames.size() < count) {
            throw new AssertionError(frames.size() + " of " + count + " frames came", failure);
        }
    }

    synchronized Throwable awaitFailure() throws InterruptedException {
        await(() -> failure != null);
        if (failure == null) {
            throw new AssertionError("the log did not fail");
        }
        return failure;
    }

    private synchronized void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
        long left = PATIENCE_MILLIS;
        while (!condition.getAsBoolean() && left > 0) {
            wait(left);
            left = deadline - System.currentTimeMillis();
        }
    }
}
