package dev.lakemill.wal;

import java.util.HexFormat;
import java.util.List;
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

    /** All there is to know of each, fit to compare and to print. */
    static List<String> told(List<Durable> frames) {
        return frames.stream().map(Frames::told).toList();
    }

    private static String told(Durable durable) {
        Frame frame = durable.frame();
        return String.join(
                " ",
                Long.toString(durable.lsn()),
                frame.table().toString(),
                frame.stream().toString(),
                Long.toString(frame.offset()),
                HexFormat.of().formatHex(frame.payload()));
    }

    /** Offers until it is accepted. */
    static void offer(Log log, Frame frame) throws InterruptedException {
        while (!log.offer(frame)) {
            CountDownLatch space = new CountDownLatch(1);
            log.whenSpace(space::countDown);
            space.await();
        }
    }

    /** The same by a thread that flushes. */
    static void offerAndFlush(Log log, Frame frame) throws InterruptedException {
        if (log.offerUnflushed(frame)) {
            log.flush();
        } else {
            offer(log, frame);
        }
    }
}
