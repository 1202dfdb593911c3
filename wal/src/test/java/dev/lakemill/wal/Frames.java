package dev.lakemill.wal;

import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/** Frames for tests, each known by its offset. */
final class Frames {
    static final UUID TABLE = new UUID(0x0123456789ABCDEFL, 0x1122334455667788L);

    private Frames() {}

    static Frame frame(long offset, int payloadBytes) {
        return frame(new UUID(7, 7), offset, payloadBytes);
    }

    /** The payload follows from the offset. */
    static Frame frame(UUID stream, long offset, int payloadBytes) {
        byte[] payload = new byte[payloadBytes];
        new Random(offset).nextBytes(payload);
        return new Frame(TABLE, stream, offset, payload);
    }

    /** Offers until it is accepted. */
    static void offer(Log log, Frame frame) throws InterruptedException {
        while (!log.offer(frame)) {
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            space.await();
        }
    }
}
