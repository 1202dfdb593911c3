package dev.lakemill.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports of the loopback address. */
final class Ports {
    private static final int FIRST = 20_000;

    /**
     * Below what Linux gives to clients: while a server is down, none of its own takes its port.
     */
    private static final int END = 32_000;

    private static final int TRIES_MAX = 1_000;

    private Ports() {}

    /** One that was free a moment ago, and stays so for a server that is started again. */
    static int free() throws IOException {
        for (var attempt = 0; attempt < TRIES_MAX; attempt++) {
            var port = ThreadLocalRandom.current().nextInt(FIRST, END);
            try (var _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return port;
            } catch (java.net.BindException _) {
                // Somebody's.
            }
        }
        throw new IOException("no free port of %d to %d".formatted(FIRST, END - 1));
    }
}
