package dev.lakemill.farm;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Rows as they happen, at a steady rate, in small requests: every 20 ms what is due by then. While
 * a stream is full, because the server is away, its rows are not made at all.
 */
final class Live {
    private static final long TICK_MILLIS = 20;

    private final Map<TableSender, Pacer> pacers = new LinkedHashMap<>();
    private final LongSupplier clockMicros;
    private final CountDownLatch stop;

    Live(LongSupplier clockMicros, CountDownLatch stop) {
        this.clockMicros = clockMicros;
        this.stop = stop;
    }

    void add(TableSender sender, double rowsPerSecond) {
        pacers.put(sender, new Pacer(rowsPerSecond, System.nanoTime()));
    }

    /**
     * Sends until the time is over or the stop comes.
     *
     * @param seconds 0 for no end
     * @param afterTick runs fifty times a second
     */
    void run(long seconds, Runnable afterTick) throws InterruptedException {
        var startNanos = System.nanoTime();
        var lastNanos = seconds == 0 ? Long.MAX_VALUE : TimeUnit.SECONDS.toNanos(seconds);
        do {
            pacers.forEach(this::sendDue);
            afterTick.run();
        } while (!stop.await(TICK_MILLIS, TimeUnit.MILLISECONDS)
                && System.nanoTime() - startNanos < lastNanos);
    }

    private void sendDue(TableSender sender, Pacer pacer) {
        var due = pacer.due(System.nanoTime());
        if (due > 0 && sender.hasRoom(due)) {
            sender.send(due, _ -> clockMicros.getAsLong(), 0);
        }
    }
}
