package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that no client would send, and clients that want too much. */
@Timeout(300)
final class FrontDoorLimitsTest {
    /** No machine is too slow for it. */
    private static final Duration HANDSHAKE = Duration.ofMinutes(2);

    private static final Duration SHORT_HANDSHAKE = Duration.ofMillis(1500);
    private static final int HANDSHAKES = 8;
    private static final int WAIT_MS_MAX = 120_000;

    @TempDir static Path folder;
    private static TestDoor door;

    @BeforeAll
    static void start() throws Exception {
        door = TestDoor.open(folder, limits(40, 40, HANDSHAKE, Duration.ofHours(24)));
    }

    /** The door learns a moment later that a client has left. */
    @BeforeEach
    void theClientsOfOtherTestsAreGone() {
        awaitHandshakes(0);
    }

    @AfterAll
    static void stop() {
        door.close();
    }

    private static FrontDoorLimits limits(
            int connections, int perPrincipal, Duration handshake, Duration idle) {
        return new FrontDoorLimits(
                connections,
                perPrincipal,
                HANDSHAKES,
                handshake,
                2_000,
                8_192,
                idle,
                Duration.ofDays(3),
                4);
    }

    @Test
    void bytesOfAnotherProtocolAreAnsweredWithAnErrorAndTheEnd() throws Exception {
        for (var bytes :
                List.of(
                        "GET / HTTP/1.1\r\nhost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                        new byte[8],
                        hex("0000000400030000"),
                        hex("7fffffff00030000"),
                        hex("ffffffff00030000"),
                        hex("0000000900030000ff"),
                        hex("0000000c0003000061626364"),
                        hex("0000000e00030000ff00ff000000"),
                        hex("0000000c04d2162e00000001"))) {
            try (var socket = connect()) {
                socket.getOutputStream().write(bytes);
                assertThat(rest(socket)).as(ByteBufUtil.hexDump(bytes)).contains("C08P01");
            }
        }
    }

    @Test
    void anOldProtocolIsNamed() throws Exception {
        try (var socket = connect()) {
            socket.getOutputStream().write(hex("0000000800020000"));
            assertThat(rest(socket)).contains("C0A000").contains("protocol 2.0 is not supported");
        }
    }

    @Test
    void aNewerProtocolIsNegotiatedAndUnknownOptionsAreTold() throws Exception {
        try (var socket = connect()) {
            send(
                    socket,
                    FrontDoorMessages.startup(
                            9999, Map.of("user", "alice", "_pq_.weather", "fine")));
            var answer = new byte[1 + 4 + 8 + "_pq_.weather".length() + 1 + 9];
            assertThat(socket.getInputStream().readNBytes(answer, 0, answer.length))
                    .isEqualTo(answer.length);
            var message = Unpooled.wrappedBuffer(answer);
            assertThat((char) message.readByte()).isEqualTo('v');
            assertThat(message.skipBytes(4).readInt()).isEqualTo((3 << 16) + 2);
            assertThat(message.readInt()).isEqualTo(1);
            assertThat(message.readCharSequence(12, StandardCharsets.UTF_8).toString())
                    .isEqualTo("_pq_.weather");
            assertThat((char) message.skipBytes(1).readByte()).isEqualTo('R');
        }
    }

    @Test
    void whoStopsInTheMiddleIsSentAwayInTime() throws Exception {
        var limits = limits(40, 40, SHORT_HANDSHAKE, Duration.ofHours(24));
        try (var strict = TestDoor.open(folder, limits);
                var silent = connect(strict);
                var slow = connect(strict)) {
            var began = System.nanoTime();
            var writer =
                    Thread.startVirtualThread(
                            () -> {
                                try {
                                    for (int i = 0; i < 100; i++) {
                                        slow.getOutputStream().write(i == 2 ? 1 : 0);
                                        Thread.sleep(40);
                                    }
                                } catch (IOException | InterruptedException _) {
                                    Thread.currentThread().interrupt();
                                }
                            });
            assertThat(rest(silent)).contains("the login took too long");
            assertThat(rest(slow)).contains("the login took too long");
            assertThat(System.nanoTime() - began).isGreaterThan(SHORT_HANDSHAKE.toNanos() / 2);
            writer.join();
            awaitHandshakes(strict, 0);
        }
    }

    @Test
    void oneAddressCannotHoldEveryHandshake() throws Exception {
        var sockets = new ArrayList<Socket>();
        try {
            for (int i = 0; i < HANDSHAKES / 4; i++) {
                sockets.add(connect());
            }
            awaitHandshakes(sockets.size());
            try (var more = connect()) {
                assertThat(rest(more)).contains("C53300").contains("too many connections");
            }
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
        awaitHandshakes(0);
    }

    @Test
    void whatIsSentInTheClearAfterTheRequestForTlsIsNotTakenForEncrypted() throws Exception {
        try (var socket = connect()) {
            var both = FrontDoorMessages.tlsRequest();
            both =
                    Unpooled.wrappedBuffer(
                            both, FrontDoorMessages.startup(0, Map.of("user", "alice")));
            send(socket, both);
            var answer = rest(socket);
            assertThat(answer).startsWith("S").doesNotContain("R\0\0\0");
        }
    }

    @Test
    void tlsFromTheFirstByteHasToSayThatItMeansPostgres() throws Exception {
        for (var protocol : List.of("postgresql", "h2", "")) {
            var context = SSLContext.getInstance("TLS");
            TrustManager[] trusting = InsecureTrustManagerFactory.INSTANCE.getTrustManagers();
            context.init(null, trusting, null);
            try (var socket =
                    (SSLSocket)
                            context.getSocketFactory()
                                    .createSocket(InetAddress.getLoopbackAddress(), port())) {
                var parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(
                        protocol.isEmpty() ? new String[0] : new String[] {protocol});
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                send(socket, FrontDoorMessages.startup(0, Map.of("user", "alice")));
                assertThat(socket.getInputStream().read())
                        .as(protocol)
                        .isEqualTo(protocol.equals("postgresql") ? 'R' : -1);
            }
        }
    }

    @Test
    void aPasswordHasALimit() throws Exception {
        try (var socket = connect()) {
            send(socket, FrontDoorMessages.startup(0, Map.of("user", "alice")));
            var password = Unpooled.buffer().writeZero(9_000);
            send(socket, FrontDoorMessages.message('p', password));
            assertThat(rest(socket)).contains("1 to 8193 bytes");
        }
        assertThatThrownBy(() -> door.connect("alice", "x".repeat(8_192)))
                .hasMessageContaining("password authentication failed");
    }

    @Test
    void passwordsInTheClearAreForLoopbackAlone() {
        var channel = new EmbeddedChannel();
        var line = new FrontDoorLine(channel, System.nanoTime() + HANDSHAKE.toNanos());
        channel.pipeline().addLast(line);
        channel.writeInbound(FrontDoorMessages.startup(0, Map.of("user", "alice")));
        new FrontDoorHandshake(door.door.shared(), line, new InetSocketAddress("192.0.2.7", 4711))
                .run();
        ByteBuf answer = channel.readOutbound();
        assertThat(answer.toString(StandardCharsets.UTF_8))
                .contains("C28000")
                .contains("sslmode=require");
        channel.finishAndReleaseAll();
    }

    @Test
    void failuresOfAnAddressAreCounted() throws Exception {
        for (int i = 0; i < 4; i++) {
            assertThatThrownBy(() -> door.connect("eve", "guess")).hasMessageContaining("failed");
        }
        assertThatThrownBy(() -> door.connect("eve", "guess"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("53400"))
                .hasMessageContaining("within a minute");
        door.connect("alice").close();
    }

    @Test
    void failuresAreForgottenAfterAMinute() throws Exception {
        var now = new long[] {0};
        var failures = new FrontDoorFailures(2, () -> now[0]);
        var six = new InetSocketAddress("2001:db8::1", 1);
        var neighbour = new InetSocketAddress("2001:db8::2", 1);
        failures.failed(six, "a");
        failures.failed(neighbour, "b");
        assertThatThrownBy(() -> failures.check(six, "c")).isInstanceOf(FrontDoorRefusal.class);
        failures.check(new InetSocketAddress("2001:db8:0:1::1", 1), "a");
        now[0] = Duration.ofSeconds(61).toNanos();
        failures.check(six, "a");
    }

    @Test
    void connectionsAreLimitedByPrincipalAndInAll() throws Exception {
        var limits = limits(3, 2, HANDSHAKE, Duration.ofHours(1));
        try (var small = TestDoor.open(folder, limits);
                var one = small.connect("alice")) {
            var two = small.connect("alice");
            assertThatThrownBy(() -> small.connect("alice"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("53300"))
                    .hasMessageContaining("alice has 2 connections");
            try (var three = small.connect("bob")) {
                assertThatThrownBy(() -> small.connect("bob"))
                        .hasMessageContaining("all 3 connections are taken");
                assertThat(three.isValid(5)).isTrue();
            }
            two.close();
            awaitCount(small, 1);
            small.connect("alice").close();
            assertThat(one.isValid(5)).isTrue();
        }
    }

    @Test
    void idleAndOldConnectionsEndWithTheReason() throws Exception {
        var limits = limits(9, 9, HANDSHAKE, Duration.ofSeconds(2));
        var patient = limits(9, 9, HANDSHAKE, Duration.ofHours(1));
        var before = TestDoor.postgres().behindDoor();
        // A door for each reason: of two that come in one moment, one is told.
        try (var quick = TestDoor.open(before, folder, limits, true);
                var strict = TestDoor.open(before, folder, withLife(limits), true);
                var punctual = TestDoor.open(before, folder, patient, true);
                var idle = quick.connect("alice");
                var old = strict.connect("alice");
                var expired = punctual.connect("bob", briefToken(punctual))) {
            awaitCount(quick, 0);
            awaitCount(strict, 0);
            awaitCount(punctual, 0);
            assertThatThrownBy(() -> TestDoor.ask(idle, "SELECT 1"))
                    .hasMessageContaining("idle for 2 seconds");
            assertThatThrownBy(() -> TestDoor.ask(old, "SELECT 1"))
                    .hasMessageContaining("older than 2 seconds");
            assertThatThrownBy(() -> TestDoor.ask(expired, "SELECT 1"))
                    .hasMessageContaining("has expired");
        }
    }

    private static String briefToken(TestDoor door) {
        return door.token("bob", "bob", false, Instant.now().plusSeconds(2));
    }

    private static FrontDoorLimits withLife(FrontDoorLimits limits) {
        return new FrontDoorLimits(
                limits.connections(),
                limits.connectionsPerPrincipal(),
                limits.handshakes(),
                limits.handshake(),
                limits.startupBytes(),
                limits.passwordBytes(),
                Duration.ofHours(1),
                Duration.ofSeconds(2),
                limits.failuresPerMinute());
    }

    @Test
    void aClosedDoorTellsItsClients() throws Exception {
        var closing = TestDoor.open(folder, FrontDoorLimits.of(5));
        try (var connection = closing.connect("alice")) {
            closing.close();
            assertThatThrownBy(() -> TestDoor.ask(connection, "SELECT 1"))
                    .hasMessageContaining("Lakemill is stopping");
        }
    }

    private static int port() {
        return door.door.port();
    }

    private static Socket connect() throws IOException {
        return connect(door);
    }

    private static Socket connect(TestDoor to) throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), to.door.port());
        socket.setSoTimeout(WAIT_MS_MAX);
        return socket;
    }

    private static void send(Socket socket, ByteBuf message) throws IOException {
        socket.getOutputStream().write(ByteBufUtil.getBytes(message));
        socket.getOutputStream().flush();
    }

    /** Everything that the door says until it closes; what we said may still be on its way. */
    private static String rest(Socket socket) throws IOException {
        var said = new StringBuilder();
        try {
            for (int b = socket.getInputStream().read();
                    b >= 0;
                    b = socket.getInputStream().read()) {
                said.append((char) b);
            }
        } catch (SocketException _) {
            // Reset, because the door closed before it read everything.
            return said.toString();
        }
        return said.toString();
    }

    private static byte[] hex(String text) {
        return ByteBufUtil.decodeHexDump(text);
    }

    private static void awaitCount(TestDoor door, int count) {
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (door.door.connections().size() != count) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    private static void awaitHandshakes(int count) {
        awaitHandshakes(door, count);
    }

    private static void awaitHandshakes(TestDoor at, int count) {
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (at.door.handshakes() != count) {
            assertThat(System.nanoTime()).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }
}
