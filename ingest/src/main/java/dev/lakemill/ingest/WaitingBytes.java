package dev.lakemill.ingest;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How much memory the requests hold that wait for room: each stream has one at most, of up to 16
 * MiB, and there are thousands of streams. Safe for use by many threads.
 */
final class WaitingBytes {
    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    WaitingBytes(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * A request begins to wait; one alone always may.
     *
     * @return the request
     * @throws Refusal when others hold as much as they all may
     */
    WaitingRequest begin(WaitingRequest request) {
        long before = bytes.getAndAdd(request.bytes());
        if (before > 0 && before + request.bytes() > bytesMax) {
            bytes.addAndGet(-request.bytes());
            throw Refusal.limit(
                    "requests of %d bytes wait for room, and no more than %d may"
                            .formatted(before, bytesMax),
                    "look at the server's disk and log; send again later");
        }
        return request;
    }

    /** A request, where there is one, waits no more. Returns null, which stands for none. */
    @Nullable WaitingRequest end(@Nullable WaitingRequest request) {
        bytes.addAndGet(request == null ? 0 : -request.bytes());
        return null;
    }

    long sum() {
        return bytes.get();
    }
}
