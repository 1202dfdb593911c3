package dev.lakemill.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The least that a process between two others does: it copies bytes both ways with blocking calls,
 * two platform threads a connection. A floor for what any proxy adds on the machine; or, with a
 * delay, a long way with all the bandwidth of a short one.
 */
final class Relay implements AutoCloseable {
    private static final int COPY_BYTES = 1 << 16;

    private final ServerSocket listening;
    private final int target;
    private final Duration delay;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /** To a port of loopback. */
    Relay(int target) throws IOException {
        this(target, Duration.ZERO);
    }

    /**
     * @param delay of each direction
     */
    Relay(int target, Duration delay) throws IOException {
        this.target = target;
        this.delay = delay;
        this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                join(listening.accept());
            } catch (IOException _) {
                // The listener was closed, or one client went away: the next, if there is one.
            }
        }
    }

    /** Where the target does not listen, the client's connection ends, too. */
    private void join(Socket client) throws IOException {
        Socket server;
        try {
            server = new Socket(InetAddress.getLoopbackAddress(), target);
        } catch (IOException e) {
            client.close();
            throw e;
        }
        for (var socket : new Socket[] {client, server}) {
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            open.add(socket);
        }
        threads.execute(() -> copy(client, server));
        threads.execute(() -> copy(server, client));
    }

    /** Ends all connections that there are. */
    void cut() {
        for (var socket : open) {
            try {
                socket.close();
            } catch (IOException _) {
                // It ended by itself.
            }
        }
    }

    private void copy(Socket from, Socket to) {
        try (from;
                to;
                var out = output(to)) {
            var bytes = new byte[COPY_BYTES];
            var in = from.getInputStream();
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                out.write(bytes, 0, count);
            }
        } catch (IOException _) {
            // The other side closed first.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private OutputStream output(Socket to) throws IOException {
        var out = to.getOutputStream();
        return delay.isZero() ? out : new DelayedOutput(out, delay);
    }

    @Override
    public void close() throws IOException {
        listening.close();
        cut();
        threads.shutdown();
    }
}
