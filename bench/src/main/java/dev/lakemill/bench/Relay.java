package dev.lakemill.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The least that a process between two others does: it copies bytes both ways with blocking calls,
 * two platform threads a connection. A floor for what any proxy adds on the machine.
 */
final class Relay implements AutoCloseable {
    private static final int COPY_BYTES = 1 << 16;

    private final ServerSocket listening;
    private final int target;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** To a port of loopback. */
    Relay(int target) throws IOException {
        this.target = target;
        this.listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                var client = listening.accept();
                var server = new Socket(InetAddress.getLoopbackAddress(), target);
                for (var socket : new Socket[] {client, server}) {
                    socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                }
                threads.execute(() -> copy(client, server));
                threads.execute(() -> copy(server, client));
            } catch (IOException _) {
                // The listener was closed, or one client went away: the next, if there is one.
            }
        }
    }

    private static void copy(Socket from, Socket to) {
        try (from;
                to) {
            var bytes = new byte[COPY_BYTES];
            var in = from.getInputStream();
            var out = to.getOutputStream();
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                out.write(bytes, 0, count);
            }
        } catch (IOException _) {
            // The other side closed first.
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        threads.shutdown();
    }
}
