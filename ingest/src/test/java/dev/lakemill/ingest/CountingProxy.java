package dev.lakemill.ingest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Stands between producers and a node, and counts what producers sent. */
final class CountingProxy implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final AtomicLong sentBytes = new AtomicLong();
    private final Map<Socket, Boolean> sockets = new ConcurrentHashMap<>();

    CountingProxy(int target) {
        this.target = target;
        try {
            this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.startVirtualThread(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    long sentBytes() {
        return sentBytes.get();
    }

    private void accept() {
        try {
            while (true) {
                var client = listener.accept();
                var server = new Socket();
                sockets.put(client, true);
                sockets.put(server, true);
                server.connect(new InetSocketAddress(listener.getInetAddress(), target));
                Thread.startVirtualThread(() -> copy(client, server, sentBytes));
                Thread.startVirtualThread(() -> copy(server, client, new AtomicLong()));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private static void copy(Socket from, Socket to, AtomicLong bytes) {
        var buffer = new byte[1 << 16];
        try (from;
                to) {
            var in = from.getInputStream();
            var out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                bytes.addAndGet(count);
                out.write(buffer, 0, count);
            }
        } catch (IOException e) {
            // One of the two is gone.
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (var socket : sockets.keySet()) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
