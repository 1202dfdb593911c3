package dev.lakemill.server;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Work on a virtual thread of its own: again after each pause, and a last time at the end. */
final class PeriodicWork implements AutoCloseable {
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Duration endWaitMax;
    private final Thread thread;

    private PeriodicWork(Thread.Builder named, Duration pause, Duration endWaitMax, Runnable work) {
        this.endWaitMax = endWaitMax;
        this.thread = named.start(() -> run(pause, work));
    }

    /**
     * Begins.
     *
     * @param endWaitMax how long {@link #close} waits for the last time
     * @param work tells its own failures; what it throws ends it
     */
    static PeriodicWork start(String name, Duration pause, Duration endWaitMax, Runnable work) {
        return new PeriodicWork(Thread.ofVirtual().name(name), pause, endWaitMax, work);
    }

    private void run(Duration pause, Runnable work) {
        try {
            while (!ending.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                work.run();
            }
            work.run();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(endWaitMax);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
