package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A relay between two sockets. */
@Timeout(30)
final class RelayTest {
    private static final Duration DELAY = Duration.ofMillis(100);

    private final ServerSocket target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final Relay relay = new Relay(target.getLocalPort(), DELAY);
    private final Socket near = new Socket(InetAddress.getLoopbackAddress(), relay.port());
    private final Socket far = target.accept();

    RelayTest() throws IOException {}

    @AfterEach
    void close() throws IOException {
        near.close();
        far.close();
        relay.close();
        target.close();
    }

    @Test
    void bytesArriveUnchangedInBothDirectionsAfterTheDelay() throws IOException {
        assertThat(nanos(near, far, 1)).isGreaterThanOrEqualTo(DELAY.toNanos());
        assertThat(nanos(far, near, 1_000)).isGreaterThanOrEqualTo(DELAY.toNanos());
    }

    /** In pieces of 64 KiB, each after the one before, it would outlast the timeout. */
    @Test
    void theDelayTakesNoBandwidth() throws IOException {
        assertThat(nanos(near, far, 32 << 20)).isGreaterThanOrEqualTo(DELAY.toNanos());
    }

    @Test
    void whatIsOnItsWayArrivesThoughTheSenderIsGone() throws IOException {
        near.getOutputStream().write(new byte[] {1, 2, 3});
        near.close();
        assertThat(far.getInputStream().readAllBytes()).containsExactly(1, 2, 3);
    }

    /** Sends random bytes and checks them; returns how long they were on their way. */
    private static long nanos(Socket from, Socket to, int count) throws IOException {
        var bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        var started = System.nanoTime();
        Thread.startVirtualThread(() -> write(from, bytes));
        assertThat(to.getInputStream().readNBytes(count)).isEqualTo(bytes);
        return System.nanoTime() - started;
    }

    private static void write(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
