package dev.lakemill.capture;

import dev.lakemill.types.LakemillException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the files of captured tables few, on a thread of its own. */
final class TableCare implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TableCare.class);
    private static final Duration PAUSE = Duration.ofMinutes(1);
    private static final Duration KEPT = Duration.ofMinutes(10);

    private final Map<Long, CapturedTable> tables;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;

    TableCare(Map<Long, CapturedTable> tables) {
        this.tables = tables;
        this.thread = Thread.ofVirtual().name("capture-care").start(this::run);
    }

    private void run() {
        try {
            while (!ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                tables.values().forEach(TableCare::care);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void care(CapturedTable table) {
        try {
            table.history().delta().compact();
            table.history().delta().vacuum(KEPT);
            var current = table.current();
            if (current != null) {
                current.delta().vacuum(KEPT);
            }
        } catch (LakemillException e) {
            LOG.warn("files of {} stay for now: {}", table.lakeTable(), e.getMessage());
        }
    }

    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(Duration.ofSeconds(10));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
