package dev.lakemill.identity;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners on a thread of its own that something changed; changes that come while they are
 * being told are told once more, together.
 */
final class Changes implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Changes.class);

    private final CopyOnWriteArrayList<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final BlockingQueue<Boolean> pending = new ArrayBlockingQueue<>(1);
    private final Thread teller = Thread.ofVirtual().name("token-changes").start(this::tell);

    void changed() {
        pending.offer(true);
    }

    AutoCloseable listen(Runnable listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public void close() {
        teller.interrupt();
    }

    private void tell() {
        try {
            while (true) {
                pending.take();
                listeners.forEach(Changes::tell);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(Runnable listener) {
        try {
            listener.run();
        } catch (RuntimeException e) {
            log.error("a listener for revoked tokens failed", e);
        }
    }
}
