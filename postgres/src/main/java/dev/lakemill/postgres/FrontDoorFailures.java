package dev.lakemill.postgres;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Counts failed logins by address, a minute at a time. Of IPv6 the first 64 bits count, which is
 * what one customer has; on loopback, where every app has the same address, also the user.
 */
final class FrontDoorFailures {
    private static final int ADDRESSES_MAX = 10_000;
    private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);

    private record Window(long startNanos, int failures) {}

    private final int perMinuteMax;
    private final LongSupplier nanoTime;
    private final Map<String, Window> windows =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Window> eldest) {
                    return size() > ADDRESSES_MAX;
                }
            };

    FrontDoorFailures(int perMinuteMax, LongSupplier nanoTime) {
        this.perMinuteMax = perMinuteMax;
        this.nanoTime = nanoTime;
    }

    /** Refuses who failed too often in this minute, without a look at what he brings. */
    synchronized void check(InetSocketAddress peer, String user) throws FrontDoorRefusal {
        if (current(key(peer, user)).failures() >= perMinuteMax) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.LIMIT_REACHED,
                    "%d logins from this address failed within a minute".formatted(perMinuteMax),
                    "wait a minute, and see which program sends a wrong or an old token");
        }
    }

    synchronized void failed(InetSocketAddress peer, String user) {
        var key = key(peer, user);
        var window = current(key);
        windows.put(key, new Window(window.startNanos(), window.failures() + 1));
    }

    private Window current(String key) {
        var now = nanoTime.getAsLong();
        var window = windows.get(key);
        return window == null || now - window.startNanos() > WINDOW_NANOS
                ? new Window(now, 0)
                : window;
    }

    private static String key(InetSocketAddress peer, String user) {
        var address = peer.getAddress();
        if (address.isLoopbackAddress()) {
            return "loopback " + user;
        }
        var bytes = address.getAddress();
        return HexFormat.of()
                .formatHex(address instanceof Inet6Address ? Arrays.copyOf(bytes, 8) : bytes);
    }
}
